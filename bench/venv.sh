#!/bin/sh
# Make build/bench-venv, a Python with NumPy, SciPy and scikit-learn to compare with; prints its interpreter. What is
# there stays, what is missing is added.
set -eu
cd "$(dirname "$0")/.."
venv=build/bench-venv
if ! [ -x $venv/bin/python ] || ! $venv/bin/python -c 'import numpy, scipy, sklearn' 2>/dev/null; then
    tools/setup.sh bench >&2
    python3 -m venv $venv
    $venv/bin/pip install --quiet --disable-pip-version-check numpy scipy scikit-learn >&2
fi
echo "$PWD/$venv/bin/python"
