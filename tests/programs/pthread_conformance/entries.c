/* SPDX-License-Identifier: MIT */
/* Cancellation that is pending at the entry of calls that need not wait, and where it does not come. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t ready;
static int spare[2];
static char order[64];

static void note(void *letter)
{
    strcat(order, letter);
}

/* ---- nothing is done ---- */

static void do_read(void)
{
    char byte;
    read(spare[0], &byte, 1);
}

static void do_write(void)
{
    write(spare[0], "w", 1);
}

static void do_close(void)
{
    close(spare[0]);
}

static void do_poll(void)
{
    poll(NULL, 0, 0);
}

static void do_sleep(void)
{
    sleep(0);
}

static void do_sigtimedwait(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigtimedwait(&none, NULL, &(struct timespec){0});
}

static void do_waitpid(void)
{
    waitpid(-1, NULL, WNOHANG);
}

static void do_open(void)
{
    open("/dev/null", O_RDONLY);
}

static void do_system(void)
{
    system("exit 0");
}

static void *cancel_oneself_and_do(void *arg)
{
    void (*const *call)(void) = arg;
    pthread_cancel(pthread_self());
    pthread_cleanup_push(note, "h");
    (*call)();
    note("x");
    pthread_cleanup_pop(0);
    return NULL;
}

static bool is_cancelled_first(void (*call)(void))
{
    order[0] = '\0';
    return check_in_thread(cancel_oneself_and_do, &call) == PTHREAD_CANCELED &&
           strcmp(order, "h") == 0;
}

static void check_pending(void)
{
    char bytes[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, spare);
    IS(write(spare[1], "r", 1), 1);
    IS(is_cancelled_first(do_read), true);
    IS(is_cancelled_first(do_write), true);
    IS(is_cancelled_first(do_close), true);
    IS(read(spare[0], bytes, 2), 1);
    IS(recv(spare[1], bytes, 1, MSG_DONTWAIT), -1);
    IS(is_cancelled_first(do_poll), true);
    IS(is_cancelled_first(do_sleep), true);
    IS(is_cancelled_first(do_sigtimedwait), true);
    IS(is_cancelled_first(do_waitpid), true);
    IS(is_cancelled_first(do_open), true);
    IS(is_cancelled_first(do_system), true);
}

/* ---- what is no such place ---- */

static void *make_descriptors(void *arg)
{
    int fds[2];
    pthread_cancel(pthread_self());
    note(pipe(fds) == 0 ? "p" : "x");
    int twin = dup(fds[0]);
    note(twin >= 0 && fcntl(twin, F_GETFL) >= 0 ? "d" : "x");
    note(lockf(twin, F_TEST, 0) == 0 ? "t" : "x");
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    close(twin);
    close(fds[0]);
    close(fds[1]);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    note("c");
    pthread_testcancel();
    return arg;
}

static void *read_disabled(void *arg)
{
    char byte = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    sem_post(&ready);
    note(read(spare[0], &byte, 1) == 1 && byte == 'd' ? "r" : "x"); /* by now it is cancelled */
    note(poll(NULL, 0, 1) == 0 ? "p" : "x");
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    note("e");
    close(spare[0]);
    return arg;
}

/* Handlers are not cancelled. */
static void read_and_note(void *letter)
{
    char byte = 0;
    note(read(spare[0], &byte, 1) == 1 && byte == 'h' ? letter : "x");
}

static void *read_in_handler(void *arg)
{
    pthread_cleanup_push(read_and_note, "h");
    sem_post(&ready);
    pause();
    pthread_cleanup_pop(0);
    return arg;
}

static void *cancelled_with(void *(*fn)(void *), const char *byte)
{
    pthread_t thread;
    void *result = NULL;
    order[0] = '\0';
    pthread_create(&thread, NULL, fn, NULL);
    check_wait(&ready);
    pthread_cancel(thread);
    IS(write(spare[1], byte, 1), 1);
    pthread_join(thread, &result);
    return result;
}

static void check_disabled(void)
{
    order[0] = '\0';
    IS(check_in_thread(make_descriptors, NULL) == PTHREAD_CANCELED, true);
    IS(strcmp(order, "pdtc"), 0);
    IS(cancelled_with(read_disabled, "d") == PTHREAD_CANCELED, true);
    IS(strcmp(order, "rpe"), 0);
    IS(cancelled_with(read_in_handler, "h") == PTHREAD_CANCELED, true);
    IS(strcmp(order, "h"), 0);
}

/* ---- main, in a process of its own ---- */

static void note_and_post(void *letter)
{
    note(letter);
    sem_post(&ready);
}

static void *cancel_main(void *main_thread)
{
    pthread_cancel(*(pthread_t *)main_thread);
    check_wait(&ready);
    _exit(strcmp(order, "m") == 0 ? 7 : 8);
}

static void wait_in_main(void)
{
    static pthread_t self;
    pthread_t thread;
    self = pthread_self();
    order[0] = '\0';
    pthread_create(&thread, NULL, cancel_main, &self);
    pthread_cleanup_push(note_and_post, "m");
    for (;;)
        pause();
    pthread_cleanup_pop(0);
}

static void check_main(void)
{
    int status = 0;
    pid_t process = fork();
    if (process == 0)
        wait_in_main();
    IS(waitpid(process, &status, 0) == process, true);
    IS(WIFEXITED(status) && WEXITSTATUS(status) == 7, true);
}

void check_entries(void)
{
    sem_init(&ready, 0, 0);
    check_pending();
    check_disabled();
    check_main();
}
