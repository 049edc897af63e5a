#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed can be built with, whatever the umask and the place, and is all that uninstalling
# removes.
set -eu
# From where programs have gdb load its script.
script=$(sed -n 's/.*"\.asciz \\"\(.*\)\\".*/\1/p' core/debug/layout.c)
. tests/support/small-tree
umask 077

version=$(sed -n 's/^#define VERD_VERSION_[MP][A-Z]* //p' include/verd/version.h | paste -sd.)
quiet() {
    "$@" > "$work/log" 2>&1 || fail "$*: $(cat "$work/log")"
}

# Everything below a directory, with its modes.
contents() {
    (cd "$1" && find . -printf '%p %M\n' | sort)
}

# $1: where the installation is to be found. All of it is for everyone to read.
expect_installed() {
    for file in include/verd.h include/verd/time.h include/verd/guide.md lib/libverd.a lib/pkgconfig/verd.pc \
        lib/libverd-patch.a lib/libverd-patch-dynamic.a lib/libverd-patch.so lib/pkgconfig/verd-patch.pc \
        share/gdb/auto-load/verd-gdb.py share/man/man3/verd_sleep.3 share/man/man3/verd-time.3; do
        [ -f "$1/$file" ] || fail "$1 lacks $file"
    done
    ! contents "$1" | grep -v -e '-rw-r--r--$' -e 'drwxr-xr-x$' -e 'lrwxrwxrwx$' \
        -e 'libverd.so.0 -rwxr-xr-x$' || fail "these modes are the umask's"
}

# A program that asks pkg-config alone. $1: the installation's prefix; the rest is for the linker
build_with() {
    flags=$(PKG_CONFIG_PATH=$1/lib/pkgconfig pkg-config --cflags --libs verd) || fail "pkg-config"
    shift
    eval "quiet cc -o '$work/program' tests/examples/one.c $flags $*"
}

quiet make -j2
expect=$(find . | grep -v '^./build' | sort)

# A place that is there, with a directory that others use; twice, as an upgrade is.
mkdir -p "$work/there/lib"
chmod -R go+rX "$work/there"
before=$(contents "$work/there")
for time in first second; do
    quiet make install PREFIX="$work/there"
    expect_installed "$work/there"
done
if command -v pkg-config > /dev/null; then
    build_with "$work/there"
    [ "$("$work/program")" = "$version" ] || fail "the program has not version $version"
    PKG_CONFIG_PATH=$work/there/lib/pkgconfig
    export PKG_CONFIG_PATH
    [ "$(pkg-config --modversion verd)" = "$version" ] || fail "verd.pc has not version $version"
    pkg-config --cflags verd | grep -q -e -fstack-clash-protection || fail "verd.pc is not safe"
    for variable in prefix=/p exec_prefix=/p libdir=/p/lib includedir=/p/include; do
        found=$(pkg-config --define-variable=prefix=/p --variable="${variable%%=*}" verd)
        [ "$found" = "${variable#*=}" ] || fail "verd.pc: $variable is $found"
    done
fi
# C++ has no word against the headers, from wherever they come.
echo '#include <verd.h>' > "$work/empty.cc"
quiet "${VERD_CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror "-I$work/there/include" -fsyntax-only "$work/empty.cc"
touch "$work/there/include/verd/users.h"
quiet make uninstall PREFIX="$work/there"
[ -e "$work/there/include/verd/users.h" ] || fail "a file of somebody else's was removed"
rm -r "$work/there/include"
[ "$(contents "$work/there")" = "$before" ] || fail "uninstalled: $(contents "$work/there")"

# Relative, with spaces, staged, and with the shared library.
quiet make -j2 SHARED=1
[ -e libverd.so.0 ] || fail "no ./libverd.so.0"
mkdir "$work/stage"
quiet make install DESTDIR="$work/stage" PREFIX="it's here/v 0"
place="$work/stage$PWD/it's here/v 0"
expect_installed "$place"
[ "$(readlink "$place/lib/libverd.so")" = libverd.so.0 ] || fail "libverd.so is not libverd.so.0"
grep -qFx "prefix=$PWD/it's here/v 0" "$place/lib/pkgconfig/verd.pc" || fail "no prefix with spaces"
quiet make uninstall DESTDIR="$work/stage" PREFIX="it's here/v 0"
[ -z "$(ls -A "$work/stage")" ] || fail "left: $(find "$work/stage")"

# For the whole system.
quiet make install DESTDIR="$work/stage" PREFIX=/usr/local
[ -f "$work/stage$script" ] || fail "no $script where the programs say: $(find "$work/stage")"
quiet make uninstall DESTDIR="$work/stage" PREFIX=/usr/local
[ -z "$(ls -A "$work/stage")" ] || fail "left: $(find "$work/stage")"

quiet make install PREFIX='a place'
if command -v pkg-config > /dev/null; then
    build_with "$PWD/a place" "-Wl,-rpath,'$PWD/a place/lib'"
    [ "$("$work/program")" = "$version" ] || fail "the shared library has not version $version"
fi
quiet make uninstall PREFIX='a place'
[ ! -e 'a place' ] || fail "left: $(find 'a place')"
rm -f libverd.so.0
[ "$(find . | grep -v '^./build' | sort)" = "$expect" ] || fail "something was left in the tree"

# The header is where the version is.
sed -i 's/^#define VERD_VERSION_MAJOR .*/#define VERD_VERSION_MAJOR 7/' include/verd/version.h
quiet make -j2 SHARED=1
quiet make install PREFIX="$work/seven"
[ "$(readlink "$work/seven/lib/libverd.so")" = libverd.so.7 ] || fail "libverd.so is not libverd.so.7"
grep -qx "Version: 7\.${version#*.}" "$work/seven/lib/pkgconfig/verd.pc" || fail "not version 7"
