/* SPDX-License-Identifier: MIT */
/*
 * Every allocation and every system call of the library fails in turn: a clean error, nothing lost,
 * nothing leaked.
 *
 * Each scenario (fault/scenario.h) is played first without a fault, to count the calls; then once for
 * each call that was counted and each errno as which it may fail (fault/hooks.c), in a child process of
 * its own. There it is played three times: to warm up, with the fault, and once more without, which must
 * succeed. In the end the library must hold what it holds when there was no fault.
 *
 *     fault_injection [SCENARIO]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/process.h"
#include "fault/scenario.h"

#define PLAYS 3
#define SECONDS 60               /* that a run may take: only to end those that hang */
#define PATIENCE (10 * VERD_SEC) /* until what other OS threads hold is given back; likewise */

#define LINES 12 /* of a failed run's stderr, to be shown */

/* What a run tells its parent. */
struct report {
    int errors[PLAYS];
    struct holdings holdings; /* in the end */
};

/* A run: the scenario, in which of its plays faults are armed, and what is to be held in the end. */
struct run {
    const struct scenario *scenario;
    int armed;
    const struct holdings *expected; /* NULL: not known yet */
};

static struct report *report; /* shared with the children */
static FILE *output;          /* of a child's stderr */
static unsigned runs, struck, failures;

void must_hold(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    fflush(stderr);
    _exit(2);
}

/* Less may be held: what the library does without, where it cannot have it. And what cannot be unmapped
 * stays. */
static bool leaks(const struct holdings *held, const struct holdings *expected)
{
    bool stays = faults->target != NULL && strcmp(faults->target->name, "munmap") == 0;
    return held->blocks > expected->blocks || (held->mapped > expected->mapped && !stays) ||
           held->descriptors != expected->descriptors;
}

/* What is held once other OS threads are through with what they do. */
static struct holdings settled(const struct holdings *expected)
{
    verd_duration end = verd_now() + PATIENCE;
    struct holdings now = holdings();
    while (expected != NULL && leaks(&now, expected) && verd_now() < end) {
        verd_sleep(VERD_MS);
        now = holdings();
    }
    return now;
}

static void *do_nothing(void *arg)
{
    return arg;
}

/* What is made once, at the first wait for a descriptor and at the first for another OS thread, is held in the end
 * of every run, whether or not there was one before. */
static void wait_for_nothing(void)
{
    verd_timeout timeout;
    char byte;
    int fds[2];
    must(verd_pipe(fds) == 0);
    verd_timeout_begin(&timeout, 1);
    must(verd_read(fds[0], &byte, 1) < 0 && errno == ETIMEDOUT);
    verd_timeout_end(&timeout);
    must(verd_close(fds[0]) == 0 && verd_close(fds[1]) == 0);
    must(verd_offload(do_nothing, NULL, NULL) == 0);
}

static _Noreturn void play(const struct run *run)
{
    alarm(SECONDS);
    dup2(fileno(output), STDERR_FILENO);
    for (int i = 0; i < PLAYS; i++) {
        if (i == run->armed)
            faults_arm();
        report->errors[i] = run->scenario->play();
        faults_disarm();
        if (run->expected == NULL)
            verd_sleep(20 * VERD_MS);
    }
    wait_for_nothing();
    report->holdings = settled(run->expected);
    _exit(0);
}

static int play_in_child(const struct run *run)
{
    int status = -1;
    memset(report, 0, sizeof *report);
    memset(faults->counts, 0, sizeof faults->counts);
    faults_disarm();
    if (ftruncate(fileno(output), 0) != 0)
        exit(1);
    rewind(output);
    pid_t child = fork();
    if (child == 0)
        play(run);
    real_waitpid(child, &status, 0); /* as libc's would count */
    runs++;
    return status;
}

static bool is_allowed(const struct scenario *scenario, int error)
{
    const int *allowed = scenario->errors;
    while (*allowed != 0 && *allowed != error)
        allowed++;
    return error == 0 || *allowed == error;
}

