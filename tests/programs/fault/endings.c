/* SPDX-License-Identifier: MIT */
/* Threads that are gone in the midst of their waits: in the child of a fork, and with their OS thread. */
#include "scenario.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include "../../support/process.h"

struct world;

struct waiter {
    struct world *world;
    verd_thread *thread;
    bool has_ended;
};

#define WAITERS 10

/* What is waited for. All of it is there, whatever has failed. */
struct world {
    verd_queue *queue, *full;
    verd_pool *pool;
    verd_pile *pile;
    verd_resource_pool *resources;
    verd_mutex mutex;
    verd_cond cond;
    int pipe[2];
    void *lent; /* a resource that main has */
    struct waiter waiters[WAITERS];
};

/* ---- who waits ---- */

static void *nothing(void *arg)
{
    return arg;
}

static void wait_to_get(struct world *world)
{
    void *item;
    verd_queue_get(world->queue, &item);
}

static void wait_to_put(struct world *world)
{
    verd_queue_put(world->full, world);
}

static void wait_for_slot(struct world *world)
{
    verd_release(verd_pool_spawn(world->pool, nothing, world));
}

static void *have_result(void *arg)
{
    wait_to_get(arg);
    return arg;
}

static void wait_for_result(struct world *world)
{
    verd_pile_next(world->pile, NULL);
}

static void wait_for_resource(struct world *world)
{
    void *item;
    if (verd_resource_pool_get(world->resources, &item) == 0)
        verd_resource_pool_put(world->resources, item);
}

static void wait_at_condition(struct world *world)
{
    if (verd_mutex_lock(&world->mutex) != 0)
        return;
    verd_cond_wait(&world->cond, &world->mutex);
    verd_mutex_unlock(&world->mutex);
}

static void wait_to_read(struct world *world)
{
    char byte;
    verd_read(world->pipe[0], &byte, 1);
}

static void wait_for_time(struct world *world)
{
    verd_timeout timeout;
    (void)world;
    if (verd_timeout_begin(&timeout, 3600 * VERD_SEC) != 0)
        return;
    verd_sleep(VERD_FOREVER);
    verd_timeout_end(&timeout);
}

static void wait_for_one_of_several(struct world *world)
{
    void *item;
    verd_case cases[] = {VERD_GET(world->queue, &item), VERD_PUT(world->full, world)};
    verd_select(cases, 2);
}

/* An emulator cannot fork a process with several OS threads. */
static void wait_for_another(struct world *world)
{
    if (!process_is_emulated())
        verd_offload(nothing, world, NULL);
}

static void (*const waits[WAITERS])(struct world *) = {
    wait_to_get,       wait_to_put,  wait_for_slot, wait_for_result,         wait_for_resource,
    wait_at_condition, wait_to_read, wait_for_time, wait_for_one_of_several, wait_for_another,
};

static void *wait_as_one(void *arg)
{
    struct waiter *waiter = arg;
    waits[waiter - waiter->world->waiters](waiter->world);
    waiter->has_ended = true;
    return NULL;
}

/* ---- the world ---- */

static int make(void *ctx, void **item)
{
    *item = ctx;
    return 0;
}

static int begin_objects(struct world *world)
{
    static const verd_resource_options options = {.create = make, .max = 1};
    int error = 0;
    must(twice(&error, (world->queue = verd_queue_new(1)) != NULL ? 0 : -1));
    must(twice(&error, (world->full = verd_queue_new(0)) != NULL ? 0 : -1));
    must(twice(&error, (world->pool = verd_pool_new(1)) != NULL ? 0 : -1));
    must(twice(&error, (world->pile = verd_pile_new(world->pool)) != NULL ? 0 : -1));
    must(twice(&error, (world->resources = verd_resource_pool_new(&options)) != NULL ? 0 : -1));
    must(twice(&error, verd_pipe(world->pipe)));
    must(twice(&error, verd_pile_spawn(world->pile, have_result, world)));
    must(twice(&error, verd_resource_pool_get(world->resources, &world->lent)));
    return error;
}

static int begin_world(struct world *world)
{
    int error = begin_objects(world);
    for (int i = 0; i < WAITERS; i++) {
        struct waiter *waiter = &world->waiters[i];
        waiter->world = world;
        must(twice(&error, (waiter->thread = verd_spawn(wait_as_one, waiter)) ? 0 : -1));
    }
    verd_yield();
    verd_yield();
    return error;
}

