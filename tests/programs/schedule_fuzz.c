/* SPDX-License-Identifier: MIT */

/*
 * Everything that waits, mixed, in a thousand orders of running, against a model (schedule_fuzz/fuzz.h).
 *
 *   schedule_fuzz                 the test: all seeds, and that a failure can be found and repeated
 *   schedule_fuzz SEED...         runs these, and prints their traces: the same at each run
 *   schedule_fuzz planted SEED... the same with a bug in the load
 *   schedule_fuzz cut SEED...     the same where the OS thread ends in the midst
 *   schedule_fuzz outside SEED... the same where OS threads, processes and TCP take part: no two runs are the same
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/process.h"
#include "schedule_fuzz/fuzz.h"

#define SEEDS 1000
#define MOST_DESCRIPTORS 200
#define SEEDS_SLOWLY 100 /* emulated, watched by a sanitizer, or with many OS threads */
#define AGAIN 25         /* every so many seeds are run once more, alone */
#define OUTSIDE 10       /* of every so many, one is run with others that take part, and cut so */
#define CUT 4            /* of every so many seeds, one is also run to be cut */

/* What a child finds out; shared with it. */
struct finding {
    uint64_t seed; /* begun last */
    uint64_t traces[SEEDS];
    bool failed; /* the model says so */
    uint64_t trace;
    char what[256];
};

static struct finding *finding;
static bool cut; /* the OS thread of a run ends in the midst */

void fuzz_failed(const char *what, uint64_t trace)
{
    finding->failed = true;
    finding->trace = trace;
    snprintf(finding->what, sizeof finding->what, "%s", what);
    _exit(1);
}

/* Runs a range of seeds in a child process, which may fail or crash. Returns whether it did neither. */
static bool run_range(uint64_t first, uint64_t end)
{
    int status = -1;
    finding->failed = false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (uint64_t seed = first; seed < end; seed++) {
            finding->seed = seed;
            finding->traces[seed % SEEDS] = cut ? fuzz_run_cut(seed) : fuzz_run(seed);
        }
        if (cut)
            _exit(0); /* what an OS thread has left, leaks */
        exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void print_failure(const char *program)
{
    const char *hub = getenv("VERD_HUB");
    printf("seed %" PRIu64 ": %s, trace %016" PRIx64 "\n", finding->seed,
           finding->failed ? finding->what : "the process has died", finding->trace);
    printf("again: VERD_HUB=%s %s %s%s%s%" PRIu64 "\n", hub != NULL ? hub : "", program,
           planted ? "planted " : "", outside ? "outside " : "", cut ? "cut " : "", finding->seed);
}

static int run_all(const char *program, uint64_t count)
{
    uint64_t equal = 0;
    if (!run_range(0, count)) {
        print_failure(program);
        return 1;
    }
    for (uint64_t i = 1; i < count; i++)
        equal += finding->traces[i] == finding->traces[i - 1];
    if (equal == 0)
        return 0;
    puts("seeds make no difference");
    return 1;
}

/* A seed does the same in a process of its own as after hundreds of others: a difference that those others make
 * comes again with them. One that does not was the machine's, and is told. */
static bool repeats_itself(uint64_t seed, uint64_t count)
{
    uint64_t before = finding->traces[seed];
    bool lasts = run_range(seed, seed + 1);
    uint64_t alone = finding->traces[seed];
    if (lasts && alone == before)
        return true;
    printf("seed %" PRIu64 " does not repeat itself: trace %016" PRIx64 ", then %016" PRIx64 "\n",
           seed, before, alone);
    if (!lasts || !run_range(0, count) || finding->traces[seed] != alone)
        return false;
    printf("among the others, too, it is now %016" PRIx64 "\n", alone);
    return true;
}

static int run_some_again(uint64_t count)
{
    for (uint64_t seed = AGAIN - 1; seed < count; seed += AGAIN) {
        if (!repeats_itself(seed, count))
            return 1;
    }
    return 0;
}

/* A bug that is there is found, and then found again by its seed in the very same way. */
static int find_planted(uint64_t count)
{
    planted = true;
    if (run_range(0, count) || !finding->failed || strcmp(finding->what, "the planted bug") != 0) {
        puts("the planted bug was not found");
        return 1;
    }
    struct finding first = *finding;
    for (int i = 0; i < 2; i++) {
        if (!run_range(first.seed, first.seed + 1) && finding->failed &&
            finding->trace == first.trace && strcmp(finding->what, first.what) == 0)
            continue;
        printf("the planted bug does not repeat itself: seed %" PRIu64 "\n", first.seed);
        return 1;
    }
    planted = false;
    return 0;
}

/* An OS thread that ends in the midst leaves nothing to others but what is said, in the same way each time. */
static int cut_some(const char *program, uint64_t count)
{
    int result = 0;
    cut = true;
    if (!run_range(0, count / CUT)) {
        print_failure(program);
        result = 1;
    }
    if (result == 0)
        result = run_some_again(count / CUT);
    cut = false;
    return result;
}

/* With what is outside of the OS thread, in either way. */
static int run_outside(const char *program, uint64_t count)
{
    int result = 0;
    outside = true;
    for (int i = 0; i < 2 && result == 0; i++) {
        cut = i == 1;
        if (!run_range(0, count / OUTSIDE)) {
            print_failure(program);
            result = 1;
        }
    }
    outside = cut = false;
    return result;
}

static int run_given(const char *program, int count, char *const seeds[])
{
    for (int i = 0; i < count; i++) {
        uint64_t seed = strtoull(seeds[i], NULL, 10);
        if (!run_range(seed, seed + 1)) {
            print_failure(program);
            return 1;
        }
        printf("seed %" PRIu64 ": trace %016" PRIx64 "\n", seed, finding->traces[seed % SEEDS]);
    }
    return 0;
}

static uint64_t seeds_here(void)
{
    const char *config = getenv("VERD_CONFIG");
    bool slow = (config != NULL && strcmp(config, "asan") == 0) || is_emulated() ||
                getenv("VERD_THREADS") != NULL;
    return slow ? SEEDS_SLOWLY : SEEDS;
}

/* One of the words before the seeds. */
static bool set_way(const char *word)
{
    bool *way = strcmp(word, "planted") == 0   ? &planted
                : strcmp(word, "cut") == 0     ? &cut
                : strcmp(word, "outside") == 0 ? &outside
                                               : NULL;
    if (way != NULL)
        *way = true;
    return way != NULL;
}

int main(int argc, char *argv[])
{
    if (process_descriptors_up_to(MOST_DESCRIPTORS) < MOST_DESCRIPTORS) {
        puts("schedule_fuzz: skipped: the limit of descriptors is too low");
        return 77;
    }
    uint64_t count = seeds_here();
    finding =
        mmap(NULL, sizeof *finding, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (finding == MAP_FAILED)
        return 1;
    int words = 1;
    for (; words < argc && set_way(argv[words]); words++)
        ;
    if (argc > 1)
        return run_given(argv[0], argc - words, argv + words);
    return run_all(argv[0], count) != 0 || run_some_again(count) != 0 ||
           cut_some(argv[0], count) != 0 || run_outside(argv[0], count) != 0 ||
           find_planted(count) != 0;
}
