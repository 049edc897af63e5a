/* SPDX-License-Identifier: MIT */
/* Cancellation in each call of POSIX that waits: pending at its entry, and while it waits. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t ready;
static int silent[2], full[2], listener = -1, locked = -1;
static sigset_t signals;
static pid_t child;
static pthread_key_t key;
static char order[64];

static const struct timespec day = {.tv_sec = 86400};

static void note(void *letter)
{
    strcat(order, letter);
}

/* ---- calls that wait, in the world below ---- */

static void wait_in_read(void)
{
    char byte;
    read(silent[0], &byte, 1);
}

static void wait_in_readv(void)
{
    char byte;
    readv(silent[0], &(struct iovec){&byte, 1}, 1);
}

static void wait_in_recv(void)
{
    char byte;
    recv(silent[0], &byte, 1, 0);
}

static void wait_in_recvfrom(void)
{
    char byte;
    recvfrom(silent[0], &byte, 1, 0, NULL, NULL);
}

static void wait_in_recvmsg(void)
{
    char byte;
    struct iovec room = {&byte, 1};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
    recvmsg(silent[0], &message, 0);
}

static void wait_in_write(void)
{
    write(full[1], order, 1);
}

static void wait_in_writev(void)
{
    writev(full[1], &(struct iovec){order, 1}, 1);
}

static void wait_in_accept(void)
{
    accept(listener, NULL, NULL);
}

static void wait_in_poll(void)
{
    poll(NULL, 0, -1);
}

static void wait_in_ppoll(void)
{
    ppoll(&(struct pollfd){.fd = silent[0], .events = POLLIN}, 1, NULL, &signals);
}

static void wait_in_select(void)
{
    fd_set input;
    FD_ZERO(&input);
    FD_SET(silent[0], &input);
    select(silent[0] + 1, &input, NULL, NULL, NULL);
}

static void wait_in_pselect(void)
{
    pselect(0, NULL, NULL, NULL, &day, &signals);
}

static void wait_in_epoll_wait(void)
{
    struct epoll_event event;
    int poller = epoll_create1(0);
    epoll_wait(poller, &event, 1, -1);
}

static void wait_in_sleep(void)
{
    sleep(86400);
}

static void wait_in_usleep(void)
{
    usleep(999999);
}

static void wait_in_nanosleep(void)
{
    nanosleep(&day, NULL);
}

static void wait_in_clock_nanosleep(void)
{
    clock_nanosleep(CLOCK_REALTIME, 0, &day, NULL);
}

static void wait_in_pause(void)
{
    pause();
}

static void wait_in_sigsuspend(void)
{
    sigsuspend(&signals);
}

static void wait_in_sigwait(void)
{
    int signal;
    sigwait(&signals, &signal);
}

static void wait_in_sigwaitinfo(void)
{
    sigwaitinfo(&signals, NULL);
}

static void wait_in_sigtimedwait(void)
{
    sigtimedwait(&signals, NULL, &day);
}

static void wait_in_wait(void)
{
    wait(NULL);
}

static void wait_in_waitpid(void)
{
    waitpid(child, NULL, 0);
}

static void wait_in_fcntl(void)
{
    struct flock region = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(locked, F_SETLKW, &region);
}

static void wait_in_lockf(void)
{
    lockf(locked, F_LOCK, 0);
}

/* How many sources end their one thread a connection: nothing but cancellation ends these. */

static void accept_for_ever(void)
{
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0)
            close(client);
    }
}

static void read_for_ever(void)
{
    char byte;
    for (;;) {
        if (read(silent[0], &byte, 1) < 0 && errno != EINTR)
            continue;
    }
}

static void sleep_for_ever(void)
{
    for (;;)
        sleep(1);
}

static const struct {
    const char *name;
    void (*wait)(void);
} calls[] = {
    {"read", wait_in_read},
    {"readv", wait_in_readv},
    {"recv", wait_in_recv},
    {"recvfrom", wait_in_recvfrom},
    {"recvmsg", wait_in_recvmsg},
    {"write", wait_in_write},
    {"writev", wait_in_writev},
    {"accept", wait_in_accept},
    {"poll", wait_in_poll},
    {"ppoll", wait_in_ppoll},
    {"select", wait_in_select},
    {"pselect", wait_in_pselect},
    {"epoll_wait", wait_in_epoll_wait},
    {"sleep", wait_in_sleep},
    {"usleep", wait_in_usleep},
    {"nanosleep", wait_in_nanosleep},
    {"clock_nanosleep", wait_in_clock_nanosleep},
    {"pause", wait_in_pause},
    {"sigsuspend", wait_in_sigsuspend},
    {"sigwait", wait_in_sigwait},
    {"sigwaitinfo", wait_in_sigwaitinfo},
    {"sigtimedwait", wait_in_sigtimedwait},
    {"wait", wait_in_wait},
    {"waitpid", wait_in_waitpid},
    {"fcntl", wait_in_fcntl},
    {"lockf", wait_in_lockf},
    {"accept for ever", accept_for_ever},
    {"read for ever", read_for_ever},
    {"sleep for ever", sleep_for_ever},
};
#define CALLS (sizeof calls / sizeof *calls)

/* ---- threads that are cancelled in them ---- */

static void *wait_in(void (*wait)(void))
{
    pthread_setspecific(key, "k");
    pthread_cleanup_push(note, "h");
    wait();
    note("x");
    pthread_cleanup_pop(0);
    return NULL;
}

static void *post_and_wait(void *call)
{
    sem_post(&ready);
    return wait_in(calls[(intptr_t)call].wait);
}

static void *cancel_oneself_and_wait(void *call)
{
    pthread_cancel(pthread_self());
    return wait_in(calls[(intptr_t)call].wait);
}

static void check_calls(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        pthread_t thread;
        void *result = NULL;
        order[0] = '\0';
        pthread_create(&thread, NULL, post_and_wait, (void *)i);
        check_wait(&ready);
        IS(pthread_cancel(thread), 0);
        IS(pthread_join(thread, &result), 0);
        check_is(calls[i].name, result == PTHREAD_CANCELED && strcmp(order, "hk") == 0, true);
        order[0] = '\0';
        result = check_in_thread(cancel_oneself_and_wait, (void *)i);
        check_is(calls[i].name, result == PTHREAD_CANCELED && strcmp(order, "hk") == 0, true);
    }
}

/* ---- the world ---- */

/* A process that has a lock, and waits for its end. */
static pid_t start_child(void)
{
    int told[2];
    char byte;
    pipe(told);
    pid_t process = fork();
    if (process == 0) {
        lockf(locked, F_LOCK, 0);
        write(told[1], "l", 1);
        for (;;)
            pause();
    }
    read(told[0], &byte, 1);
    close(told[0]);
    close(told[1]);
    return process;
}

static void make_world(void)
{
    char path[] = "/tmp/verd-lock-XXXXXX";
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    sem_init(&ready, 0, 0);
    pthread_key_create(&key, note);
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    socketpair(AF_UNIX, SOCK_STREAM, 0, silent);
    pipe(full);
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    while (write(full[1], path, 1) > 0) {
    }
    fcntl(full[1], F_SETFL, 0);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (const struct sockaddr *)&any, sizeof any.sun_family); /* Linux finds a name */
    listen(listener, 1);
    locked = mkstemp(path);
    unlink(path);
    child = start_child();
}

void check_points(void)
{
    make_world();
    check_calls();
    kill(child, SIGKILL);
    IS(waitpid(child, NULL, 0) == child, true);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    pthread_key_delete(key);
}