static void end_world(struct world *world)
{
    for (int i = 0; i < WAITERS; i++) {
        must(verd_kill(world->waiters[i].thread) == 0);
        must(verd_join(world->waiters[i].thread, NULL) == 0 || errno == ESRCH);
    }
    must(verd_resource_pool_put(world->resources, world->lent) == 0);
    must(verd_resource_pool_free(world->resources) == 0);
    verd_queue_free(world->queue);
    verd_queue_free(world->full);
    must(verd_pool_wait_all(world->pool) == 0);
    verd_pile_free(world->pile);
    must(verd_pool_free(world->pool) == 0);
    must(real_close(world->pipe[0]) == 0 && real_close(world->pipe[1]) == 0);
}

/* ---- after those who waited ---- */

/* What is in memory of the user's, on whichever OS thread. */
static void use_what_is_left(struct world *world)
{
    must(verd_mutex_try_lock(&world->mutex) == 0 && verd_mutex_unlock(&world->mutex) == 0);
    must(verd_cond_signal(&world->cond) == 0 && verd_cond_broadcast(&world->cond) == 0);
}

static void meet_the_gone(const struct world *world)
{
    for (int i = 0; i < WAITERS; i++) {
        const struct waiter *waiter = &world->waiters[i];
        int result = verd_wait(waiter->thread, NULL);
        must(waiter->has_ended ? result == 0 : result != 0 && errno == ESRCH);
    }
    must(verd_queue_getting(world->queue) == 0 && verd_queue_putting(world->full) == 0);
    must(verd_pool_running(world->pool) == 0 && verd_pool_waiting(world->pool) == 0);
    must(verd_resource_pool_waiting(world->resources) == 0);
}

static void nothing_at_all(void *arg)
{
    (void)arg;
}

/* It goes on with what is whole again. Returns the first error. */
static int go_on(struct world *world)
{
    char byte;
    void *item = NULL;
    int error = 0;
    must(twice(&error, verd_queue_put(world->queue, world)));
    must(verd_queue_get(world->queue, &item) == 0 && item == world);
    must(twice(&error, verd_write(world->pipe[1], "x", 1)));
    must(twice(&error, verd_read(world->pipe[0], &byte, 1)));
    must(twice(&error, verd_pool_spawn_n(world->pool, nothing_at_all, NULL)));
    must(verd_pool_wait_all(world->pool) == 0);
    must(verd_resource_pool_put(world->resources, world->lent) == 0);
    must(verd_resource_pool_free(world->resources) == 0);
    return error;
}

static _Noreturn void be_child(struct world *world)
{
    alarm(60); /* is not inherited */
    meet_the_gone(world);
    use_what_is_left(world);
    _exit(go_on(world));
}

static int fork_among_waits(void)
{
    struct world world = {0};
    int status = -1, error = begin_world(&world);
    pid_t child = fork();
    must(child >= 0);
    if (child == 0)
        be_child(&world);
    must(real_waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        abort();
    must(WIFEXITED(status));
    end_world(&world);
    return either(error, WEXITSTATUS(status));
}

/* ---- with their OS thread ---- */

struct life {
    struct world world;
    int error;
};

static void *live_and_end(void *arg)
{
    struct life *life = arg;
    life->error = begin_world(&life->world);
    return NULL;
}

static int end_among_waits(void)
{
    struct life life = {.error = -1};
    pthread_t os_thread;
    void *item;
    must(real_pthread_create(&os_thread, NULL, live_and_end, &life) == 0);
    pthread_join(os_thread, NULL);
    use_what_is_left(&life.world);
    must(verd_queue_try_get(life.world.queue, &item) != 0 && errno == EPERM);
    must(verd_pool_wait_all(life.world.pool) != 0 && errno == EPERM);
    must(verd_resource_pool_get(life.world.resources, &item) != 0 && errno == EPERM);
    must(real_close(life.world.pipe[0]) == 0 && real_close(life.world.pipe[1]) == 0);
    return life.error;
}

#define COMMON ENOMEM, EMFILE, ENFILE, EAGAIN, EIO, ENOSPC, ENOBUFS

const struct scenario ending_scenarios[] = {
    {"fork_among_waits", fork_among_waits, .errors = {COMMON},
     .last = "libverd: the child of a fork cannot make "},
    {"end_among_waits", end_among_waits, .errors = {COMMON}},
    {0},
};
