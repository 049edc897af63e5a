/* SPDX-License-Identifier: MIT */

/* What does it cost to have another OS thread do something: a post that nobody answers, and an
 * offloaded function whose result comes back?
 *
 * By hand, the first is a write to an eventfd that the other OS thread reads. The second is one write
 * there and one back. Processor time of both sides is counted. */
#include <verd/os.h>
#include <verd/thread.h>
#include <verd/time.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"

/* An OS thread on the second processor that does `count` of something for a slice. */
struct poster {
    verd_hub *hub;
    long count;
};

static long ran; /* by the hub */

static void count_one(void *unused)
{
    (void)unused;
    ran++;
}

static void *post_all(void *arg)
{
    const struct poster *poster = arg;
    bench_pin(1);
    for (long i = 0; i < poster->count; i++) {
        while (verd_post(poster->hub, count_one, NULL) != 0) {
            if (errno != EAGAIN)
                bench_fail("verd_post");
            sched_yield(); /* the hub is behind */
        }
    }
    return NULL;
}

static double post(void *state, long count)
{
    struct poster poster = {.hub = state, .count = count};
    pthread_t thread;
    ran = 0;
    double start = bench_time();
    if (pthread_create(&thread, NULL, post_all, &poster) != 0)
        bench_fail("pthread_create");
    while (ran < count)
        verd_sleep(VERD_MS / 10);
    pthread_join(thread, NULL);
    return (bench_time() - start) / (double)count;
}

static void write_one(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) != sizeof one)
        bench_fail("write");
}

static uint64_t read_some(int fd)
{
    uint64_t some;
    if (read(fd, &some, sizeof some) != sizeof some)
        bench_fail("read");
    return some;
}

static int there, back; /* eventfds */

static void *write_all(void *arg)
{
    bench_pin(1);
    for (long i = *(const long *)arg; i > 0; i--)
        write_one(there);
    return NULL;
}

static double write_each(void *unused, long count)
{
    pthread_t thread;
    (void)unused;
    double start = bench_time();
    if (pthread_create(&thread, NULL, write_all, &count) != 0)
        bench_fail("pthread_create");
    for (long left = count; left > 0;)
        left -= (long)read_some(there);
    pthread_join(thread, NULL);
    return (bench_time() - start) / (double)count;
}

static void *same(void *arg)
{
    return arg;
}

static double offload(void *unused, long count)
{
    (void)unused;
    double start = bench_time();
    for (intptr_t i = 0; i < count; i++) {
        void *result;
        if (verd_offload(same, (void *)i, &result) != 0 || result != (void *)i)
            bench_fail("verd_offload");
    }
    return (bench_time() - start) / (double)count;
}

static void *answer(void *unused)
{
    bench_pin(1);
    for (;;) {
        read_some(there);
        write_one(back);
    }
    return unused;
}

static double ask(void *unused, long count)
{
    (void)unused;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        write_one(there);
        read_some(back);
    }
    return (bench_time() - start) / (double)count;
}

static void start(void)
{
    bench_pin(0);
    there = eventfd(0, EFD_CLOEXEC);
    back = eventfd(0, EFD_CLOEXEC);
    if (there < 0 || back < 0)
        bench_fail("eventfd");
}

void bench_post(void)
{
    verd_hub *hub = verd_hub_open();
    if (hub == NULL)
        bench_fail("verd_hub_open");
    start();
    bench_measure(&(struct bench_pair){.name = "post",
                                       .unit = "ns",
                                       .floor_name = "writing an eventfd each",
                                       .value = post,
                                       .floor = write_each,
                                       .state = hub,
                                       .count = 50000});
}

void bench_offload(void)
{
    pthread_t thread;
    start();
    if (pthread_create(&thread, NULL, answer, NULL) != 0)
        bench_fail("pthread_create");
    bench_measure(&(struct bench_pair){.name = "offload",
                                       .unit = "ns",
                                       .floor_name = "eventfds, there and back",
                                       .value = offload,
                                       .floor = ask,
                                       .count = 2000});
}
