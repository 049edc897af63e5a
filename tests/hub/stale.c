/* SPDX-License-Identifier: MIT */

/* Connections that were waited for, and are closed here while others have them still: a child process, or whoever
 * they were sent to. The kernel goes on to tell of them. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"
#include "hub/hub.h"

#define WRITES 2000

static _Atomic(int) written;

/* The other end of a connection, with traffic that whoever has it reads. */
struct traffic {
    int write_to, read_from;
};

static void *pass_bytes(void *arg)
{
    const struct traffic *traffic = arg;
    char byte = 'x';
    for (int i = 0; i < WRITES; i++) {
        if (write(traffic->write_to, &byte, 1) != 1 || read(traffic->read_from, &byte, 1) != 1)
            break;
        atomic_fetch_add(&written, 1);
        usleep(50);
    }
    return NULL;
}

static ssize_t read_byte(struct call *call)
{
    char byte;
    return verd_read(call->fd, &byte, 1);
}

/* Waits for a descriptor once. */
static void wait_once(int fd, int other)
{
    struct call reader = {0};
    call_start(&reader, read_byte, fd);
    cr_assert_eq(write(other, "x", 1), 1);
    cr_assert_eq(call_end(&reader), 1);
}

/* How often the hub turns while a connection has traffic that was waited for and is closed by `shut`. From then on
 * there are no more descriptors, if they are `scarce`. */
static size_t turns_after(int fds[2], int (*shut)(int), bool scarce)
{
    static struct traffic traffic;
    pthread_t thread;
    wait_once(fds[0], fds[1]);
    traffic = (struct traffic){.write_to = fds[1], .read_from = dup(fds[0])};
    cr_assert_eq(shut(fds[0]), 0);
    if (scarce)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){8, 8});
    size_t before = verd__loop(verd__scheduler())->polls;
    pthread_create(&thread, NULL, pass_bytes, &traffic);
    while (atomic_load(&written) < WRITES)
        verd_sleep(50 * VERD_MS);
    pthread_join(thread, NULL);
    return verd__loop(verd__scheduler())->polls - before;
}

#define TURNS_MAX 500

Test(hub, what_was_closed_here_and_lives_elsewhere_stops_waking_it)
{
    int fds[2];
    make_pair(fds);
    cr_assert_leq(turns_after(fds, verd_close, false), TURNS_MAX);
}

Test(hub, what_was_closed_behind_its_back_and_lives_elsewhere_stops_waking_it)
{
    int fds[2];
    make_foreign_pair(fds);
    cr_assert_leq(turns_after(fds, close, false), TURNS_MAX);
}

/* Those who wait meanwhile, and what was waited for before. */
static size_t turns_with_others(bool scarce)
{
    int fds[2], waited[2], idle[2], foreign[2];
    struct call reader = {0}, stranger = {0};
    make_pair(fds);
    make_pair(waited);
    make_pair(idle);
    make_foreign_pair(foreign);
    wait_once(idle[0], idle[1]);
    call_start(&reader, read_byte, waited[0]);
    call_start(&stranger, read_byte, foreign[0]);
    size_t turns = turns_after(fds, verd_close, scarce);
    cr_expect_eq(write(waited[1], "x", 1), 1);
    cr_expect_eq(write(foreign[1], "x", 1), 1);
    cr_expect_eq(call_end(&reader), 1);
    cr_expect_eq(call_end(&stranger), 1);
    wait_once(idle[0], idle[1]);
    wait_once(waited[0], waited[1]);
    wait_once(foreign[0], foreign[1]);
    return turns;
}

Test(hub, what_lives_elsewhere_takes_no_event_from_others)
{
    cr_assert_leq(turns_with_others(false), TURNS_MAX);
}

Test(hub, what_lives_elsewhere_takes_no_event_from_others_without_a_descriptor_to_spare)
{
    turns_with_others(true);
}
