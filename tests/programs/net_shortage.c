/* SPDX-License-Identifier: MIT */

/* An accept that is out of descriptors waits without spinning, and serves when there are some. */
#include <verd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT 16
#define CLIENTS 20
#define PATIENCE (300 * VERD_MS)

static unsigned accept_calls, accepted;
static int held[CLIENTS]; /* descriptors that were accepted and are still open */
static unsigned held_count;

/* Stands in for libc's. */
int count_accept(int fd, void *address, void *length, int flags) __asm__("accept4");

int count_accept(int fd, void *address, void *length, int flags)
{
    accept_calls++;
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

static void *accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg;
    while (accepted < CLIENTS) {
        int fd = verd_accept(listener, NULL, NULL);
        if (fd < 0) {
            perror("verd_accept");
            exit(1);
        }
        held[held_count++] = fd;
        accepted++;
    }
    return NULL;
}

/* Connects them all, and keeps them until it is killed. */
static pid_t start_clients(int port)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CLIENTS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
            _exit(1);
    }
    pause();
    _exit(0);
}

static int make_listener(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, CLIENTS);
    getsockname(listener, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return listener;
}

static verd_duration processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * VERD_SEC + time.tv_nsec;
}

/* Whether the accept, which has no descriptors, leaves the processor alone. */
static int rests(void)
{
    unsigned calls = accept_calls;
    verd_duration begin = verd_now(), used = processor_time();
    verd_sleep(PATIENCE);
    verd_duration span = verd_now() - begin;
    calls = accept_calls - calls;
    used = processor_time() - used;
    printf("out of descriptors: %u calls of accept and %lld us of the processor in %lld ms\n",
           calls, (long long)(used / VERD_US), (long long)(span / VERD_MS));
    return calls <= (unsigned)(span / VERD_MS) && used < span / 2;
}

int main(void)
{
    int port;
    int listener = make_listener(&port);
    pid_t clients = start_clients(port);
    struct rlimit limit = {LIMIT, LIMIT};
    setrlimit(RLIMIT_NOFILE, &limit);

    verd_thread *accepter = verd_spawn(accept_all, (void *)(intptr_t)listener);
    while (accept_calls == accepted || accepted < LIMIT - 10)
        verd_sleep(VERD_MS); /* until a call has failed */
    int good = rests() && accepted < CLIENTS;
    while (held_count > 0 || accepted < CLIENTS) {
        while (held_count > 0)
            verd_close(held[--held_count]);
        verd_sleep(VERD_MS); /* hangs unless it accepts again */
    }
    verd_join(accepter, NULL);
    kill(clients, SIGKILL);
    waitpid(clients, NULL, 0);
    return good ? 0 : 1;
}
