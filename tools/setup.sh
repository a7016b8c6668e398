#!/bin/sh
# Install the Debian packages that are missing for the named groups; says what it does.
#
#   tools/setup.sh [build|test|fuzz|lint|peer|bench|parquet ...]      (default: build test)
#
# A package counts as there when its probe is: a command on the PATH, or a file. So the script needs no package
# database, returns within milliseconds when nothing is missing, and is content with tools installed in other ways.
# Installing works as root or through sudo.

set -eu

packages() {
    case $1 in
    build) echo gcc:gcc libc6-dev:/usr/include/stdio.h make:make cmake:cmake ninja-build:ninja pkg-config:pkg-config \
        libexpat1-dev:/usr/include/expat.h libopenblas0-pthread:openblas \
        libdeflate0:lib=libdeflate.so.0 libzstd1:lib=libzstd.so.1 libhdf5-hl-100:lib=libhdf5_serial_hl.so.100 \
        liblz4-1:lib=liblz4.so.1 ;;
    test) echo libcmocka-dev:/usr/include/cmocka.h binutils:nm diffutils:diff ;;
    fuzz) echo clang-14:clang-14 libclang-rt-14-dev:/usr/lib/llvm-14/lib/clang/14.0.6/include/fuzzer ;;
    lint) echo clang-format-14:clang-format-14 git:git ;;
    peer) echo openjdk-17-jre-headless:java python3-venv:venv ;;
    bench) echo python3-venv:venv ;;
    parquet) echo npm:npm ;;
    *) echo "tools/setup.sh: unknown group '$1'; groups: build test fuzz lint peer bench parquet" >&2; exit 2 ;;
    esac
}

# Is what the probe names there?
present() {
    case $1 in
    /*) [ -e "$1" ] ;;
    openblas) set -- /usr/lib/*/openblas-pthread/libopenblas.so.0; [ -e "$1" ] ;;
    lib=*) set -- /lib/*/"${1#lib=}" /usr/lib/*/"${1#lib=}"; [ -e "$1" ] || [ -e "$2" ] ;;
    venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=
[ $# -gt 0 ] || set -- build test
for group in "$@"; do
    entries=$(packages "$group")
    for entry in $entries; do
        present "${entry#*:}" || missing="$missing ${entry%%:*}"
    done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: missing:$missing (Debian 12 names); there is no apt-get here, please install them yourself" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "setup: missing:$missing; run as root or install sudo, or: apt-get install$missing" >&2
    exit 1
fi

echo "setup: installing Debian packages:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "setup: done"
