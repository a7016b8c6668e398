#!/bin/sh
# Make build/bench-venv, a Python with NumPy, SciPy and scikit-learn to compare with, and with the argument torch PyTorch
# too (5 GB: the usual package of it brings CUDA along); prints its interpreter. What is there stays, what is missing is
# added.
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
[ "${1-}" != torch ] || need torch torch
echo "$PWD/$venv/bin/python"
