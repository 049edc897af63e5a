/* SPDX-License-Identifier: MIT */
/* What sanitizers are for, in green threads and in contexts of one's own: sanitizers.sh says what is to be reported of
 * each, and finds the lines by their marks. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd.h>

static pthread_barrier_t both;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter, guarded;
static void *volatile lost;
static int *volatile kept;
static volatile int one = 1;
static void (*give_way)(void);

/* Both OS threads at once: whatever they do before and behind it orders them. */
static __attribute__((noinline)) void race(void)
{
    pthread_barrier_wait(&both);
    for (int i = 0; i < 100; i++) {
        counter++; /* race */
        give_way();
    }
}

static __attribute__((noinline)) void leak(void)
{
    lost = malloc(12345);
    give_way();
    lost = NULL;
}

static __attribute__((noinline)) void write_behind(char *row, int length)
{
    row[length] = 'x'; /* overflow */
}

static __attribute__((noinline)) void overflow(void)
{
    char row[16] = "a row";
    give_way();
    write_behind(row, 16 * one);
    give_way();
}

static __attribute__((noinline)) void keep_local(void)
{
    int local = one;
    kept = &local;
    give_way();
}

static __attribute__((noinline)) void use_after_return(void)
{
    keep_local();
    give_way();
    counter += *kept; /* use_after_return */
}

static __attribute__((noinline)) void branch(const int *value)
{
    if (*value == 1) /* uninitialised */
        puts("it was 1");
}

static __attribute__((noinline)) void uninitialised(void)
{
    int value[2];
    value[1 - one] = give_way != NULL;
    give_way();
    branch(&value[one]);
}

static void *add_guarded(void *arg)
{
    pthread_mutex_lock(&mutex);
    guarded++;
    pthread_mutex_unlock(&mutex);
    return arg;
}

/* Nothing to report: large frames, deep ones and ones that are left for good, on stacks that are used again. */
static __attribute__((noinline)) int orderly_depth(int depth)
{
    char frame[500];
    memset(frame, depth, sizeof frame);
    give_way();
    return depth == 0 ? frame[0] : orderly_depth(depth - 1) + frame[sizeof frame - 1];
}

static __attribute__((noinline)) void orderly(void)
{
    orderly_depth(20);
    add_guarded(NULL);
    give_way();
}

static void (*work)(void) = orderly;

/* ---- in green threads, of two OS threads ---- */

static void *run(void *arg)
{
    verd_timeout limit;
    work();
    verd_timeout_begin(&limit, VERD_MS);
    verd_park();
    verd_timeout_end(&limit);
    verd_offload(add_guarded, NULL, NULL);
    return arg;
}

static void *wait_for_ever(void *arg)
{
    orderly_depth(3);
    verd_park();
    return arg;
}

static void *start(void *arg)
{
    verd_thread *waits[10];
    for (int i = 0; i < 3; i++)
        verd_join(verd_spawn(run, NULL), NULL);
    for (int i = 0; i < 10; i++)
        waits[i] = verd_spawn(wait_for_ever, NULL);
    verd_sleep(VERD_MS);
    for (int i = 0; i < 5; i++) {
        verd_kill(waits[i]);
        verd_join(waits[i], NULL);
    }
    return arg; /* with threads that wait */
}

static void play_in_threads(void)
{
    pthread_t threads[2];
    give_way = verd_yield;
    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, start, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

/* ---- in contexts, on memory that has been used for other things ---- */

enum { CONTEXTS = 3, STACK_SIZE = 64 * 1024 };
static verd_context home, contexts[CONTEXTS];
static int running;

static void go_home(void)
{
    verd_context_switch(&contexts[running], &home, &running);
}

static void run_context(void *value)
{
    work();
    verd_context_switch(&contexts[running], &home, value == &running ? NULL : value);
}

/* Round after round, until all have ended; on the same stacks again. */
static void play_in_contexts(void)
{
    give_way = go_home;
    char *stacks = malloc(CONTEXTS * STACK_SIZE);
    for (int times = 0; times < 3; times++) {
        int alive = CONTEXTS;
        for (int i = 0; i < CONTEXTS; i++)
            verd_context_make(&contexts[i], stacks + i * STACK_SIZE, STACK_SIZE, run_context);
        for (running = 0; alive > 0; running = (running + 1) % CONTEXTS) {
            if (contexts[running].sp == NULL)
                continue;
            if (verd_context_switch(&home, &contexts[running], &running) == NULL) {
                contexts[running].sp = NULL;
                alive--;
            }
        }
    }
    free(stacks);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } all[] = {
        {"race", race},
        {"leak", leak},
        {"overflow", overflow},
        {"use_after_return", use_after_return},
        {"uninitialised", uninitialised},
        {"orderly", orderly},
    };
    for (size_t i = 0; argc > 1 && i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(argv[1], all[i].name) == 0)
            work = all[i].fn;
    }
    if (argc > 2 && strcmp(argv[2], "context") == 0)
        play_in_contexts();
    else
        play_in_threads();
    puts("at its end");
    return 0;
}
