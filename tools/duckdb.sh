#!/bin/sh
# Put DuckDB's library, through which Parquet is read and written, into build/duckdb and print its path, which
# MATLOOM_DUCKDB then names. It comes from the public registry of npm; --look only says where it is, and fails if nowhere.
set -eu
cd "$(dirname "$0")/.."
case $(uname -m) in
x86_64) package=@duckdb/node-bindings-linux-x64 ;;
aarch64) package=@duckdb/node-bindings-linux-arm64 ;;
*) echo "duckdb.sh: no package for $(uname -m); build libduckdb.so from its source" >&2; exit 1 ;;
esac
library=build/duckdb/node_modules/$package/libduckdb.so
if [ ! -e "$library" ]; then
    [ "${1-}" != --look ] || exit 1
    tools/setup.sh parquet >&2
    mkdir -p build/duckdb
    npm install --silent --no-audit --no-fund --prefix build/duckdb "$package@1.5.6-r.1" >&2
fi
echo "$PWD/$library"
