#!/bin/sh
# Make build/bench-venv, a Python with NumPy and SciPy to compare with; prints its interpreter. Does nothing when there.
set -eu
cd "$(dirname "$0")/.."
venv=build/bench-venv
if ! [ -x $venv/bin/python ] || ! $venv/bin/python -c 'import numpy, scipy' 2>/dev/null; then
    tools/setup.sh bench >&2
    python3 -m venv $venv
    $venv/bin/pip install --quiet --disable-pip-version-check numpy scipy >&2
fi
echo "$PWD/$venv/bin/python"
