/* SPDX-License-Identifier: MIT */
/* Cancellation in the calls of POSIX, where libc does not say what is so here. */
#include "threads.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "call.h"
#include "patch/posix.h"

static int pair[2], wide;

static void make_world(void)
{
    order[0] = '\0';
    make_foreign_pair(pair);
    wide = 4 << 20; /* more than a socket holds */
}

/* Cancels a thread that runs fn(arg), where it waits. */
static void expect_of_cancelled(void *(*fn)(void *), void *arg, void *result, const char *letters)
{
    make_world();
    pthread_t thread = start(fn, arg);
    verd_pthread_cancel(thread);
    cr_assert_eq(result_of(thread), result);
    cr_assert_str_eq(order, letters);
}

static void *write_more_than_there_is_room_for(void *arg)
{
    char *data = calloc(1, (size_t)wide);
    ssize_t written = verd_posix_write(pair[0], data, (size_t)wide);
    note(written > 0 && written < wide ? "w" : "x");
    free(data);
    verd_posix_write(pair[0], "more", 4);
    note("x");
    return arg;
}

Test(pthread, a_write_that_has_written_some_tells_how_much_and_the_next_call_ends_the_thread)
{
    expect_of_cancelled(write_more_than_there_is_room_for, NULL, PTHREAD_CANCELED, "w");
}

#define MESSAGES 1024 /* more than there is room for: 10 or 512 may be in the queue, and 208 KiB */

static void *send_messages(void *arg)
{
    static struct mmsghdr messages[MESSAGES];
    struct iovec vector = {order, sizeof order};
    int fds[2];
    for (size_t i = 0; i < MESSAGES; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
    int sent = verd_posix_sendmmsg(fds[0], messages, MESSAGES, 0);
    note(sent > 0 && sent < MESSAGES ? "s" : "x");
    verd_posix_sleep(0);
    note("x");
    return arg;
}

Test(pthread, messages_that_were_sent_are_told_of)
{
    expect_of_cancelled(send_messages, NULL, PTHREAD_CANCELED, "s");
}

static void *close_stream(void *arg)
{
    FILE *file = verd_posix_popen("exec sleep 1000", "r");
    note(file != NULL ? "p" : "x");
    verd_posix_pclose(file);
    note("x");
    return arg;
}

Test(pthread, a_command_is_ended_with_the_thread_that_is_cancelled_as_it_waits_for_its_end)
{
    expect_of_cancelled(close_stream, NULL, PTHREAD_CANCELED, "p");
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a zombie is left");
}

/* ---- whom it does not end ---- */

static void *read_killed(void *arg)
{
    char byte;
    verd_kill(verd_self());
    note(verd_posix_read(pair[0], &byte, 1) == -1 && errno == ECANCELED ? "r" : "x");
    return arg;
}

Test(pthread, a_thread_of_verd_spawn_gets_ECANCELED_from_calls_of_POSIX)
{
    void *result = NULL;
    make_world();
    verd_join(verd_spawn(read_killed, order), &result);
    cr_assert_eq(result, order);
    cr_assert_str_eq(order, "r");
}

static void *wait_for_byte(void *arg)
{
    char byte;
    note(verd_posix_read(pair[0], &byte, 1) == -1 && errno == ECANCELED ? "r" : "x");
    return arg;
}

Test(pthread, a_thread_of_verd_spawn_that_pthread_cancel_names_is_killed)
{
    void *result = NULL;
    make_world();
    verd_thread *thread = verd_spawn(wait_for_byte, order);
    callers_settle();
    cr_assert_eq(verd_pthread_cancel((pthread_t)(uintptr_t)thread), 0);
    verd_join(thread, &result);
    cr_assert_eq(result, order);
    cr_assert_str_eq(order, "r");
}

Test(pthread, main_gets_ECANCELED_after_verd_kill)
{
    sem_t never;
    make_world();
    verd_sem_init(&never, 0, 0);
    read_killed(NULL);
    cr_assert_str_eq(order, "r");
    cr_assert(verd_sem_wait(&never) == -1 && errno == ECANCELED);
}

static void *call_the_librarys_own(void *arg)
{
    char byte;
    note(verd_read(pair[0], &byte, 1) == -1 && errno == ECANCELED ? "r" : "x");
    note(verd_sleep(VERD_FOREVER) == -1 && errno == ECANCELED ? "s" : "x");
    return arg;
}

Test(pthread, the_librarys_own_calls_end_no_thread)
{
    expect_of_cancelled(call_the_librarys_own, order, order, "rs");
}

static void read_in_handler(int signal)
{
    char byte;
    (void)signal;
    note(verd_posix_read(pair[0], &byte, 1) == 1 ? "h" : "x");
}

static void *interrupt_oneself(void *arg)
{
    struct sigaction action = {.sa_handler = read_in_handler};
    verd_posix_sigaction(SIGUSR1, &action, NULL);
    verd_pthread_cancel(verd_pthread_self());
    raise(SIGUSR1);
    note("b");
    verd_posix_pause();
    return arg;
}

Test(pthread, a_handler_of_a_signal_is_no_place_to_be_cancelled_at)
{
    make_world();
    cr_assert_eq(write(pair[1], "b", 1), 1);
    pthread_t thread = start(interrupt_oneself, NULL);
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
    cr_assert_str_eq(order, "hb");
}
