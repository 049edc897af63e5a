/* SPDX-License-Identifier: MIT */
/* Cases of signals: what waits for them, and what they end. */
#include "cases.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* siginterrupt */

/* Handled, and sent after a while. */
static void send_later(int signal)
{
    handle(signal, 0);
    later_signal(30, signal);
}

static void waiting_for_signals(struct book *book)
{
    sigset_t one, before, none;
    siginfo_t info;
    struct timespec soon = {0, 20000000}, at_once = {0, 0}, later = {5, 0}, wrong = {0, -1};
    int got = 0;
    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    SAY(sigprocmask(SIG_BLOCK, &one, &before));
    later_signal(20, SIGUSR1);
    SAY(sigwait(&one, &got));
    SAY(got == SIGUSR1);
    later_signal(20, SIGUSR1);
    SAY(sigwaitinfo(&one, &info) == SIGUSR1);
    SAY(info.si_signo == SIGUSR1 && info.si_code == SI_USER);
    SAY(info.si_pid == getpid());
    later_signal(20, SIGUSR1);
    SAY(sigwaitinfo(&one, NULL) == SIGUSR1);
    later_signal(20, SIGUSR1);
    SAY(sigtimedwait(&one, &info, &later) == SIGUSR1);
    later_signal(20, SIGUSR1);
    SAY(sigtimedwait(&one, &info, NULL) == SIGUSR1);
    long begun = now_ms();
    SAY(sigtimedwait(&one, &info, &soon));
    SAY(now_ms() - begun >= 20);
    SAY(sigtimedwait(&one, &info, &at_once));
    SAY(sigtimedwait(&one, &info, &wrong));
    SAY(kill(getpid(), SIGUSR1));
    SAY(sigtimedwait(&one, &info, &at_once) == SIGUSR1);
    SAY(kill(getpid(), SIGUSR1));
    SAY(sigwait(&one, &got));
#ifdef __GLIBC__ /* musl goes on */
    send_later(SIGUSR2);
    SAY(sigwaitinfo(&one, &info));
    send_later(SIGUSR2);
    SAY(sigtimedwait(&one, &info, &later));
    SAY(caught);
#endif
    handle(SIGUSR1, 0);
    later_signal(30, SIGUSR1);
    SAY(sigsuspend(&none));
    SAY(caught);
    SAY(sigprocmask(SIG_SETMASK, &before, &none));
    SAY(sigismember(&none, SIGUSR1));
    later_done();
    send_later(SIGUSR2);
    SAY(pause());
    SAY(caught);
    handle(SIGUSR2, SA_RESTART);
    later_signal(30, SIGUSR2);
    SAY(pause());
    later_done();
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

/* What only looks, with a mask that lets through a signal which is there already. */
static void looks(struct book *book)
{
    struct timespec at_once = {0, 0};
    struct epoll_event event;
    sigset_t one, none;
    int epoll = epoll_create1(0);
    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    SAY(sigprocmask(SIG_BLOCK, &one, NULL));
    handle(SIGUSR1, SA_RESTART);
    raise(SIGUSR1);
    SAY(ppoll(NULL, 0, &at_once, &none));
    SAY(caught);
    SAY(ppoll(NULL, 0, &at_once, &none));
    raise(SIGUSR1);
    SAY(pselect(0, NULL, NULL, NULL, &at_once, &none));
    SAY(caught);
    SAY(pselect(0, NULL, NULL, NULL, &at_once, &none));
    raise(SIGUSR1);
    SAY(ppoll(&(struct pollfd){.fd = epoll, .events = POLLIN}, 1, &at_once, &one));
    SAY(epoll_pwait(epoll, &event, 1, 0, &none));
    SAY(caught);
    SAY(sigprocmask(SIG_UNBLOCK, &one, NULL));
    SAY(caught);
    SAY(close(epoll));
    signal(SIGUSR1, SIG_DFL);
}

/* Whether a handler's signal ends a read, and not only interrupts it. */
static void interrupted_read(struct book *book)
{
    char byte;
    int fds[2];
    SAY(pipe(fds));
    caught = 0;
    later_signal(20, SIGUSR1);
    later_write(60, fds[1], "x");
    SAY(read(fds[0], &byte, 1));
    SAY(caught);
    later_done();
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

static void handlers_of_old(struct book *book)
{
    struct sigaction action;
    SAY(signal(SIGUSR1, catch) == SIG_DFL);
    interrupted_read(book);
    SAY(siginterrupt(SIGUSR1, 1));
    SAY(sigaction(SIGUSR1, NULL, &action));
    SAY(action.sa_handler == catch);
    SAY(action.sa_flags & SA_RESTART);
    interrupted_read(book);
    SAY(signal(SIGUSR1, catch) == catch); /* glibc's keeps it so */
    interrupted_read(book);
    SAY(siginterrupt(SIGUSR1, 0));
    interrupted_read(book);
    SAY(signal(SIGUSR1, SIG_IGN) == catch);
    SAY(siginterrupt(SIGUSR1, 1));
    SAY(siginterrupt(SIGUSR1, 0));
    SAY(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    SAY(siginterrupt(12345, 1));
    SAY(siginterrupt(-1, 0));
#ifdef __GLIBC__
    SAY(sysv_signal(SIGUSR1, catch) == SIG_DFL);
    interrupted_read(book);
    SAY(sigaction(SIGUSR1, NULL, &action));
    SAY(action.sa_handler == SIG_DFL); /* once */
    SAY(action.sa_flags);
    SAY(sysv_signal(SIGUSR1, SIG_IGN) == SIG_DFL);
    SAY(sysv_signal(-1, catch) == SIG_ERR);
    SAY(sysv_signal(SIGUSR1, SIG_DFL) == SIG_IGN);
#endif
}

static void interruptions(struct book *book)
{
    struct sigaction action;
    struct timespec span = {5, 0}, left = {0, 0};
    struct epoll_event event;
    char byte;
    sigset_t none;
    int fds[2], port, listener = make_listener(&port), epoll = epoll_create1(0);
    sigemptyset(&none);
    SAY(pipe(fds));
    handle(SIGUSR1, 0);
    SAY(sigaction(SIGUSR1, NULL, &action));
    SAY(action.sa_handler == catch);
    SAY(action.sa_flags & (SA_RESTART | SA_SIGINFO));
    later_signal(30, SIGUSR1);
    SAY(read(fds[0], &byte, 1));
    SAY(caught);
    later_signal(30, SIGUSR1);
    SAY(accept(listener, NULL, NULL));
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    int status;
    later_signal(30, SIGUSR1);
    SAY(waitpid(pid, &status, 0));
    SAY(kill(pid, SIGKILL));
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(WTERMSIG(status));
    later_signal(30, SIGUSR1);
    SAY(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, -1));
    later_signal(30, SIGUSR1);
    SAY(select(0, NULL, NULL, NULL, NULL));
    later_signal(30, SIGUSR1);
    SAY(epoll_wait(epoll, &event, 1, -1));
    later_signal(30, SIGUSR1);
    SAY(nanosleep(&span, &left));
    SAY(left.tv_sec);
    later_signal(30, SIGUSR1);
    SAY(usleep(900000));
    later_signal(30, SIGUSR1);
    SAY(sleep(5));
    later_signal(30, SIGUSR1);
    SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &span, &left) == EINTR);
    later_done();
    handle(SIGUSR1, SA_RESTART);
    SAY(sigaction(SIGUSR1, NULL, &action));
    SAY(action.sa_handler == catch);
    later_signal(20, SIGUSR1);
    later_write(60, fds[1], "x");
    SAY(read(fds[0], &byte, 1));
    SAY(caught);
    later_done();
    later_signal(30, SIGUSR1);
    SAY(poll(NULL, 0, 5000));
    SAY(signal(SIGUSR1, SIG_IGN) == catch);
    SAY(signal(SIGUSR1, catch) == SIG_IGN);
    SAY(signal(SIGUSR1, SIG_DFL) == catch);
    SAY(sigaction(SIGKILL, &action, NULL));
    SAY(sigaction(12345, NULL, &action));
    SAY(signal(-1, catch) == SIG_ERR);
    later_done();
    SAY(close(epoll));
    SAY(close(listener));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

/* What has a limit is not restarted. */
static void interrupted_limits(struct book *book)
{
    if (!limits_are_told())
        return;
    struct timeval limit = {5, 0};
    char byte;
    int fds[2], port, listener = make_listener(&port);
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SAY(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    SAY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    handle(SIGUSR1, SA_RESTART);
    later_signal(30, SIGUSR1);
    SAY(recv(fds[0], &byte, 1, 0));
    SAY(caught);
    later_signal(30, SIGUSR1);
    SAY(read(fds[0], &byte, 1));
    later_signal(30, SIGUSR1);
    SAY(accept(listener, NULL, NULL));
    SAY(caught);
    later_done();
    SAY(close(listener));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    signal(SIGUSR1, SIG_DFL);
}
