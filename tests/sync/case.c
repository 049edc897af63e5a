/* SPDX-License-Identifier: MIT */

/* What verd_select waits for besides queues: descriptors, events, ends of threads, time. */
#include <criterion/criterion.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"

#define MANY 40
#define TURNS 8000

static verd_queue *queue; /* not a local: what it holds is no leak */
static int fds[2], others[2];
static verd_event event;
static verd_thread *thread;

static void *number(long n)
{
    return (void *)n;
}

static void set_up(void)
{
    queue = verd_queue_new(1);
    event = (verd_event)VERD_EVENT_INIT;
    make_pair(fds);
    make_pair(others);
}

TestSuite(cases, .init = set_up);

static void *pass(void *arg)
{
    return arg;
}

static void *wait_for_ever(void *arg)
{
    verd_sleep(VERD_FOREVER);
    return arg;
}

/* ---- one case ---- */

/* Waits with the case in the background; `item` is what it gives. */
static verd_case one;

static int select_one(struct caller *self)
{
    one.result = &self->item;
    return verd_select(&one, 1);
}

static struct caller waiting;

static void begin(verd_case what)
{
    one = what;
    caller_start(&waiting, select_one, NULL, NULL);
}

Test(cases, a_descriptor_becomes_readable)
{
    begin(VERD_READABLE(fds[0]));
    cr_assert_not(waiting.done);
    verd_write(fds[1], "x", 1);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(one.error, 0);
    cr_expect(one.ready & POLLIN);
}

Test(cases, a_descriptor_is_readable_at_its_end)
{
    begin(VERD_READABLE(fds[0]));
    verd_close(fds[1]);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(one.error, 0);
    cr_expect(one.ready & POLLHUP);
}

Test(cases, a_descriptor_becomes_writable)
{
    fill(fds[0]);
    begin(VERD_WRITABLE(fds[0]));
    cr_assert_not(waiting.done);
    drain(fds[1]);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect(one.ready & POLLOUT);
}

Test(cases, a_descriptor_that_is_closed_meanwhile_is_EBADF)
{
    begin(VERD_READABLE(fds[0]));
    verd_close(fds[0]);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(one.error, EBADF);
}

/* By then the number is another file. */
Test(cases, a_descriptor_whose_number_is_used_again_is_EBADF)
{
    begin(VERD_READABLE(fds[0]));
    verd_close(fds[0]);
    int again[2];
    make_pair(again);
    cr_assert_eq(again[0], fds[0]);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(one.error, EBADF);
}

Test(cases, a_descriptor_that_is_not_open_is_EBADF_at_once)
{
    verd_case cases[] = {VERD_WRITABLE(1 << 20), VERD_DEFAULT};
    cr_expect_eq(verd_select(cases, 2), 0);
    cr_expect_eq(cases[0].error, EBADF);
}

Test(cases, an_event_gives_its_value)
{
    begin(VERD_EVENT(&event, NULL));
    cr_assert_not(waiting.done);
    verd_event_set(&event, number(3));
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(waiting.item, number(3));
    begin(VERD_EVENT(&event, NULL));
    cr_expect(caller_end(&waiting) == 0 && waiting.item == number(3));
}

Test(cases, an_event_that_fails_is_the_error_of_the_case)
{
    begin(VERD_EVENT(&event, NULL));
    verd_event_fail(&event, ENOMEM);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(one.error, ENOMEM);
    one.error = 0;
    cr_expect_eq(verd_select(&one, 1), 0);
    cr_expect_eq(one.error, ENOMEM);
}

Test(cases, a_thread_that_ends_gives_its_result_and_keeps_its_handle)
{
    void *result;
    thread = verd_spawn(pass, number(4));
    begin(VERD_END(thread, NULL));
    cr_expect(caller_end(&waiting) == 0 && waiting.item == number(4));
    begin(VERD_END(thread, NULL));
    cr_expect(caller_end(&waiting) == 0 && waiting.item == number(4));
    cr_expect_eq(verd_join(thread, &result), 0);
}

Test(cases, a_thread_that_never_started_has_no_result)
{
    thread = verd_spawn_after(VERD_SEC, pass, NULL);
    begin(VERD_END(thread, NULL));
    cr_assert_not(waiting.done);
    verd_kill(thread);
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(one.error, ESRCH);
    verd_release(thread);
}

Test(cases, a_thread_does_not_wait_for_its_own_end)
{
    one = VERD_END(verd_self(), NULL);
    cr_expect_eq(caller_outcome(verd_select(&one, 1)), -EDEADLK);
}

Test(cases, time_passes)
{
    verd_duration begin = verd_now();
    verd_case cases[] = {VERD_AFTER(VERD_SEC), VERD_AFTER(2 * VERD_MS), VERD_AFTER(VERD_FOREVER)};
    cr_expect_eq(verd_select(cases, 3), 1);
    cr_expect_geq(verd_now() - begin, 2 * VERD_MS);
}

Test(cases, no_time_has_passed_at_once)
{
    verd_case cases[] = {VERD_GET(queue, &waiting.item), VERD_AFTER(0)};
    cr_expect_eq(verd_select(cases, 2), 1);
    cases[1].after = -1;
    cr_expect_eq(verd_select(cases, 2), 1);
}

Test(cases, what_is_not_there_is_never_ready)
{
    verd_case cases[] = {VERD_READABLE(-1),    VERD_WRITABLE(-1),        VERD_EVENT(NULL, NULL),
                         VERD_END(NULL, NULL), VERD_AFTER(VERD_FOREVER), VERD_AFTER(VERD_MS)};
    cr_expect_eq(verd_select(cases, 6), 5);
}

/* ---- several ---- */

static verd_case all[6];