/* Whether the child ended with the line that the scenario may end with. */
static bool died_as_allowed(const struct scenario *scenario, int status)
{
    char line[256] = "";
    if (scenario->last == NULL || !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
        return false;
    rewind(output);
    return fgets(line, sizeof line, output) != NULL && strstr(line, scenario->last) != NULL;
}

/* What is wrong with a run; NULL: nothing. */
static const char *judge(const struct run *run, int status)
{
    static char text[128];
    if (died_as_allowed(run->scenario, status))
        return NULL;
    if (status != 0) {
        snprintf(text, sizeof text, "wait status %#x", (unsigned)status);
        return text;
    }
    for (int i = 0; i < PLAYS; i++) {
        if (i == run->armed ? is_allowed(run->scenario, report->errors[i]) : report->errors[i] == 0)
            continue;
        snprintf(text, sizeof text, "play %d gave %s", i, strerrorname_np(report->errors[i]));
        return text;
    }
    const struct holdings *held = &report->holdings, *expected = run->expected;
    if (expected == NULL || !leaks(held, expected))
        return NULL;
    snprintf(text, sizeof text, "holds %+ld blocks, %+ld bytes mapped, %+d descriptors",
             held->blocks - expected->blocks, held->mapped - expected->mapped,
             held->descriptors - expected->descriptors);
    return text;
}

static void complain(const struct run *run, const char *what)
{
    char text[512];
    failures++;
    printf("%s, play %d", run->scenario->name, run->armed);
    if (faults->target != NULL)
        printf(", %s call %u fails as %s", faults->target->name, faults->call,
               faults->error < 0 ? "EAI" : strerrorname_np(faults->error));
    printf(": %s\n", what);
    rewind(output);
    for (int lines = 0; lines < LINES && fgets(text, sizeof text, output) != NULL; lines++)
        printf("    %s", text);
}

static void run_with_fault(const struct run *run, struct fault *fault, unsigned call, int error)
{
    faults->target = fault;
    faults->call = call;
    faults->error = error;
    atomic_store(&faults->struck, false);
    const char *wrong = judge(run, play_in_child(run));
    fault->strikes += faults->struck;
    struck += faults->struck;
    if (wrong != NULL)
        complain(run, wrong);
}

/* Of what is called as often as this, it is one place that calls: some of the calls stand for all. Where
 * all would take minutes, the first call and the first errno have to do. */
#define OFTEN 16

static void run_with_each_fault(const struct run *run)
{
    struct fault_count counts[FAULTS_MAX];
    memcpy(counts, faults->counts, sizeof counts);
    for (const struct fault_count *count = counts; count->fault != NULL; count++) {
        struct fault *fault = count->fault;
        unsigned calls = process_is_emulated() ? 1 : count->calls;
        size_t errors = process_is_emulated() || UNDER_SANITIZER ? 1 : fault->error_count;
        for (unsigned call = 0; call < calls; call += call < OFTEN ? 1 : OFTEN) {
            for (size_t i = 0; i < errors; i++)
                run_with_fault(run, fault, call, fault->errors[i]);
        }
    }
}

/* Without a fault, to see what is called and held; then with each. */
static void run_scenario(const struct scenario *scenario, int armed)
{
    struct run run = {.scenario = scenario, .armed = armed};
    memset(faults, 0, sizeof *faults);
    const char *wrong = judge(&run, play_in_child(&run));
    if (wrong != NULL) {
        complain(&run, wrong);
        return;
    }
    struct holdings expected = report->holdings;
    run.expected = &expected;
    run_with_each_fault(&run);
}

static void run_table(const struct scenario *table, const char *wanted)
{
    for (const struct scenario *scenario = table; scenario->name != NULL; scenario++) {
        if (wanted != NULL && strcmp(wanted, scenario->name) != 0)
            continue;
        unsigned before = runs;
        if (scenario->first)
            run_scenario(scenario, 0);
        run_scenario(scenario, 1);
        printf("%-24s %5u runs\n", scenario->name, runs - before);
        fflush(stdout);
    }
}

/* Whether there is no use for a function here: the other hub's; where AddressSanitizer wants the guards of
 * stacks to be mappings, what makes others; or, where an emulator has neither preadv2 nor pwritev2, what follows on them. */
static bool is_out_of_use(const char *name)
{
    const char *hub = getenv("VERD_HUB");
    const char *other = hub != NULL && strcmp(hub, "poll") == 0 ? "epoll" : "ppoll";
    return strncmp(name, other, strlen(other)) == 0 ||
           (UNDER_SANITIZER && strcmp(name, "process_madvise") == 0) ||
           (process_is_emulated() &&
            (strcmp(name, "sigtimedwait") == 0 || strcmp(name, "cachestat") == 0));
}

/* The functions that no scenario has made fail. */
static unsigned count_spared(void)
{
    unsigned spared = 0;
    for (struct fault *const *fault = __start_fault_list; fault < __stop_fault_list; fault++) {
        if ((*fault)->strikes > 0 || is_out_of_use((*fault)->name))
            continue;
        printf("no scenario has had %s fail\n", (*fault)->name);
        spared++;
    }
    return spared;
}

static bool is_set(const char *variable, const char *value)
{
    const char *found = getenv(variable);
    return found != NULL && strcmp(found, value) == 0;
}

/* Each architecture, each hub and each sanitizer meets the faults once. */
static bool is_covered(void)
{
    return is_set("VERD_CONFIG", "debug") || is_set("VERD_CONFIG", "lto") ||
           (is_set("VERD_ARCH", "aarch64") && is_set("VERD_HUB", "poll"));
}

int main(int argc, char **argv)
{
#if defined(__clang__)
    if (UNDER_SANITIZER) {
        puts("clang's AddressSanitizer is linked into the program, and its calls would fail, too");
        return 77;
    }
#endif
    const char *wanted = argc > 1 ? argv[1] : NULL;
    if (is_covered()) {
        puts("fault_injection: skipped: the same in every build, tried in others");
        return 77;
    }
    if (process_descriptors_up_to(MOST_DESCRIPTORS) < MOST_DESCRIPTORS) {
        puts("fault_injection: skipped: the limit of descriptors is too low");
        return 77;
    }
    if (process_is_limited()) {
        puts("fault_injection: skipped: the address space is limited");
        return 77;
    }
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    faults_init();
    output = tmpfile();
    setvbuf(output, NULL, _IONBF, 0); /* others write to it */
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    run_table(sched_scenarios, wanted);
    run_table(sync_scenarios, wanted);
    run_table(pool_scenarios, wanted);
    run_table(net_scenarios, wanted);
    run_table(os_scenarios, wanted);
    run_table(serve_scenarios, wanted);
    run_table(posix_scenarios, wanted);
    run_table(ending_scenarios, wanted);
    run_table(pthread_scenarios, wanted);
    run_table(trace_scenarios, wanted);
    if (wanted == NULL)
        failures += count_spared();
    printf("%u runs, in %u of which a call failed; %u failures\n", runs, struck, failures);
    return failures == 0 && struck > 0 ? 0 : 1;
}
