#!/bin/sh
# `make bench`: every workload against NumPy/SciPy; figures in build/bench.json. Arguments go to run.py; nn is the family
# that runs against PyTorch, frames the one against pandas.
set -eu
cd "$(dirname "$0")"
more=
for argument in "$@"; do
    case $argument in
    nn) more="$more torch" ;;
    frame* | file*) more="$more formats" ;;
    esac
done
case $* in
*file*) MATLOOM_DUCKDB=$(../tools/duckdb.sh) && export MATLOOM_DUCKDB ;;
esac
# shellcheck disable=SC2086 # the groups are meant to be split
python=$(./venv.sh $more)
ninja -C ../build/release limits >&2
exec "$python" run.py --json ../build/bench.json "$@"
