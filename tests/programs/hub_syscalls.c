/* SPDX-License-Identifier: MIT */

/*
 * What an echo costs in system calls: a read, a write, and a share of one wait. The server runs
 * under ptrace, and its clients are the tracer: whenever the server is about to wait they take
 * their replies, and once all have come, send again.
 */
#include <verd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define CONNECTIONS 50
#define ROUNDS 100
#define WARM_UP 3
#define MOST_PER_ECHO 2.10

static int clients[CONNECTIONS];

static void serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[256];
    ssize_t n;
    while ((n = verd_read(fd, buffer, sizeof buffer)) > 0)
        verd_write_full(fd, buffer, (size_t)n, NULL);
}

static _Noreturn void be_server(int listener)
{
    for (int i = 0; i < CONNECTIONS; i++)
        close(clients[i]);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(77);
    raise(SIGSTOP);
    for (;;) {
        int fd = verd_accept(listener, NULL, NULL);
        if (fd < 0)
            _exit(1);
        verd_spawn_n(serve, (void *)(intptr_t)fd);
    }
}

/* Connects the clients; the listener, which does not block: at one that does another OS thread accepts. */
static int connect_all(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, CONNECTIONS) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return -1;
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(clients[i], (struct sockaddr *)&address, length) != 0)
            return -1;
    }
    return listener;
}

struct count {
    unsigned round;    /* how many times all have been sent to */
    unsigned sent;     /* replies in this round */
    unsigned received; /* and how many of them have arrived */
    unsigned calls;    /* in all rounds after the first few, without `checked` */
    unsigned added;    /* registrations, ever */
    unsigned checked;  /* registrations that were made sure of */
    bool adding;       /* a registration is under way */
};

static bool is_wait(uint64_t number)
{
#ifdef SYS_epoll_wait
    if (number == SYS_epoll_wait)
        return true;
#endif
#ifdef SYS_epoll_pwait2
    if (number == SYS_epoll_pwait2)
        return true;
#endif
    return number == SYS_epoll_pwait;
}

static void send_all(struct count *count)
{
    char byte = (char)count->round;
    for (int i = 0; i < CONNECTIONS; i++)
        send(clients[i], &byte, 1, MSG_NOSIGNAL);
    count->round++;
    count->sent = 0;
    count->received = 0;
}

/* The server is about to wait. */
static void turn(struct count *count)
{
    char byte;
    while (count->received < count->sent) {
        for (int i = 0; i < CONNECTIONS; i++)
            count->received += recv(clients[i], &byte, 1, MSG_DONTWAIT) == 1;
    }
    if (count->round == 0 || count->received == CONNECTIONS)
        send_all(count);
}

static bool counts(const struct count *count)
{
    return count->round > WARM_UP && count->round <= WARM_UP + ROUNDS;
}

static void note_call(struct count *count, uint64_t number, uint64_t operation)
{
    count->adding = number == SYS_epoll_ctl && operation == EPOLL_CTL_ADD;
    count->added += count->adding;
    count->sent += number == SYS_sendto;
    if (is_wait(number))
        turn(count);
    count->calls += counts(count);
}

/* To add what is registered is how the hub makes sure that it still is. */
static void note_return(struct count *count, int64_t result)
{
    if (!count->adding || result != -EEXIST)
        return;
    count->added--;
    count->checked++;
    count->calls -= counts(count);
}

/* Lets the server go on to its next system call. False: it has ended. */
static bool step(pid_t server, struct count *count)
{
    int status;
    struct ptrace_syscall_info info;
    if (ptrace(PTRACE_SYSCALL, server, NULL, NULL) != 0 || waitpid(server, &status, 0) != server ||
        !WIFSTOPPED(status))
        return false;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, server, (void *)sizeof info, &info) <= 0)
        return false;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        note_call(count, info.entry.nr, info.entry.args[1]);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        note_return(count, info.exit.rval);
    return true;
}

static int judge(const struct count *count, verd_duration span)
{
    double each = (double)count->calls / (ROUNDS * CONNECTIONS);
    /* Now and then all are made sure of, to find those closed behind the library's back. */
    unsigned audits = (unsigned)(span / (100 * VERD_MS)) + 2;
    printf("%.3f system calls for an echo; %u registrations, %u made sure of in %lld ms\n", each,
           count->added, count->checked, (long long)(span / VERD_MS));
    return each <= MOST_PER_ECHO && count->added <= CONNECTIONS + 1 &&
                   count->checked <= audits * (CONNECTIONS + 1) + CONNECTIONS + 1
               ? 0
               : 1;
}

static int skip(const char *why)
{
    puts(why);
    return 77;
}

int main(void)
{
    const char *hub = getenv("VERD_HUB");
    struct count count = {0};
    int status, listener = connect_all();
    if (hub != NULL && strcmp(hub, "poll") == 0)
        return skip("only epoll registers a descriptor for good");
    if (listener < 0)
        return 1;
    pid_t server = fork();
    if (server == 0)
        be_server(listener);
    waitpid(server, &status, 0);
    if (!WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, server, NULL,
                                      (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) != 0)
        return skip("ptrace is not to be had");
    verd_duration begin = verd_now();
    while (count.round <= WARM_UP + ROUNDS && step(server, &count))
        ;
    verd_duration span = verd_now() - begin;
    kill(server, SIGKILL);
    waitpid(server, &status, 0);
    if (count.round <= WARM_UP + ROUNDS)
        return skip("ptrace tells nothing of system calls");
    return judge(&count, span);
}
