#!/bin/sh
# Make build/bench-venv, a Python with NumPy, SciPy and scikit-learn to compare with, with the argument torch PyTorch
# too (5 GB: the usual package of it brings CUDA along), with formats what reads and writes files; prints its
# interpreter. What is there stays, what is missing is added.
set -eu
cd "$(dirname "$0")/.."
venv=build/bench-venv

# need MODULES PACKAGES
need() {
    [ -x $venv/bin/python ] && $venv/bin/python -c "import $1" 2>/dev/null && return
    [ -x $venv/bin/pip ] || { tools/setup.sh bench >&2 && python3 -m venv $venv; }
    # shellcheck disable=SC2086 # the list is meant to be split
    $venv/bin/pip install --quiet --disable-pip-version-check $2 >&2
}

need 'numpy, scipy, sklearn' 'numpy scipy scikit-learn'
for more in "$@"; do
    case $more in
    torch) need torch torch ;;
    formats) need 'h5netcdf, h5py, netCDF4, pandas, pyarrow, xarray, zstandard' \
        'h5netcdf h5py netCDF4 pandas pyarrow xarray zstandard' ;;
    *) echo "venv.sh: '$more', expected torch or formats" >&2; exit 2 ;;
    esac
done
echo "$PWD/$venv/bin/python"
