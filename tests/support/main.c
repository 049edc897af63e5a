/* SPDX-License-Identifier: MIT */
/*
 * Criterion's main, but every test without a time limit of its own gets VERD_TEST_TIMEOUT seconds,
 * so that a hang is a failure. Criterion 2.4 accepts --timeout and then ignores it. And it leaves out what
 * tests/support/left-out says.
 */
#include <criterion/criterion.h>
#include <criterion/options.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "left_out.h"
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

static void leave_out(struct criterion_test_set *tests)
{
    const char *pattern = criterion_options.pattern, *reason;
    char name[256];
    FOREACH_SET (struct criterion_suite_set *suite, tests->suites) {
        FOREACH_SET (struct criterion_test *test, suite->tests) {
            if ((reason = left_out(test->category, test->name)) == NULL)
                continue;
            test->data->disabled = true;
            snprintf(name, sizeof name, "%s/%s", test->category, test->name);
            if (pattern == NULL || fnmatch(pattern, name, FNM_EXTMATCH) == 0)
                fprintf(stderr, "[SKIP] %s::%s: %s\n", test->category, test->name, reason);
        }
    }
}

int main(int argc, char *argv[])
{
    struct criterion_test_set *tests = criterion_initialize();
    const char *seconds = getenv("VERD_TEST_TIMEOUT");
    int status = EXIT_SUCCESS;

    limit_time(tests, seconds ? atof(seconds) : 60);
    if (criterion_handle_args(argc, argv, true)) {
        leave_out(tests);
        status = criterion_run_all_tests(tests) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    criterion_finalize(tests);
    return status;
}