/* An item, input, room, an event, an end, and never. */
static void make_all(void)
{
    all[0] = VERD_GET(queue, &waiting.item);
    all[1] = VERD_READABLE(fds[0]);
    all[2] = VERD_WRITABLE(others[0]);
    all[3] = VERD_EVENT(&event, NULL);
    all[4] = VERD_END(thread, NULL);
    all[5] = VERD_AFTER(VERD_FOREVER);
}

static int select_all(struct caller *self)
{
    (void)self;
    return verd_select(all, 6);
}

static void begin_all(void)
{
    thread = verd_spawn(wait_for_ever, NULL);
    fill(others[0]);
    make_all();
    caller_start(&waiting, select_all, NULL, NULL);
    cr_assert_not(waiting.done);
}

static bool nothing_is_left(void)
{
    bool good = verd_queue_getting(queue) == 0 && verd_event_reset(&event) == 0;
    /* Somebody else may wait for each descriptor. */
    good = good && call_within(VERD_MS, &(struct call){.size = 0}, call_read, fds[0]) == -ETIMEDOUT;
    verd_kill(thread);
    verd_join(thread, NULL);
    return good;
}

Test(cases, an_item_leaves_no_trace_of_the_others)
{
    begin_all();
    verd_queue_put(queue, number(1));
    cr_expect(caller_end(&waiting) == 0 && waiting.item == number(1));
    cr_expect(nothing_is_left());
}

Test(cases, an_event_leaves_no_trace_of_the_others)
{
    begin_all();
    verd_event_set(&event, NULL);
    cr_expect_eq(caller_end(&waiting), 3);
    cr_expect(nothing_is_left());
}

Test(cases, an_end_leaves_no_trace_of_the_others)
{
    begin_all();
    verd_kill(thread);
    cr_expect_eq(caller_end(&waiting), 4);
    cr_expect(nothing_is_left());
}

Test(cases, room_leaves_no_trace_of_the_others)
{
    begin_all();
    drain(others[1]);
    cr_expect_eq(caller_end(&waiting), 2);
    cr_expect(nothing_is_left());
}

Test(cases, a_kill_leaves_no_trace_of_any)
{
    begin_all();
    verd_kill(waiting.thread);
    cr_expect_eq(caller_end(&waiting), -ECANCELED);
    cr_expect(nothing_is_left());
}

/* The item is handed over before the descriptor is looked at: the byte is there still. */
Test(cases, what_came_besides_is_there_for_the_next_call)
{
    begin_all();
    cr_assert_eq(write(fds[1], "x", 1), 1);
    verd_queue_put(queue, number(1));
    cr_expect_eq(caller_end(&waiting), 0);
    cr_expect_eq(verd_select(all, 6), 1);
    cr_expect_eq(drain(fds[0]), 1);
    verd_kill(thread);
    verd_join(thread, NULL);
}

Test(cases, another_that_waits_for_the_descriptor_is_EBUSY)
{
    struct call reader = {.size = 0};
    verd_case cases[] = {VERD_EVENT(&event, NULL), VERD_READABLE(fds[0])};
    call_start(&reader, call_read, fds[0]);
    cr_expect_eq(caller_outcome(verd_select(cases, 2)), -EBUSY);
    cr_expect_eq(verd_event_reset(&event), 0);
    verd_write(fds[1], "x", 1);
    cr_expect_eq(call_end(&reader), 1);
}

Test(cases, the_same_descriptor_may_be_there_twice)
{
    verd_case cases[] = {VERD_READABLE(fds[0]), VERD_WRITABLE(fds[0]), VERD_READABLE(fds[0])};
    fill(fds[0]);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    int taken = verd_select(cases, 3);
    cr_expect(taken == 0 || taken == 2);
}

/* The wait is over, but nobody has told the one who frees the queue. */
Test(cases, a_queue_may_be_freed_once_a_descriptor_has_ended_the_wait)
{
    thread = verd_spawn(wait_for_ever, NULL);
    make_all();
    all[2].fd = -1;
    caller_start(&waiting, select_all, NULL, NULL);
    cr_assert_not(waiting.done);
    verd_shutdown(fds[0], SHUT_WR); /* has who waits for it look again */
    verd_queue_free(queue);
    verd_kill(thread);
    verd_join(thread, NULL);
    cr_expect_eq(caller_end(&waiting), 1);
    cr_expect(all[1].error == 0 && all[1].ready == 0);
}

static verd_case many[MANY];
static int pairs[MANY][2];

static int select_many(struct caller *self)
{
    (void)self;
    return verd_select(many, MANY);
}

Test(cases, any_of_many_descriptors_is_found)
{
    for (int i = 0; i < MANY; i++)
        make_pair(pairs[i]);
    for (int turn = 0; turn < MANY; turn += 13) {
        for (int i = 0; i < MANY; i++)
            many[i] = VERD_READABLE(pairs[i][0]);
        caller_start(&waiting, select_many, NULL, NULL);
        cr_assert_not(waiting.done);
        verd_write(pairs[turn][1], "x", 1);
        cr_expect_eq(caller_end(&waiting), turn);
        drain(pairs[turn][0]);
    }
}

Test(cases, each_that_is_ready_is_as_likely_as_the_others)
{
    long taken[6] = {0};
    thread = verd_spawn(pass, NULL);
    verd_wait(thread, NULL);
    verd_event_set(&event, NULL);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    make_all();
    all[5].after = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        if (verd_queue_length(queue) == 0)
            verd_queue_put(queue, NULL);
        taken[verd_select(all, 6)]++;
    }
    for (int i = 0; i < 6; i++)
        cr_expect(taken[i] > TURNS / 6 * 8 / 10 && taken[i] < TURNS / 6 * 12 / 10, "%d: %ld", i,
                  taken[i]);
    verd_release(thread);
}
