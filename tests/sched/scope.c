/* SPDX-License-Identifier: MIT */

/* Timeout scopes that were left open by a way out that nobody thought of: an early return, a jump. Their
 * frames are gone, and what lies there now is not theirs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <setjmp.h>
#include <string.h>

#include <verd.h>

static sigjmp_buf out;

/* ---- ways to leave ---- */

static __attribute__((noinline)) void return_early(verd_duration after)
{
    verd_timeout scope;
    verd_timeout_begin(&scope, after);
    verd_yield(); /* arms it */
}

static __attribute__((noinline)) void return_early_at_once(verd_duration after)
{
    verd_timeout scope;
    verd_timeout_begin(&scope, after);
}

static __attribute__((noinline)) void return_early_from_several(verd_duration after)
{
    verd_timeout scopes[3];
    for (int i = 0; i < 3; i++)
        verd_timeout_begin(&scopes[i], after + i);
    verd_yield();
}

static __attribute__((noinline)) void begin_and_jump(verd_duration after)
{
    verd_timeout scope;
    verd_timeout_begin(&scope, after);
    verd_yield();
    siglongjmp(out, 1);
}

static void jump_out(verd_duration after)
{
    if (sigsetjmp(out, 0) == 0)
        begin_and_jump(after);
}

static void *jump(void *arg)
{
    verd_yield();
    siglongjmp(out, 1);
    return arg;
}

static void jump_through_with_timeout(verd_duration after)
{
    if (sigsetjmp(out, 0) == 0)
        verd_with_timeout(after, jump, NULL, NULL);
}

static void (*const ways[])(verd_duration) = {
    return_early, return_early_at_once,      return_early_from_several,
    jump_out,     jump_through_with_timeout,
};

#define WAYS (sizeof ways / sizeof *ways)

/* ---- what comes after ---- */

/* Waits, on a frame that covers those that are gone. Returns whether it is unharmed. */
static __attribute__((noinline)) bool wait_over_frames(verd_duration span)
{
    volatile unsigned char frame[4096];
    memset((void *)frame, 0x55, sizeof frame);
    verd_duration begun = verd_now();
    while (verd_now() < begun + span)
        verd_sleep(VERD_MS);
    for (size_t i = 0; i < sizeof frame; i++) {
        if (frame[i] != 0x55)
            return false;
    }
    return true;
}

static void (*leave)(verd_duration after);

static void *leave_one_with_little_time(void *arg)
{
    (void)arg;
    leave(2 * VERD_MS);
    return wait_over_frames(6 * VERD_MS) ? "unharmed" : NULL;
}

static void *leave_one_with_much_time(void *arg)
{
    (void)arg;
    leave(3600 * VERD_SEC);
    return wait_over_frames(6 * VERD_MS) ? "unharmed" : NULL;
}

static void *leave_one_in_another(void *arg)
{
    verd_timeout outer;
    (void)arg;
    verd_timeout_begin(&outer, 3 * VERD_MS);
    leave(3600 * VERD_SEC);
    bool unharmed = wait_over_frames(6 * VERD_MS);
    bool late = verd_sleep(VERD_FOREVER) == -1 && errno == ETIMEDOUT;
    return verd_timeout_end(&outer) && late && unharmed && verd_sleep(VERD_MS) == 0 ? "" : NULL;
}

static void *leave_one_that_has_fired_in_another(void *arg)
{
    verd_timeout outer;
    (void)arg;
    verd_timeout_begin(&outer, 3600 * VERD_SEC);
    leave(0);
    bool unharmed = wait_over_frames(2 * VERD_MS);
    bool fired = verd_timeout_end(&outer);
    return !fired && unharmed && verd_sleep(VERD_MS) == 0 ? "" : NULL;
}

static void *leave_one_and_begin_others(void *arg)
{
    verd_timeout next;
    (void)arg;
    leave(3600 * VERD_SEC);
    bool unharmed = wait_over_frames(2 * VERD_MS);
    verd_timeout_begin(&next, 3 * VERD_MS);
    bool late = verd_sleep(VERD_FOREVER) == -1 && errno == ETIMEDOUT;
    return verd_timeout_end(&next) && late && unharmed && verd_sleep(VERD_MS) == 0 ? "" : NULL;
}

/* The number of ways that go wrong; not of those that crash. */
static int failures_of(void *(*fn)(void *))
{
    int failures = 0;
    for (size_t i = 0; i < WAYS; i++) {
        void *result = NULL;
        leave = ways[i];
        verd_join(verd_spawn(fn, NULL), &result);
        failures += result == NULL;
    }
    return failures;
}

Test(sched, a_scope_that_was_left_open_does_not_write_into_its_frame_when_it_fires)
{
    cr_assert_eq(failures_of(leave_one_with_little_time), 0);
}

Test(sched, a_scope_that_was_left_open_is_not_read_when_the_thread_waits)
{
    cr_assert_eq(failures_of(leave_one_with_much_time), 0);
}

Test(sched, a_scope_that_was_left_open_leaves_the_enclosing_one_as_it_is)
{
    cr_assert_eq(failures_of(leave_one_in_another), 0);
}

Test(sched, a_scope_that_was_left_open_ends_with_the_enclosing_one)
{
    cr_assert_eq(failures_of(leave_one_that_has_fired_in_another), 0);
}

Test(sched, a_scope_that_was_left_open_does_not_keep_the_next_from_running_out)
{
    cr_assert_eq(failures_of(leave_one_and_begin_others), 0);
}
