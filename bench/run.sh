#!/bin/sh
# `make bench`: every workload against NumPy/SciPy; figures in build/bench.json. Arguments go to run.py.
set -eu
cd "$(dirname "$0")"
python=$(./venv.sh)
exec "$python" run.py --json ../build/bench.json "$@"
