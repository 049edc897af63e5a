/* SPDX-License-Identifier: MIT */
/*
 * Criterion's main, but every test without a time limit of its own gets VERD_TEST_TIMEOUT seconds,
 * so that a hang is a failure. Criterion 2.4 accepts --timeout and then ignores it. And with VERD_THREADS=os it leaves
 * out what tests/support/not-carried says.
 */
#include <criterion/criterion.h>
#include <criterion/options.h>
#include <fnmatch.h>
#include <stdio.h>
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

/* Whether a line of the list is about the test, which it then says. */
static bool is_about(const char *line, const struct criterion_test *test)
{
    char name[256], pattern[256], reason[256];
    if (sscanf(line, "%255s %255[^\n]", pattern, reason) != 2 || pattern[0] == '#')
        return false;
    snprintf(name, sizeof name, "%s/%s", test->category, test->name);
    if (fnmatch(pattern, name, 0) != 0)
        return false;
    if (criterion_options.pattern == NULL ||
        fnmatch(criterion_options.pattern, name, FNM_EXTMATCH) == 0)
        fprintf(stderr, "[SKIP] %s::%s: %s\n", test->category, test->name, reason);
    return true;
}

static void leave_out(struct criterion_test_set *tests, const char *line)
{
    FOREACH_SET (struct criterion_suite_set *suite, tests->suites) {
        FOREACH_SET (struct criterion_test *test, suite->tests) {
            if (is_about(line, test))
                test->data->disabled = true;
        }
    }
}

static void leave_out_listed(struct criterion_test_set *tests)
{
    char line[512];
    FILE *list = fopen("tests/support/not-carried", "r");
    while (list != NULL && fgets(line, sizeof line, list) != NULL)
        leave_out(tests, line);
    if (list != NULL)
        fclose(list);
}

int main(int argc, char *argv[])
{
    struct criterion_test_set *tests = criterion_initialize();
    const char *seconds = getenv("VERD_TEST_TIMEOUT");
    int status = EXIT_SUCCESS;

    limit_time(tests, seconds ? atof(seconds) : 60);
    if (criterion_handle_args(argc, argv, true)) {
        if (process_is_carried())
            leave_out_listed(tests);
        status = criterion_run_all_tests(tests) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    criterion_finalize(tests);
    return status;
}
