/* SPDX-License-Identifier: MIT */
/* Runs each test of the suite in a fork of this process, several at a time: see criterion/criterion.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "left_out.h"

enum { JOBS_MAX = 64 };

/* What a test tells, from whichever of its processes; in memory that it shares with this one. */
struct report {
    atomic_int failures;
    atomic_bool skipped;
    atomic_bool ended;
};

/* A place for a test that runs. */
struct job {
    const struct forked_test *test; /* NULL: it is free */
    pid_t process;
    double begun;
    bool is_late; /* and has been killed */
    struct report *report;
};

static struct forked_test *tests;
static struct forked_suite *suites;
static struct job jobs[JOBS_MAX];
static unsigned job_count = 1, running;
static const char *pattern = "*";
static double most_seconds = 60;
static unsigned tested, passed, crashed;
static const struct forked_test *own_test; /* of a test's process, as is its job */
static struct report *own_report;
static sigset_t signals_before, child_ended;

void forked_add_test(struct forked_test *test)
{
    test->next = tests;
    tests = test;
}

void forked_add_suite(struct forked_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

/* ---- in a test's processes ---- */

/* One write, so that lines of tests that run at the same time do not mix. */
static void say(const char *before, const char *format, va_list arguments)
{
    char text[16384];
    int length = snprintf(text, sizeof text, "%s", before);
    length += vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    if (length > (int)sizeof text - 2)
        length = sizeof text - 2;
    text[length] = '\n';
    write(STDERR_FILENO, text, (size_t)length + 1);
}

static void say_failure(const char *file, int line, const char *what, const char *format,
                        va_list arguments)
{
    char before[1024];
    snprintf(before, sizeof before, "[----] %s::%s: %s:%d: failed: %.512s: ", own_test->suite,
             own_test->options.name, file, line, what);
    own_report->failures++;
    say(before, format, arguments);
}

void forked_note_failure(const char *file, int line, const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_failure(file, line, what, format, arguments);
    va_end(arguments);
}

/* It may be any thread's of any of the test's processes: what is below it is not returned through. */
void forked_fail(const char *file, int line, const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_failure(file, line, what, format, arguments);
    va_end(arguments);
    _exit(EXIT_FAILURE);
}

void forked_skip(const char *format, ...)
{
    char before[256];
    va_list arguments;
    va_start(arguments, format);
    snprintf(before, sizeof before, "[SKIP] %s::%s: ", own_test->suite, own_test->options.name);
    own_report->skipped = true;
    say(before, format, arguments);
    va_end(arguments);
    _exit(EXIT_SUCCESS);
}

static const struct forked_options *options_of_suite(const char *name)
{
    static const struct forked_options none;
    for (const struct forked_suite *suite = suites; suite != NULL; suite = suite->next) {
        if (strcmp(suite->options.name, name) == 0)
            return &suite->options;
    }
    return &none;
}

static void call(void (*function)(void))
{
    if (function != NULL)
        function();
}

static _Noreturn void be_test(const struct job *job, void *parameter)
{
    const struct forked_options *suite = options_of_suite(job->test->suite);
    own_test = job->test;
    own_report = job->report;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &signals_before, NULL);
    call(suite->init);
    call(own_test->options.init);
    own_test->body(parameter);
    call(own_test->options.fini);
    call(suite->fini);
    own_report->ended = true;
    exit(EXIT_SUCCESS);
}

/* ---- in the process that starts them ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void note_end(struct job *job, int status)
{
    const struct report *report = job->report;
    char why[64] = "";
    if (job->is_late)
        snprintf(why, sizeof why, "out of time");
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "signal %d", WTERMSIG(status));
    else if (report->failures != 0)
        snprintf(why, sizeof why, "%d failures", report->failures);
    else if (WEXITSTATUS(status) != 0)
        snprintf(why, sizeof why, "status %d", WEXITSTATUS(status));
    else if (!report->ended && !report->skipped)
        snprintf(why, sizeof why, "it has not come to its end");

    const char *suite = job->test->suite, *name = job->test->options.name;
    bool failed = why[0] != '\0';
    tested += failed || !report->skipped;
    passed += !failed && !report->skipped;
    crashed += !job->is_late && WIFSIGNALED(status);
    if (failed)
        fprintf(stderr, "[FAIL] %s::%s: %s, process %d (%.2f s)\n", suite, name, why, job->process,
                now() - job->begun);
    else if (!report->skipped)
        fprintf(stderr, "[PASS] %s::%s: (%.2f s)\n", suite, name, now() - job->begun);
    job->test = NULL;
    running--;
}

static void end_late(struct job *job)
{
    double seconds = job->test->options.timeout;
    if (seconds == 0)
        seconds = options_of_suite(job->test->suite)->timeout;
    if (seconds == 0)
        seconds = most_seconds;
    if (job->is_late || now() - job->begun < seconds)
        return;
    job->is_late = true;
    kill(job->process, SIGKILL);
}

/* Notes who has ended, and waits a while if nobody has. */
static void await(void)
{
    static const struct timespec while_ = {0, 100 * 1000 * 1000};
    unsigned before = running;
    int status;
    for (struct job *job = jobs; job < jobs + job_count; job++) {
        if (job->test != NULL && waitpid(job->process, &status, WNOHANG) == job->process)
            note_end(job, status);
        else if (job->test != NULL)
            end_late(job);
    }
    if (running == before)
        sigtimedwait(&child_ended, NULL, &while_);
}

