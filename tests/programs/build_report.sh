#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A run of the tests tells how far it is, what has failed and how to run that again; and it does not
# pass off an earlier run's numbers as its own.
set -eu
. tests/support/small-tree

mkdir tests/small
cat > tests/small/small.c << 'END'
#include <criterion/criterion.h>

Test(small, passes) {}
Test(small, fails) { cr_assert_fail("as it has to"); }
Test(small, lacks_something) { cr_skip_test("there is no something"); }
END
echo 'echo "what is wrong"; exit 3' > tests/programs/fails.sh
echo 'echo "there is no other thing"; exit 77' > tests/programs/lacks.sh
echo 'until grep -q ", 2 of 3 programs, in programs/waits" ../out; do sleep 0.1; done' \
    > tests/programs/waits.sh

says() {
    grep -q -e "$1" "$work/out" || fail "does not say '$1': $(cat "$work/out")"
}

arch=$(uname -m)
plain=$arch:release:cc:epoll
status=0
command -v script > /dev/null || { echo "skipped: there is no script to be a terminal"; exit 77; }
VERD_TELL_EVERY=0.2 script -qec "tests/support/run-builds $plain $arch:fast:cc:poll" /dev/null \
    > "$work/out" 2>&1 < /dev/null || status=$?
sed -i 's/\r$//' "$work/out"
[ $status -eq 1 ] || fail "status $status: $(cat "$work/out")"
says '^CC tests/small/small.c$'
says '1 of 2 builds: '
says ' 3 of 3 tests, 2 of 3 programs, in programs/waits$'
says '^\[SKIP\] small::lacks_something: there is no something'
says '^\[SKIP\] programs/lacks: there is no other thing'
says '^what is wrong'
says "^$arch-release-epoll *2 passed *2 failed *2 skipped"
[ "$(tail -n 1 "$work/out")" = '2 passed, 3 failed' ] || fail "ends with $(tail -n 1 "$work/out")"

# Each command there runs just what has failed, which fails again.
sed '1,/^What failed, and how/d' "$work/out" | sed -n 's/.* \(make test .*\)/\1/p' > "$work/again"
[ "$(wc -l < "$work/again")" -eq 3 ] || fail "not three commands: $(cat "$work/out")"
while read -r command; do
    status=0
    eval "$command" > "$work/out" 2>&1 < /dev/null || status=$?
    [ $status -eq 2 ] || fail "$command: status $status: $(cat "$work/out")"
    case $command in
    *FILTER=*) says ': 0 passed, 1 failed' && says 'as it has to' ;;
    *PROGRAM=*) says ': 0 passed, 1 failed' && says 'what is wrong' ;;
    *) says 'CONFIG=fast: expected' ;;
    esac
done < "$work/again"

# After `make deps`, what it installs has to be there, and what it fetches has to run.
cp -R . "$work/promised"
for step in .ci/deps tests/support/sysroot; do
    echo '#!/bin/sh' > "$work/promised/$step"
done
make -s test PROGRAM=lacks > "$work/out" 2>&1 || fail "a program that skips: $(cat "$work/out")"
! make -s -C "$work/promised" deps test PROGRAM=lacks > "$work/out" 2>&1 || fail 'skips what is promised'
says 'there is no other thing, which make deps has promised'
VERD_PROMISED=deps tests/support/run-builds "$plain:lacks" > "$work/out" 2>&1 &&
    fail 'a check skips what is promised'
says 'there is no other thing, which make deps has promised'
echo 'echo "a server is not installed: make deps-world"; exit 77' > tests/programs/lacks.sh
VERD_PROMISED=deps make -s test PROGRAM=lacks > "$work/out" 2>&1 || fail "only make deps: $(cat "$work/out")"
! VERD_PROMISED='deps deps-world' make -s test PROGRAM=lacks > "$work/out" 2>&1 ||
    fail 'skips what make deps-world has promised'
says 'a server is not installed: make deps-world, which make deps has promised'
elsewhere="env QEMU_LD_PREFIX=$work/nowhere VERD_ARCH=$arch VERD_CONFIG=release VERD_HUB=epoll \
    VERD_BUILD=build/$arch-release VERD_CC=cc tests/support/run-tests"
$elsewhere > "$work/out" 2>&1 || fail "an emulator that does not run: $(cat "$work/out")"
says 'cannot run: .* is not complete'
! VERD_PROMISED=yes $elsewhere > "$work/out" 2>&1 || fail 'an emulator is promised and does not run'

# Where nothing can be written: root, too, has to be somebody else for that.
somebody=
if [ "$(id -u)" -eq 0 ]; then
    command -v setpriv > /dev/null || exit 0
    somebody='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi
rm tests/programs/waits.sh
chmod -R go+rX "$work"
chmod -R a-w .
for command in "tests/support/run-builds $plain" 'make -s test PROGRAM=lacks' \
    "env VERD_ARCH=$arch VERD_CONFIG=release VERD_HUB=epoll VERD_BUILD=build/$arch-release VERD_CC=cc \
        tests/support/run-tests --program lacks"; do
    ! $somebody $command > "$work/out" 2>&1 || fail "$command: passes: $(cat "$work/out")"
    says 'cannot '
    ! grep -v '^make: \*\*\*' "$work/out" | sed 1d | grep . || fail "$command: more than one line"
    ! grep 'passed' "$work/out" || fail "$command: reports earlier numbers"
done

# Who may not install anything is told what to have installed.
mkdir "$work/bare"
for tool in bash uname id apt-get true; do
    ln -s "$(command -v $tool || command -v true)" "$work/bare/$tool"
done
chmod -R go+rX "$work/bare"
! $somebody env PATH="$work/bare" bash .ci/deps > "$work/out" 2>&1 || fail "deps without root"
says 'deps: no root and no sudo; install: .*libcriterion-dev'
[ "$(wc -l < "$work/out")" -eq 1 ] || fail "deps: more than one line: $(cat "$work/out")"
