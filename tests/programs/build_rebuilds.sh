#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is built with something else than it was built with is built again, and nothing else is; and no
# build takes another's place.
set -eu
. tests/support/small-tree

plain=build/$(uname -m)-release
object=$plain/obj/core/os/optional.c.o

# A compiler that is replaced by another of its name, and a header that may be there.
real=$(command -v cc)
mkdir "$work/bin" "$work/include"
install_compiler() {
    printf '#!/bin/sh\ncase $* in *--version*) echo %s ;; esac\nexec %s "$@"\n' "$1" "$real" \
        > "$work/bin/cc"
    chmod +x "$work/bin/cc"
}
install_compiler first
PATH=$work/bin:$PATH
flags=-I$work/include
cat > core/os/optional.c << 'END'
#if __has_include(<optional.h>)
#include <optional.h>
#endif
extern int verd_optional;
END

build() {
    touch "$work/begun"
    make -s CPPFLAGS="$flags" "$@" > "$work/log" 2>&1 || fail "make $*: $(cat "$work/log")"
}

is_built_anew() {
    [ -n "$(find "$1" -newer "$work/begun")" ]
}

expect_nothing_to_do() {
    build "$@"
    ! find build -name '*.[oa]' -newer "$work/begun" | grep . || fail "built twice: make $*"
}

# $1: what has changed
expect_built_again() {
    build
    is_built_anew "$object" || fail "an object outlives $1"
    is_built_anew $plain/libverd.a || fail "the archive outlives $1"
    expect_nothing_to_do
}

build
expect_nothing_to_do
expect_nothing_to_do WERROR=-Werror
flags="$flags -DMORE='\"it is\"'"
expect_built_again "its flags"
install_compiler second
expect_built_again "its compiler"
touch "$work/include/optional.h"
echo '#define OPTIONAL 1' > "$work/include/optional.h"
expect_built_again "the coming of a header"
echo '#define OPTIONAL 2' > "$work/include/optional.h"
touch -d 2020-01-01 "$work/include/optional.h" # as packages have it
expect_built_again "a header that was replaced"
sed -i 's/^#define VERD_VERSION_PATCH .*/#define VERD_VERSION_PATCH 99/' include/verd/version.h
build examples
[ "$($plain/examples/one | sed 's/.*\.//')" = 99 ] || fail "an example outlives the version"

# What lies between a source and a program stays, whatever make thinks of it.
[ -e $plain/obj/tests/examples/one.c.o ] || fail "an example's object was removed"
expect_nothing_to_do examples

rm core/os/optional.c
build
! ar t $plain/libverd.a | grep optional || fail "the archive keeps a file that is gone"

# What is asked for is built before it runs, whatever else is asked for.
echo 'exit 0' > tests/programs/one.sh
chmod +x tests/programs/one.sh
for asked in "" "PROGRAM=one"; do
    make -n test FILTER='one/*' $asked > "$work/log" 2>&1 || fail "$(cat "$work/log")"
    grep -q -- "-o $plain/suite" "$work/log" || fail "FILTER $asked runs an old suite"
done

# The archive of the top level is the plain build's.
cmp libverd.a $plain/libverd.a
build CONFIG=debug
build CONFIG=asan CC="$real"
build CC="$real"
cmp libverd.a $plain/libverd.a || fail "another build's archive took the plain one's place"