static void start(const struct forked_test *test, void *parameter)
{
    struct job *job = jobs;
    while (running == job_count)
        await();
    while (job->test != NULL)
        job++;
    struct report *report = job->report;
    memset(report, 0, sizeof *report);
    fprintf(stderr, "[RUN ] %s::%s\n", test->suite, test->options.name);
    *job = (struct job){.test = test, .begun = now(), .report = report};
    job->process = fork();
    if (job->process == 0)
        be_test(job, parameter);
    if (job->process < 0) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    running++;
}

/* Its parameters stay reachable for good, or they would be a leak of each test after it. */
static void run(struct forked_test *test)
{
    const char *reason = left_out(test->suite, test->options.name);
    if (reason != NULL) {
        fprintf(stderr, "[SKIP] %s::%s: %s\n", test->suite, test->options.name, reason);
    } else if (test->parameters == NULL) {
        start(test, NULL);
    } else {
        test->made = test->parameters();
        for (size_t i = 0; i < test->made.length; i++)
            start(test, (char *)test->made.params + i * test->made.size);
    }
}

/* As fnmatch(3), and @(one|other), which musl's has not. */
static bool matches(const char *wanted, const char *name)
{
    const char *open = strstr(wanted, "@("), *close = open != NULL ? strchr(open, ')') : NULL;
    if (close == NULL)
        return fnmatch(wanted, name, 0) == 0;
    for (const char *begin = open + 2, *end; begin <= close; begin = end + 1) {
        char one[1024];
        end = begin + strcspn(begin, "|)");
        snprintf(one, sizeof one, "%.*s%.*s%s", (int)(open - wanted), wanted, (int)(end - begin),
                 begin, close + 1);
        if (matches(one, name))
            return true;
    }
    return false;
}

static int run_all(void)
{
    struct report *reports = mmap(NULL, JOBS_MAX * sizeof *reports, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char name[256];
    for (unsigned i = 0; i < job_count; i++)
        jobs[i].report = &reports[i];
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, &signals_before);
    for (struct forked_test *test = tests; test != NULL; test = test->next) {
        snprintf(name, sizeof name, "%s/%s", test->suite, test->options.name);
        if (matches(pattern, name))
            run(test);
    }
    while (running > 0)
        await();
    fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: %u \n",
            tested, passed, tested - passed, crashed);
    return tested == passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int list_all(void)
{
    for (const struct forked_test *test = tests; test != NULL; test = test->next)
        printf("%s/%s\n", test->suite, test->options.name);
    return EXIT_SUCCESS;
}

/* The options that run-tests gives; of these, some are of how Criterion looks. */
int main(int argc, char *argv[])
{
    enum { FILTER = 1, JOBS, LIST, OTHER };
    static const struct option options[] = {
        {"filter", required_argument, NULL, FILTER}, {"jobs", required_argument, NULL, JOBS},
        {"list", no_argument, NULL, LIST},           {"short-filename", no_argument, NULL, OTHER},
        {"verbose", no_argument, NULL, OTHER},       {NULL, 0, NULL, 0},
    };
    const char *seconds = getenv("VERD_TEST_TIMEOUT");
    if (seconds != NULL)
        most_seconds = atof(seconds);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == FILTER)
            pattern = optarg;
        else if (option == JOBS)
            job_count = (unsigned)atoi(optarg);
        else if (option == LIST)
            return list_all();
        else if (option != OTHER)
            return EXIT_FAILURE;
    }
    job_count = job_count < 1 ? 1 : job_count > JOBS_MAX ? JOBS_MAX : job_count;
    return run_all();
}
