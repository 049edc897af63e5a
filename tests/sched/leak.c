/* SPDX-License-Identifier: MIT */

/* What threads allocate, and what is allocated for them, is freed however they end: of themselves, unstarted, with
 * their OS thread, and in the child of a fork. */
#include <criterion/criterion.h>
#include <pthread.h>

#include <verd.h>

#include "leak.h"
#include "process.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "stack/arena.h"

static verd_key key;

static void *give_back(void *arg)
{
    return arg;
}

static void ignore_end(verd_thread *thread, void *arg)
{
    (void)thread, (void)arg;
}

static void ignore_value(void *value)
{
    (void)value;
}

/* With more scopes than there is room for beside its stack, and locals. */
static void *wait_with_everything(void *arg)
{
    verd_timeout timeouts[8];
    for (int i = 0; i < 8; i++)
        verd_timeout_begin(&timeouts[i], VERD_SEC);
    verd_set(key, arg);
    verd_park();
    return arg;
}

/* Someone who waits, with a link; one who has not started, with one; and one whose time is to come. */
static void leave_some(verd_thread *threads[3])
{
    threads[0] = verd_spawn(wait_with_everything, &key);
    verd_yield();
    threads[1] = verd_spawn(give_back, NULL);
    threads[2] = verd_spawn_after(VERD_SEC, give_back, NULL);
    for (int i = 0; i < 3; i++)
        verd_link(threads[i], ignore_end, NULL);
}

static void end_by_kill(void)
{
    verd_thread *threads[3];
    leave_some(threads);
    for (int i = 0; i < 3; i++) {
        verd_kill(threads[i]);
        verd_join(threads[i], NULL);
    }
}

Test(leak, threads_that_are_killed_leave_nothing)
{
    verd_key_create(&key, ignore_value);
    leak_expect_none(end_by_kill);
}

static void end_of_themselves(void)
{
    verd_thread *waiting = verd_spawn(wait_with_everything, &key);
    verd_link(waiting, ignore_end, NULL);
    verd_link(waiting, ignore_end, &key);
    verd_yield();
    verd_unlink(waiting, ignore_end, &key);
    verd_unpark(waiting);
    verd_join(waiting, NULL);
    verd_join(verd_spawn_after(1, give_back, NULL), NULL);
}

Test(leak, threads_that_end_of_themselves_leave_nothing)
{
    verd_key_create(&key, ignore_value);
    leak_expect_none(end_of_themselves);
}

/* All of its scopes have ended. */
static void end_scopes(void *arg)
{
    verd_timeout timeouts[8];
    (void)arg;
    for (int i = 0; i < 8; i++)
        verd_timeout_begin(&timeouts[i], VERD_SEC);
    for (int i = 8; i-- > 0;)
        verd_timeout_end(&timeouts[i]);
}

static void *spawn_one_with_scopes(void *arg)
{
    verd_spawn_n(end_scopes, NULL);
    verd_yield();
    return arg;
}

static void on_os_thread(void *(*fn)(void *))
{
    pthread_t os_thread;
    pthread_create(&os_thread, NULL, fn, NULL);
    pthread_join(os_thread, NULL);
}

static void end_scopes_and_os_thread(void)
{
    on_os_thread(spawn_one_with_scopes);
}

Test(leak, a_thread_that_has_had_many_scopes_at_once_leaves_nothing)
{
    leak_expect_none(end_scopes_and_os_thread);
}

static void *leave_some_n(void *arg)
{
    verd_thread *threads[3];
    leave_some(threads);
    return arg;
}

static void end_with_os_thread(void)
{
    on_os_thread(leave_some_n);
}

Test(leak, threads_that_end_with_their_os_thread_leave_nothing)
{
    verd_key_create(&key, ignore_value);
    leak_expect_none(end_with_os_thread);
}

static size_t arenas(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    const struct verd__stack_class *class = &scheduler->stacks.classes[scheduler->default_class];
    size_t count = 0;
    for (const struct verd__arena *arena = class->arenas; arena != NULL;
         arena = arena->next != class->arenas ? arena->next : NULL)
        count++;
    return count;
}

/* Bound to a stack already. */
Test(leak, threads_that_are_killed_before_they_start_give_their_stacks_back)
{
    for (int i = 0; i < 1000; i++) {
        verd_thread *thread = verd_spawn_with(NULL, give_back, NULL);
        verd_kill(thread);
        verd_release(thread);
        verd_yield();
    }
    cr_assert_eq(arenas(), 1);
}

/* ---- in the child of a fork ---- */

#define MANY 3000 /* control blocks: several slabs */

static verd_thread *handles[MANY];

static size_t slabs(void)
{
    size_t count = 0;
    for (const struct verd__slab *slab = verd__current->slabs; slab != NULL; slab = slab->next)
        count++;
    return count;
}

static void spawn_many(void)
{
    for (int i = 0; i < MANY; i++)
        handles[i] = verd_spawn(give_back, NULL);
}

static bool blocks_of_the_gone_serve_again(void)
{
    size_t before = slabs();
    for (int i = 0; i < MANY; i++)
        verd_release(handles[i]);
    spawn_many();
    return slabs() == before;
}

Test(leak, control_blocks_of_unstarted_threads_that_are_gone_serve_again_in_the_child_of_a_fork)
{
    spawn_many();
    cr_assert(process_child_finds(blocks_of_the_gone_serve_again));
}

Test(leak, control_blocks_of_killed_threads_that_are_gone_serve_again_in_the_child_of_a_fork)
{
    spawn_many();
    for (int i = 0; i < MANY; i++)
        verd_kill(handles[i]); /* the run queue has them still */
    cr_assert(process_child_finds(blocks_of_the_gone_serve_again));
}

static bool released_blocks_serve_again(void)
{
    size_t before = slabs();
    spawn_many();
    return slabs() == before;
}

Test(leak, control_blocks_that_the_run_queue_alone_has_serve_again_in_the_child_of_a_fork)
{
    spawn_many();
    for (int i = 0; i < MANY; i++) {
        verd_kill(handles[i]);
        verd_release(handles[i]);
    }
    cr_assert(process_child_finds(released_blocks_serve_again));
}

static void ignore(void *arg)
{
    (void)arg;
}

static bool blocks_without_handle_serve_again(void)
{
    size_t before = slabs();
    for (int i = 0; i < MANY; i++)
        verd_spawn_n(ignore, NULL);
    return slabs() == before;
}

Test(leak, control_blocks_without_a_handle_serve_again_in_the_child_of_a_fork)
{
    for (int i = 0; i < MANY; i++)
        verd_spawn_n(ignore, NULL);
    cr_assert(process_child_finds(blocks_without_handle_serve_again));
}

static void park_many(void)
{
    for (int i = 0; i < 500; i++)
        verd_release(verd_spawn(wait_with_everything, NULL));
    verd_yield();
}

static bool stacks_of_the_gone_serve_again(void)
{
    size_t before = arenas();
    park_many();
    return arenas() == before;
}

Test(leak, stacks_of_threads_that_are_gone_serve_again_in_the_child_of_a_fork)
{
    park_many();
    cr_assert(process_child_finds(stacks_of_the_gone_serve_again));
}
