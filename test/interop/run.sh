#!/bin/sh
# Compare with NumPy, SciPy, pandas, PyArrow, h5py, xarray and netCDF4: run.sh MATLOOM
# Status 77 (skipped) where there is no Python with these: `bench/venv.sh formats` makes one, `tools/duckdb.sh` adds Parquet.
set -eu
cd "$(dirname "$0")/../.."
python=${MATLOOM_PYTHON:-build/bench-venv/bin/python}
if ! "$python" -c 'import h5netcdf, h5py, netCDF4, pandas, pyarrow, scipy, xarray, zstandard' 2>/dev/null; then
    echo "interop: skipped, $python lacks modules; bench/venv.sh formats installs them"
    exit 77
fi
if [ -z "${MATLOOM_DUCKDB-}" ] && duckdb=$(tools/duckdb.sh --look); then
    export MATLOOM_DUCKDB="$duckdb"
fi
exec "$python" -B test/interop/interop.py "$1"
