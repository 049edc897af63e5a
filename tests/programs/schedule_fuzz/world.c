/* SPDX-License-Identifier: MIT */
/* One seed: actors that use all parts, are struck, and end. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define ACTORS 32
#define ACTS 16

static const struct part *const parts[] = {&fuzz_threads, &fuzz_locks,     &fuzz_queues,
                                           &fuzz_pools,   &fuzz_resources, &fuzz_io};
#define PARTS (sizeof parts / sizeof *parts)

bool planted;
static uint64_t lots, trace;
static verd_thread *actors[ACTORS]; /* NULL: has ended */
static size_t alive;

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

static void *play(void *result)
{
    verd_thread *threads[ACTORS];
    selves_begin();
    for (size_t i = 0; i < PARTS; i++)
        parts[i]->begin();
    for (size_t i = 0; i < ACTORS; i++)
        begin_actor(i);
    for (size_t i = 0; i < ACTORS; i++)
        threads[i] = actors[i];
    for (size_t i = 0; i < ACTORS; i++)
        end_actor(threads[i], &actors[i]);
    expect(alive == 0, "a link was not called");
    for (size_t i = 0; i < PARTS; i++)
        parts[i]->end();
    *(uint64_t *)result = trace;
    return NULL;
}

uint64_t fuzz_run(uint64_t seed)
{
    char text[32];
    pthread_t os_thread;
    uint64_t result = 0;
    snprintf(text, sizeof text, "%" PRIu64, seed);
    setenv("VERD_SCHEDULE_SEED", text, 1);
    clock_reset();
    lots = seed;
    trace = UINT64_C(0xcbf29ce484222325);
    alive = 0;
    expect(pthread_create(&os_thread, NULL, play, &result) == 0, "pthread_create");
    pthread_join(os_thread, NULL);
    return result;
}
