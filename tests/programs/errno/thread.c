/* SPDX-License-Identifier: MIT */
/* <verd/thread.h> and <verd/time.h>. */
#include "table.h"

static void *same(void *arg)
{
    return arg;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void at_end(verd_thread *thread, void *arg)
{
    (void)thread, (void)arg;
}

static verd_thread *thread;

static void spawn_one(void)
{
    thread = verd_spawn(same, NULL);
    must(thread != NULL);
}

static void *fail(void *arg)
{
    (void)arg;
    return verd_fail(ENOENT);
}

static void spawn_failing(void)
{
    thread = verd_spawn(fail, NULL);
    must(thread != NULL);
}

static void end_one(void)
{
    spawn_one();
    verd_yield();
}

static void cancel_one(void)
{
    spawn_one();
    must(verd_cancel(thread) == 0);
}

static void release_one(void)
{
    end_one();
    verd_release(thread);
}

/* ---- beginning ---- */

static const verd_attr large = {.stack_size = 1024 * 1024}, tiny = {.stack_size = 1};

CALL_FOR_POINTER(spawn, verd_spawn(same, NULL))
CALL_FOR_POINTER(spawn_nothing, verd_spawn(NULL, NULL))
CALL_FOR_POINTER(spawn_with, verd_spawn_with(&large, same, NULL))
CALL_FOR_POINTER(spawn_tiny, verd_spawn_with(&tiny, same, NULL))
CALL(set_stack_default, verd_stack_default(0))
CALL(set_stack_default_tiny, verd_stack_default(1))
CALL(name_it, verd_set_name(thread, "x"))
CALL_FOR_POINTER(spawn_after, verd_spawn_after(VERD_SEC, same, NULL))
CALL_FOR_POINTER(spawn_nothing_after, verd_spawn_after(VERD_SEC, NULL, NULL))
CALL(spawn_n, verd_spawn_n(nothing, NULL))
CALL(spawn_n_nothing, verd_spawn_n(NULL, NULL))

/* ---- others' ends ---- */

CALL(wait_for_it, verd_wait(thread, NULL))
CALL(wait_for_none, verd_wait(NULL, NULL))
CALL(wait_for_self, verd_wait(verd_self(), NULL))
CALL(join_it, verd_join(thread, NULL))
CALL(join_none, verd_join(NULL, NULL))
CALL(join_self, verd_join(verd_self(), NULL))
CALL(cancel_it, verd_cancel(thread))
CALL(cancel_none, verd_cancel(NULL))
CALL(kill_it, verd_kill(thread))
CALL(kill_none, verd_kill(NULL))
CALL(link_it, verd_link(thread, at_end, NULL))
CALL(link_nothing, verd_link(thread, NULL, NULL))
CALL(unlink_it, verd_unlink(thread, at_end, NULL))
CALL(unlink_none, verd_unlink(NULL, at_end, NULL))
CALL(stack_of_it, verd_stack_used(thread) < 0 ? -1 : 0)
CALL(stack_of_self, verd_stack_used(verd_self()) < 0 ? -1 : 0)

/* ---- one's own ---- */

CALL(park, verd_park())

static verd_key key;

static void make_key(void)
{
    must(verd_key_create(&key, NULL) == 0);
}

static void make_all_keys(void)
{
    for (int i = 0; i < VERD_KEYS_MAX; i++)
        make_key();
}

CALL(create_key, verd_key_create(&key, NULL))
CALL(create_no_key, verd_key_create(NULL, NULL))
CALL(reclaim, verd_reclaim_after(VERD_SEC))
CALL(reclaim_at_once, verd_reclaim_after(0))
CALL(set_key, verd_set(key, &key))
CALL(delete_no_key, verd_key_delete(VERD_KEYS_MAX - 1))
CALL(set_no_key, verd_set(VERD_KEYS_MAX - 1, &key))

/* ---- time ---- */

static verd_timeout timeout;

static void *sleep_long(void *arg)
{
    verd_sleep(VERD_FOREVER);
    return arg;
}

CALL(sleep_for, verd_sleep(VERD_SEC))
CALL(sleep_until, verd_sleep_until(VERD_FOREVER))
CALL(begin_timeout, verd_timeout_begin(&timeout, VERD_SEC))
CALL(begin_no_timeout, verd_timeout_begin(NULL, VERD_SEC))
CALL(begin_timeout_as, verd_timeout_begin_as(&timeout, VERD_SEC, VERD_ERROR_OWN))
CALL(begin_timeout_as_another, verd_timeout_begin_as(&timeout, VERD_SEC, ETIMEDOUT))
CALL(time_left, verd_timeout_left(&timeout) < 0 ? -1 : 0)
CALL(move_timeout, verd_timeout_move(thread, &timeout, VERD_SEC))
CALL(with_timeout, verd_with_timeout(VERD_MS, sleep_long, NULL, NULL))
CALL(with_nothing, verd_with_timeout(VERD_MS, NULL, NULL, NULL))

const struct row thread_rows[] = {
    PLAINLY("verd_spawn", EINVAL, NULL, spawn_nothing),
    AT_FIRST("verd_spawn", spawn),
    PLAINLY("verd_spawn_with", EINVAL, NULL, spawn_tiny),
    WITHOUT("verd_spawn_with", ENOMEM, spawn_one, spawn_with, "mmap"),
    AT_FIRST("verd_stack_default", set_stack_default),
    PLAINLY("verd_stack_default", EINVAL, NULL, set_stack_default_tiny),
    PLAINLY("verd_set_name", EINVAL, end_one, name_it),
    ELSEWHERE("verd_set_name", spawn_one, name_it),
    PLAINLY("verd_spawn_after", EINVAL, NULL, spawn_nothing_after),
    WITHOUT("verd_spawn_after", ENOMEM, spawn_one, spawn_after, "calloc"),
    PLAINLY("verd_spawn_n", EINVAL, NULL, spawn_n_nothing),
    AT_FIRST("verd_spawn_n", spawn_n),

    PLAINLY("verd_wait", ENOENT, spawn_failing, wait_for_it),
    BLOCKS("verd_wait", spawn_one, wait_for_it),
    PLAINLY("verd_wait", ESRCH, cancel_one, wait_for_it),
    PLAINLY("verd_wait", EDEADLK, NULL, wait_for_self),
    PLAINLY("verd_wait", EINVAL, NULL, wait_for_none),
    PLAINLY("verd_wait", EINVAL, release_one, wait_for_it),
    ELSEWHERE("verd_wait", spawn_one, wait_for_it),
    PLAINLY("verd_join", ENOENT, spawn_failing, join_it),
    BLOCKS("verd_join", spawn_one, join_it),
    PLAINLY("verd_join", ESRCH, cancel_one, join_it),
    PLAINLY("verd_join", EDEADLK, NULL, join_self),
    PLAINLY("verd_join", EINVAL, NULL, join_none),
    ELSEWHERE("verd_join", spawn_one, join_it),
    PLAINLY("verd_cancel", EBUSY, end_one, cancel_it),
    PLAINLY("verd_cancel", EINVAL, NULL, cancel_none),
    ELSEWHERE("verd_cancel", spawn_one, cancel_it),
    PLAINLY("verd_kill", EINVAL, NULL, kill_none),
    ELSEWHERE("verd_kill", spawn_one, kill_it),
    WITHOUT("verd_link", ENOMEM, spawn_one, link_it, "malloc"),
    PLAINLY("verd_link", EINVAL, spawn_one, link_nothing),
    ELSEWHERE("verd_link", spawn_one, link_it),
    PLAINLY("verd_unlink", ENOENT, spawn_one, unlink_it),
    PLAINLY("verd_unlink", EINVAL, NULL, unlink_none),
    ELSEWHERE("verd_unlink", spawn_one, unlink_it),
    PLAINLY("verd_stack_used", EINVAL, spawn_one, stack_of_it),
    PLAINLY("verd_stack_used", ENOTSUP, NULL, stack_of_self),
    ELSEWHERE("verd_stack_used", spawn_one, stack_of_it),
    PLAINLY("verd_reclaim_after", EINVAL, NULL, reclaim_at_once),
    AT_FIRST("verd_reclaim_after", reclaim),

    BLOCKS("verd_park", NULL, park),
    AT_FIRST("verd_park", park),
    PLAINLY("verd_key_create", EAGAIN, make_all_keys, create_key),
    PLAINLY("verd_key_create", EINVAL, NULL, create_no_key),
    PLAINLY("verd_key_delete", EINVAL, NULL, delete_no_key),
    PLAINLY("verd_set", EINVAL, NULL, set_no_key),
    WITHOUT("verd_set", ENOMEM, make_key, set_key, "calloc"),

    BLOCKS("verd_sleep", NULL, sleep_for),
    AT_FIRST("verd_sleep", sleep_for),
    BLOCKS("verd_sleep_until", NULL, sleep_until),
    AT_FIRST("verd_sleep_until", sleep_until),
    AT_FIRST("verd_timeout_begin", begin_timeout),
    PLAINLY("verd_timeout_begin", EINVAL, NULL, begin_no_timeout),
    AT_FIRST("verd_timeout_begin_as", begin_timeout_as),
    PLAINLY("verd_timeout_begin_as", EINVAL, NULL, begin_timeout_as_another),
    PLAINLY("verd_timeout_left", EINVAL, NULL, time_left),
    PLAINLY("verd_timeout_move", EINVAL, spawn_one, move_timeout),
    ELSEWHERE("verd_timeout_move", spawn_one, move_timeout),
    PLAINLY("verd_with_timeout", ETIMEDOUT, NULL, with_timeout),
    PLAINLY("verd_with_timeout", EINVAL, NULL, with_nothing),
    AT_FIRST("verd_with_timeout", with_timeout),
    {0},
};
