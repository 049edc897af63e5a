/* SPDX-License-Identifier: MIT */
/*
 * Criterion's main, but every test without a time limit of its own gets VERD_TEST_TIMEOUT seconds,
 * so that a hang is a failure. Criterion 2.4 accepts --timeout and then ignores it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "process.h"

#if UNDER_TSAN
/* Criterion shares memory with its tests at an address that it draws at random, 16 MiB times this above
 * 0x2000'0000'0000. ThreadSanitizer leaves programs less: from 0x5500'0000'0000 to 0x5680'0000'0000. */
int rand_r(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return 0x350000 + (int)(*seed / 65536 % 0x18000);
}
#endif

static void limit_time(struct criterion_test_set *tests, double seconds)
{
    FOREACH_SET (struct criterion_suite_set *suite, tests->suites) {
        FOREACH_SET (struct criterion_test *test, suite->tests) {
            if (test->data->timeout == 0)
                test->data->timeout = seconds;
        }
    }
}

int main(int argc, char *argv[])
{
    struct criterion_test_set *tests = criterion_initialize();
    const char *seconds = getenv("VERD_TEST_TIMEOUT");
    int status = EXIT_SUCCESS;

    limit_time(tests, seconds ? atof(seconds) : 60);
    if (criterion_handle_args(argc, argv, true))
        status = criterion_run_all_tests(tests) ? EXIT_SUCCESS : EXIT_FAILURE;
    criterion_finalize(tests);
    return status;
}
