/* SPDX-License-Identifier: MIT */
/* Cases of waiting for descriptors, and of time. */
#include "cases.h"

static void polling(struct book *book)
{
    int fds[2];
    struct pollfd many[300];
    SAY(pipe(fds));
    struct pollfd set[4] = {{.fd = fds[0], .events = POLLIN},
                            {.fd = -1, .events = POLLIN, .revents = 77},
                            {.fd = fds[1], .events = POLLOUT},
                            {.fd = fds[0], .events = POLLIN}};
    SAY(poll(set, 2, 0));
    SAY(set[1].revents);
    SAY(poll(set, 3, -1));
    SAY(set[2].revents);
    long begun = now_ms();
    SAY(poll(set, 2, 30));
    SAY(now_ms() - begun >= 30);
    SAY(poll(NULL, 0, 10));
    later_write(20, fds[1], "x");
    SAY(poll(set, 2, -1));
    SAY(set[0].revents);
    later_done();
    SAY(poll(set, 4, -1)); /* twice the same */
    SAY(poll(&(struct pollfd){.fd = 4000, .events = POLLIN}, 1, -1));
    set[1] = (struct pollfd){.fd = 4000, .events = POLLIN};
    SAY(poll(set, 2, -1));
    SAY(set[1].revents);
    SAY(poll(&(struct pollfd){.fd = fds[0], .events = 0}, 1, 0));
    for (int i = 0; i < 300; i++)
        many[i] = (struct pollfd){.fd = fds[i % 2], .events = i % 2 ? POLLOUT : POLLIN};
    SAY(poll(many, 300, 0));
    SAY(read(fds[0], &(char){0}, 1));
    SAY(poll(many, 300, 0));
    SAY(close(fds[1]));
    SAY(poll(set, 1, -1));
    SAY(set[0].revents);
    SAY(close(fds[0]));
    struct timespec soon = {0, 20000000}, wrong = {0, 2000000000}, past = {-1, 0};
    SAY(ppoll(NULL, 0, &soon, NULL));
    SAY(ppoll(NULL, 0, &wrong, NULL));
    SAY(ppoll(NULL, 0, &past, NULL));
}

static void selecting(struct book *book)
{
    int fds[2];
    fd_set in, out, urgent;
    struct timeval soon = {0, 20000}, none = {0, 0}, wrong = {-1, 0};
    struct timespec soon_ns = {0, 20000000}, wrong_ns = {0, -1};
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&urgent);
    FD_SET(fds[0], &in);
    FD_SET(fds[1], &in);
    FD_SET(fds[0], &urgent);
    SAY(select(fds[1] + 1, &in, NULL, &urgent, &none));
    SAY(FD_ISSET(fds[0], &in));
    SAY(select(0, NULL, NULL, NULL, &soon));
#ifdef __GLIBC__ /* musl's leaves it as it was */
    SAY(soon.tv_sec + soon.tv_usec);
#endif
    FD_SET(fds[0], &in);
    FD_SET(fds[0], &out);
    FD_SET(fds[1], &out);
    SAY(select(fds[1] + 1, &in, &out, &urgent, NULL));
    SAY(FD_ISSET(fds[0], &in));
    SAY(FD_ISSET(fds[0], &out) && FD_ISSET(fds[1], &out));
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    later_write(20, fds[1], "x");
    SAY(select(fds[0] + 1, &in, NULL, NULL, NULL));
    SAY(FD_ISSET(fds[0], &in) != 0);
    later_done();
    FD_ZERO(&out);
    FD_SET(fds[0], &out);
    SAY(select(fds[0] + 1, &in, &out, NULL, NULL));
    SAY(select(-1, NULL, NULL, NULL, &none));
    SAY(select(0, NULL, NULL, NULL, &wrong));
    SAY(pselect(0, NULL, NULL, NULL, &soon_ns, NULL));
    SAY(soon_ns.tv_nsec);
    SAY(pselect(0, NULL, NULL, NULL, &wrong_ns, NULL));
    SAY(close(fds[1]));
    SAY(read(fds[0], &(char){0}, 1));
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    FD_ZERO(&urgent);
    FD_SET(fds[0], &urgent);
    SAY(select(fds[0] + 1, &in, NULL, &urgent, NULL));
    SAY(FD_ISSET(fds[0], &urgent));
    struct timeval later = {0, 20000};
    FD_ZERO(&urgent);
    FD_SET(fds[0], &urgent);
    SAY(select(fds[0] + 1, NULL, NULL, &urgent, &later)); /* an end is nothing urgent */
    SAY(close(fds[0]));
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    SAY(select(fds[0] + 1, &in, NULL, NULL, &none));
}

static void epolling(struct book *book)
{
    struct epoll_event event = {.events = EPOLLIN}, events[4];
    int fds[2], epoll = epoll_create1(0);
    SAY(pipe(fds));
    event.data.fd = fds[0];
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
    SAY(epoll_wait(epoll, events, 4, 0));
    long begun = now_ms();
    SAY(epoll_wait(epoll, events, 4, 30));
    SAY(now_ms() - begun >= 30);
    later_write(20, fds[1], "x");
    SAY(epoll_wait(epoll, events, 4, -1));
    SAY(events[0].data.fd == fds[0]);
    later_done();
    SAY(epoll_wait(epoll, events, 4, -1));
    SAY(epoll_pwait(epoll, events, 4, 10, NULL));
    SAY(epoll_wait(epoll, events, 0, 0));
    SAY(epoll_wait(fds[0], events, 4, 0));
    SAY(close(epoll));
    SAY(epoll_wait(epoll, events, 4, -1));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

static void sleeping(struct book *book)
{
    struct timespec span = {0, 20000000}, wrong = {0, 1000000000}, before = {-1, 0}, at;
    long begun = now_ms();
    SAY(nanosleep(&span, NULL));
    SAY(now_ms() - begun >= 20);
    SAY(nanosleep(&wrong, NULL));
    SAY(nanosleep(&before, NULL));
    SAY(nanosleep(&(struct timespec){0, 0}, NULL));
    SAY(usleep(1000));
    SAY(usleep(0));
    SAY(sleep(0));
    SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL));
    SAY(clock_nanosleep(CLOCK_REALTIME, 0, &span, NULL));
    clock_gettime(CLOCK_MONOTONIC, &at);
    SAY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL));
    at.tv_sec += at.tv_nsec >= 980000000;
    at.tv_nsec = (at.tv_nsec + 20000000) % 1000000000;
    begun = now_ms();
    SAY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL));
    SAY(now_ms() - begun >= 15);
    SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL));
    SAY(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &span, NULL));
    SAY(clock_nanosleep(12345, 0, &span, NULL));
    SAY(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &span, NULL) == EOPNOTSUPP);
    SAY(clock_nanosleep(CLOCK_MONOTONIC_COARSE, 0, &wrong, NULL) == EOPNOTSUPP);
    SAY(clock_nanosleep(CLOCK_REALTIME_COARSE, TIMER_ABSTIME, &at, NULL) == EOPNOTSUPP);
    SAY(clock_nanosleep(CLOCK_BOOTTIME, 0, &(struct timespec){0, 0}, NULL));
}
