/* SPDX-License-Identifier: MIT */

/* An OS thread that ends while its green threads are in the middle of calls: what these have in hand, and
 * nobody will take from them any more, is given back. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "process.h"

/* So many turns after a result has come, all is over; an OS thread ends after each number of them. */
#define TURNS 12

static _Atomic(int) returned, taken, released;
static int turns;

static void run_on_os_thread(void *(*fn)(void *))
{
    pthread_t os_thread;
    pthread_create(&os_thread, NULL, fn, NULL);
    pthread_join(os_thread, NULL);
}

/* The message of a function that has returned is on its way; when it is there, nobody can tell. */
static void take_turns(void)
{
    usleep(20000);
    for (int i = 0; i < turns; i++)
        verd_yield();
}

/* ---- an offloaded function ---- */

static void *offloaded(void *arg)
{
    atomic_fetch_add(&returned, 1);
    return arg;
}

static void note_release(void *arg, void *result)
{
    (void)arg, (void)result;
    atomic_fetch_add(&released, 1);
}

static int offload(struct caller *self)
{
    int result = verd_offload_with(offloaded, self, note_release, NULL);
    atomic_fetch_add(&taken, 1);
    return result;
}

static int offload_with_little_time(struct caller *self)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, 10 * VERD_MS);
    int result = offload(self);
    verd_timeout_end(&limit);
    return result;
}

static struct caller caller;
static int (*call)(struct caller *);

static void call_it(void *arg)
{
    call(arg);
}

static void *end_after_turns(void *arg)
{
    caller = (struct caller){.call = call};
    verd_spawn_n(call_it, &caller);
    verd_yield();
    while (atomic_load(&returned) == 0)
        usleep(1000);
    take_turns();
    return arg;
}

static void *end_after_a_kill(void *arg)
{
    caller_start(&caller, call, NULL, NULL);
    while (atomic_load(&returned) == 0)
        usleep(1000);
    take_turns();
    verd_kill(caller.thread);
    return arg;
}

/* Whether a result is neither lost nor given twice, wherever the OS thread ends. */
static void expect_one_end(void *(*fn)(void *), int (*wanted)(struct caller *))
{
    call = wanted;
    for (turns = 0; turns < TURNS; turns++) {
        returned = taken = released = 0;
        run_on_os_thread(fn);
        cr_expect_eq(taken + released, 1, "after %d turns: taken %d, released %d", turns, taken,
                     released);
    }
}

Test(os, a_result_that_has_come_before_the_os_thread_ends_is_taken_or_released)
{
    expect_one_end(end_after_turns, offload);
}

Test(os, a_result_that_has_come_is_released_although_its_caller_is_out_of_time)
{
    expect_one_end(end_after_turns, offload_with_little_time);
}

/* Who is killed with the result there, and returns, has had it released: these are two notes of one end. */
Test(os, a_result_that_has_come_is_released_although_its_caller_is_killed)
{
    call = offload;
    for (turns = 0; turns < TURNS; turns++) {
        returned = taken = released = 0;
        run_on_os_thread(end_after_a_kill);
        cr_expect_geq(taken + released, 1, "after %d turns", turns);
        cr_expect_leq(released, 1, "after %d turns", turns);
    }
}

/* ---- descriptors ---- */

static void open_file(void *arg)
{
    (void)arg;
    int fd = verd_open("/dev/null", O_RDONLY);
    atomic_fetch_add(&taken, fd >= 0 && close(fd) == 0);
}

static void *open_and_end(void *arg)
{
    verd_spawn_n(open_file, NULL);
    verd_yield();
    take_turns();
    return arg;
}

/* Their count, which a worker may still bring to what is expected. */
static size_t descriptors_soon(size_t expected)
{
    for (int i = 0; i < 100 && process_descriptors() != expected; i++)
        usleep(10000);
    return process_descriptors();
}

Test(os, a_file_that_was_opened_as_the_os_thread_ends_is_closed)
{
    for (turns = 0; turns < TURNS; turns++) {
        size_t before = process_descriptors();
        run_on_os_thread(open_and_end);
        cr_expect_eq(descriptors_soon(before), before, "after %d turns", turns);
    }
}

static int listener;

static void connect_silently(void *arg)
{
    (void)arg;
    verd_connect("127.0.0.1", verd_port(listener));
}

static void *connect_and_end(void *arg)
{
    verd_spawn_n(connect_silently, NULL);
    callers_settle();
    return arg;
}

Test(os, a_connection_under_way_as_the_os_thread_ends_is_closed)
{
    listener = make_full_listener(AF_INET);
    size_t before = process_descriptors();
    run_on_os_thread(connect_and_end);
    cr_assert_eq(process_descriptors(), before);
}
