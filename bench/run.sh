#!/bin/sh
# `make bench`: every workload against NumPy/SciPy; figures in build/bench.json. Arguments go to run.py; nn is the family
# that runs against PyTorch.
set -eu
cd "$(dirname "$0")"
torch=
for argument in "$@"; do
    [ "$argument" != nn ] || torch=torch
done
python=$(./venv.sh $torch)
ninja -C ../build/release limits >&2
exec "$python" run.py --json ../build/bench.json "$@"
