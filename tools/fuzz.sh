#!/bin/sh
# Run every fuzzer for some seconds: fuzz.sh BINDIR SECONDS [NAME...]
#
# New inputs go to build/corpus/NAME, the committed corpus in test/fuzz/corpus/NAME is only read. A finding ends the
# run with status 1 and lies in build/crash/NAME/: copy it into the corpus together with the fix.

set -eu

bindir=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(cd test/fuzz && ls ./*.c 2>/dev/null | sed 's|^\./||; s|\.c$||' | grep -v '^replay$' || true)

passed=0 failed=0
for name in "$@"; do
    mkdir -p "build/corpus/$name" "build/crash/$name"
    seeds=test/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    if "$bindir/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
        -verbosity=0 -artifact_prefix="build/crash/$name/" "build/corpus/$name" $seeds; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "fuzz: $name failed, see build/crash/$name/"
    fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
