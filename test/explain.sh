#!/bin/sh
# docs/explain.md shows what the program prints: explain.sh PROGRAM, in the repository's root.
# Each indented line below a heading `-explain KIND` must be a line of that output, but for the numbers
# of nodes and temporaries and the width of columns.
set -eu
plain() {
    sed -E 's/\([0-9]+\)/(N)/g; s/_[0-9]+/_N/g; s/ +/ /g'
}
page=$(pwd)/docs/explain.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
awk '/^## /{on = /The script/} on && /^    /{print substr($0, 5)}' "$page" >ridge.dml
count=0
for kind in $(sed -n 's/^## `-explain \([a-z]*\)`$/\1/p' "$page"); do
    "$1" -f ridge.dml -explain "$kind" | plain >printed
    awk -v kind="$kind" '/^## /{on = $0 == "## `-explain " kind "`"} on && /^    /{print substr($0, 5)}' "$page" | plain >shown
    [ -s shown ]
    if grep -vxFf printed shown >missing; then
        echo "docs/explain.md: -explain $kind does not print:"
        cat missing
        exit 1
    fi
    count=$((count + 1))
done
"$1" -f ridge.dml -explain svg=plan.svg >printed
grep -q '</svg>' plan.svg
echo "explain: $((count + 1)) passed, 0 failed"
