/* SPDX-License-Identifier: MIT */
/* verd_select for what is no queue, each beside a queue of which nothing comes, and a descriptor likewise. */
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "call.h"
#include "table.h"

static verd_queue *queue;
static int fds[2], quiet[2]; /* the subject's and the main thread's end */
static verd_event event = VERD_EVENT_INIT;
static verd_thread *thread;

static void make_world(void)
{
    queue = verd_queue_new(0);
    must(queue != NULL, "verd_queue_new");
    make_pair(quiet);
}

/* The index of the case is 2; what it gives is behind it, or its error as a negative. */
static intptr_t choose(verd_case wanted, void *const *value)
{
    void *item;
    verd_case cases[] = {VERD_GET(queue, &item), VERD_READABLE(quiet[0]), wanted};
    int index = verd_select(cases, 3);
    if (index < 0)
        return -errno;
    must(index == 2, "the index of the case");
    return cases[2].error != 0 ? -cases[2].error : (intptr_t)*value;
}

static void *const two = (void *)2;

static bool nobody_is_in_line(void)
{
    return verd_queue_getting(queue) == 0;
}

/* ---- descriptors ---- */

static void have_nothing_to_read(void)
{
    make_world();
    make_pair(fds);
}

static void have_no_room(void)
{
    have_nothing_to_read();
    fill(fds[0]);
}

static intptr_t until_readable(void)
{
    return choose(VERD_READABLE(fds[0]), &two);
}

static intptr_t until_writable(void)
{
    return choose(VERD_WRITABLE(fds[0]), &two);
}

static void send_byte(void)
{
    must(write(fds[1], "x", 1) == 1, "write");
}

static void make_room(void)
{
    drain(fds[1]);
}

static intptr_t close_it(void)
{
    return result_of(verd_close(fds[0]));
}

static bool has_a_byte(void)
{
    char byte;
    return nobody_is_in_line() && verd_read(fds[0], &byte, 1) == 1;
}

/* ---- events, ends and time ---- */

static intptr_t until_event(void)
{
    void *value = NULL;
    return choose(VERD_EVENT(&event, &value), &value);
}

static void set_event(void)
{
    verd_event_set(&event, (void *)9);
}

static void fail_event(void)
{
    verd_event_fail(&event, EIO);
}

static bool nobody_waits_for_event(void)
{
    return verd_event_reset(&event) == 0;
}

static void *pass_and_return(void *result)
{
    pass_gate();
    return result;
}

static void spawn_at_gate(void)
{
    make_world();
    thread = verd_spawn(pass_and_return, (void *)7);
}

static intptr_t until_end(void)
{
    void *value = NULL;
    return choose(VERD_END(thread, &value), &value);
}

static intptr_t release_thread(void)
{
    verd_release(thread);
    return 0;
}

/* A queue is the OS thread's own; what is no queue may be another's, and there the others are left out. */
static void make_no_world(void)
{
    queue = NULL;
    quiet[0] = -1;
}

#define DESCRIPTOR(what, world, call_, event_, account) \
    {.call = "verd_select",                             \
     .when = what,                                      \
     .setup = world,                                    \
     .make = call_,                                     \
     .right = 2,                                        \
     .provoke = event_,                                 \
     .untouched = nobody_is_in_line,                    \
     .whole = account,                                  \
     .discard = close_it,                               \
     .discarded = -EBADF,                               \
     .traits = ALONE | BOUND}
#define EVENT(what, world, result, event_, traits_) \
    {.call = "verd_select",                         \
     .when = what,                                  \
     .setup = world,                                \
     .make = until_event,                           \
     .right = result,                               \
     .provoke = event_,                             \
     .untouched = nobody_waits_for_event,           \
     .whole = nobody_waits_for_event,               \
     .traits = traits_}

static const struct row rows[] = {
    DESCRIPTOR("input", have_nothing_to_read, until_readable, send_byte, has_a_byte),
    DESCRIPTOR("output", have_no_room, until_writable, make_room, nobody_is_in_line),
    EVENT("an event to be set", make_world, 9, set_event, ALONE | BOUND),
    EVENT("an event to fail", make_world, -EIO, fail_event, ALONE | BOUND),
    EVENT("an event to be set, and nothing else", make_no_world, 9, set_event, SHARED),
    {.call = "verd_select",
     .when = "the end of a thread",
     .setup = spawn_at_gate,
     .make = until_end,
     .right = 7,
     .provoke = open_gate,
     .traits = ALONE | INDIRECT | ORPHANED | BOUND | BY_HANDLE | GOES_ON,
     .orphaned = -ESRCH,
     .discard = release_thread},
};

const struct rows rows_of_selects = ROWS(rows);
