/* SPDX-License-Identifier: MIT */
/*
 * Criterion's main, but every test without a time limit of its own gets VERD_TEST_TIMEOUT seconds,
 * so that a hang is a failure. Criterion 2.4 accepts --timeout and then ignores it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

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
