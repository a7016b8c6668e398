#!/bin/sh
# Install into a scratch folder and use what is there: run.sh BUILD SOURCE
#
# The shared library exports exactly the functions of the public header; a C program builds with pkg-config's flags,
# shared and static, and runs; the program and its manual page are in place.

set -eu

build=$1 source=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

ninja -C "$build" archive >/dev/null
cmake "$build" -DCMAKE_INSTALL_PREFIX=/opt/matloom >/dev/null
DESTDIR=$root cmake --install "$build" >/dev/null
prefix=$root/opt/matloom
library=$(echo "$prefix"/lib*/libmatloom.so "$prefix"/lib*/*/libmatloom.so | tr ' ' '\n' | grep -v '\*' | head -n 1)
libdir=${library%/*}

grep -oE '\bml_[a-z_]+\(' "$source/include/matloom/matloom.h" | tr -d '(' | sort -u >"$root/declared"
nm -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sort -u >"$root/exported"
diff -u "$root/declared" "$root/exported"

export PKG_CONFIG_PATH="$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_ALLOW_SYSTEM_LIBS=
# shellcheck disable=SC2046 # flags are meant to be split
{
    cc -o "$root/shared" "$source/test/install/use.c" $(pkg-config --cflags --libs matloom)
    LD_LIBRARY_PATH=$libdir "$root/shared"
    rm "$libdir"/libmatloom.so*
    cc -o "$root/static" "$source/test/install/use.c" $(pkg-config --static --cflags --libs matloom)
    "$root/static"
}
[ "$("$prefix/bin/matloom" -s 'print(1)')" = 1 ]
[ -s "$prefix/share/man/man1/matloom.1" ]
echo "install: 1 passed, 0 failed"
