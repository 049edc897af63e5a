/* SPDX-License-Identifier: MIT */
/* One seed: actors that use all parts, are struck, and end. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define ACTORS 32
#define ACTS 16
#define ACTORS_OF_CHILD 8
#define MOMENTS 700 /* once in so many of them the process forks */

static const struct part *const parts[] = {&fuzz_threads,   &fuzz_locks, &fuzz_queues, &fuzz_pools,
                                           &fuzz_resources, &fuzz_io,    &fuzz_outside};
#define PARTS (sizeof parts / sizeof *parts - !outside) /* the last one is not always there */

bool planted;
static uint64_t lots, trace;
static verd_thread *actors[ACTORS]; /* NULL: has ended */
static size_t alive;
static unsigned forks_left; /* in this world */

/* splitmix64 */
static uint64_t draw(void)
{
    uint64_t z = lots += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

unsigned chance(unsigned sides)
{
    return (unsigned)(draw() % sides);
}

bool one_in(unsigned n)
{
    return chance(n) == 0;
}

/* FNV-1a, of eight bytes at once. */
void note(uint64_t what)
{
    trace = (trace ^ what) * UINT64_C(0x100000001b3);
}

void violated(const char *what)
{
    fuzz_failed(what, trace);
}

/* ---- actors ---- */

/* Someone is killed, perhaps the caller. */
static void strike(void)
{
    verd_thread *victim = actors[chance(ACTORS)];
    if (victim != NULL)
        expect(verd_kill(victim) == 0, "verd_kill");
}

static verd_duration some_time(void)
{
    static const verd_duration most[] = {1, 50 * VERD_US, 200 * VERD_US, VERD_MS, 5 * VERD_MS};
    return chance((unsigned)most[chance(sizeof most / sizeof *most)]);
}

/* What others share may never come to this actor: so there is always an end to its patience. */
static void share(const struct part *part)
{
    struct scope outer, inner;
    bool nested = one_in(3);
    scope_begin(&outer, some_time());
    if (nested)
        scope_begin(&inner, one_in(4) ? VERD_FOREVER : some_time());
    part->share();
    if (nested)
        scope_end(&inner);
    for (unsigned i = chance(4); i > 0; i--)
        part->share();
    scope_end(&outer);
}

static void play_scene(const struct part *part)
{
    struct scope scope;
    bool hurried = one_in(2), shielded = one_in(6);
    if (hurried)
        scope_begin(&scope, some_time());
    if (shielded)
        shield_begin();
    part->scene();
    if (shielded)
        shield_end();
    if (hurried)
        scope_end(&scope);
}

static void *act(void *arg)
{
    for (int i = 0; i < ACTS && !(verd_killed() && one_in(3)); i++) {
        const struct part *part = parts[chance(PARTS)];
        if (part->share != NULL && one_in(2))
            share(part);
        else
            play_scene(part);
        if (one_in(20))
            strike();
        if (one_in(3))
            linger();
    }
    return arg;
}

static void leave(verd_thread *thread, void *place)
{
    expect(*(verd_thread **)place == thread, "a link was called for another thread");
    *(verd_thread **)place = NULL;
    alive--;
}

static void begin_actor(size_t i)
{
    actors[i] = verd_spawn(act, &actors[i]);
    expect(actors[i] != NULL && verd_link(actors[i], leave, &actors[i]) == 0, "no memory");
    alive++;
}

static void end_actor(verd_thread *actor, void *place)
{
    void *result = NULL;
    int joined = verd_join(actor, &result);
    expect(joined == 0 ? result == place : errno == ESRCH, "the end of an actor");
}

static void run_actors(size_t count)
{
    verd_thread *threads[ACTORS];
    for (size_t i = 0; i < count; i++)
        begin_actor(i);
    for (size_t i = 0; i < count; i++)
        threads[i] = actors[i];
    for (size_t i = 0; i < count; i++)
        end_actor(threads[i], &actors[i]);
    expect(alive == 0, "a link was not called");
    forks_left = 0;
    for (size_t i = 0; i < PARTS; i++)
        parts[i]->end();
}

static void begin_parts(void)
{
    selves_begin();
    for (size_t i = 0; i < PARTS; i++)
        parts[i]->begin();
}

static void *play(void *result)
{
    begin_parts();
    run_actors(ACTORS);
    *(uint64_t *)result = trace;
    return NULL;
}

/* ---- the child of a fork ---- */

/* Their links are not called, and nobody gets a result of them. */
static void meet_the_gone(void)
{
    for (size_t i = 0; i < ACTORS; i++) {
        verd_thread *gone = actors[i];
        if (gone != NULL && gone != verd_self()) {
            expect(verd_wait(gone, NULL) != 0 && errno == ESRCH, "one who is gone has ended");
            expect(verd_join(gone, NULL) != 0 && errno == ESRCH, "one who is gone has ended");
        }
        expect(actors[i] == gone, "a link was called for one who is gone");
        actors[i] = NULL;
    }
    alive = 0;
}

static _Noreturn void go_on_as_child(int report)
{
    forks_left = 0;
    shield_begin();
    meet_the_gone();
    for (size_t i = 0; i < PARTS; i++)
        parts[i]->forked();
    run_actors(ACTORS_OF_CHILD);
    expect(write(report, &trace, sizeof trace) == sizeof trace, "write");
    _exit(0);
}

void fork_at_times(void)
{
    int ends[2], status = -1;
    uint64_t childs_trace = 0;
    if (forks_left == 0 || !one_in(MOMENTS))
        return;
    forks_left--;
    expect(pipe(ends) == 0, "no descriptors");
    pid_t child = fork();
    expect(child >= 0, "fork");
    if (child == 0)
        go_on_as_child(ends[1]);
    close(ends[1]);
    ssize_t n = read(ends[0], &childs_trace, sizeof childs_trace);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
        _exit(1); /* it has said why */
    expect(status == 0 && n == sizeof childs_trace, "the child of a fork has died");
    note(childs_trace);
}

/* ---- a world that is cut ---- */

/* Its OS thread has a few turns, and ends, whatever the others are at. */
static void *play_and_end(void *result)
{
    begin_parts();
    for (size_t i = 0; i < ACTORS; i++)
        begin_actor(i);
    for (unsigned turns = 1 + chance(200); turns > 0; turns--) {
        verd_yield();
        if (one_in(3))
            linger();
    }
    *(uint64_t *)result = trace;
    return NULL;
}

static void *come_later(void *arg)
{
    verd_yield(); /* has a scheduler of its own */
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i]->left != NULL)
            parts[i]->left();
    }
    return arg;
}

static void on_os_thread(void *(*fn)(void *), void *arg)
{
    pthread_t os_thread;
    expect(pthread_create(&os_thread, NULL, fn, arg) == 0, "pthread_create");
    pthread_join(os_thread, NULL);
}

/* ---- seeds ---- */

bool is_emulated(void)
{
    const char *libraries = getenv("QEMU_LD_PREFIX");
    return libraries != NULL && libraries[0] != '\0';
}

static void begin_seed(uint64_t seed)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, seed);
    setenv("VERD_SCHEDULE_SEED", text, 1);
    clock_reset();
    lots = seed;
    trace = UINT64_C(0xcbf29ce484222325);
    alive = 0;
    forks_left =
        outside && is_emulated() ? 0 : 1; /* qemu dies in the child that starts OS threads */
}

uint64_t fuzz_run(uint64_t seed)
{
    uint64_t result = 0;
    begin_seed(seed);
    on_os_thread(play, &result);
    return result;
}

uint64_t fuzz_run_cut(uint64_t seed)
{
    uint64_t result = 0;
    begin_seed(seed);
    on_os_thread(play_and_end, &result);
    on_os_thread(come_later, NULL);
    return result;
}
