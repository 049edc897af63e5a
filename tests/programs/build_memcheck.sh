#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where memcheck runs the suite, each test in a fork of one process, tests pass, fail and skip as with Criterion, and
# those in which memcheck finds something fail.
set -eu
here=$PWD
. tests/support/small-tree
command -v valgrind > /dev/null || { echo "skipped: there is no valgrind"; exit 77; }

cp -R "$here/tests/support/forked" "$here"/tests/support/left_out.[ch] "$here"/tests/support/process.[ch] tests/support/
mkdir tests/small
cat > tests/small/small.c << 'EOF'
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int begun;

static void begin(void)
{
    begun++;
}

static void end(void)
{
    cr_assert_eq(begun, 1, "at its end");
}

TestSuite(good, .init = begin, .fini = end);

Test(good, begins) { cr_assert_eq(begun, 1); }

ParameterizedTestParameters(good, has_parameters)
{
    int *numbers = cr_malloc(3 * sizeof *numbers);
    for (int i = 0; i < 3; i++)
        numbers[i] = i;
    return cr_make_param_array(int, numbers, 3);
}

ParameterizedTest(const int *number, good, has_parameters) { cr_assert(*number < 3 && begun == 1); }

Test(none, lacks_something) { cr_skip_test("there is no %s", "something"); }
Test(none, is_left_out) { abort(); }

Test(bad, ends_badly, .fini = end) {}
Test(bad, expects) { cr_expect_str_eq("one", "two", "as %d", 12); }
Test(bad, crashes) { raise(SIGSEGV); }
Test(bad, hangs, .timeout = 2) { pause(); }
Test(bad, exits) { exit(0); }

Test(bad, fails_in_a_child)
{
    if (fork() == 0)
        cr_assert_fail("there");
    wait(NULL);
}

Test(bad, leaks)
{
    void *volatile lost = malloc(12345);
    lost = NULL;
}

Test(bad, asks_what_was_not_written)
{
    volatile int value[1];
    if (*value == 12345)
        kill(getpid(), 0);
}
EOF
echo "memcheck none/is_left_out it would abort" >> tests/support/left-out

says() {
    grep -q -e "$1" "$work/out" || fail "does not say '$1': $(cat "$work/out")"
}

! make -s test CONFIG=memcheck FILTER='*' > "$work/out" 2>&1 < /dev/null || fail "passes: $(cat "$work/out")"
says ': 4 passed, 8 failed, 2 skipped'
says '^\[SKIP\] none::lacks_something: there is no something$'
says '^\[SKIP\] none::is_left_out: it would abort$'
says '^\[----\] bad::ends_badly: .*small.c:17: failed: begun == 1: at its end$'
says '^\[FAIL\] bad::ends_badly: 1 failures'
says '^\[----\] bad::expects: .*: as 12$'
says '^\[FAIL\] bad::crashes: signal 11'
says '^\[FAIL\] bad::hangs: out of time'
says '^\[FAIL\] bad::exits: it has not come to its end'
says '^\[FAIL\] bad::fails_in_a_child: 1 failures'
says '^\[FAIL\] bad::leaks: status 99'
says '12,345 bytes in 1 blocks are definitely lost'
says '^\[FAIL\] bad::asks_what_was_not_written: status 99'
says "CONFIG=memcheck HUB=epoll FILTER='bad/leaks'"
make -s test CONFIG=memcheck FILTER='good/*' > "$work/out" 2>&1 < /dev/null || fail "fails: $(cat "$work/out")"
says ': 4 passed, 0 failed, 0 skipped'
