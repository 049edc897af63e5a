/* SPDX-License-Identifier: MIT */

/* What does a message cost from one thread to another: hand to hand, and through a buffer?
 *
 * Hand to hand, the floor is one switch by the bare stub: the message's sender or its receiver has to
 * wait for the other. Through a buffer it is a put and a get of a plain ring of pointers. */
#include <verd/queue.h>
#include <verd/thread.h>

#include <stddef.h>
#include <stdint.h>

#include "bench.h"
#include "stub.h"
#include "turns.h"

#define BUFFER 64 /* messages */

static verd_queue *queue;

static void sender(void *unused)
{
    (void)unused;
    for (uintptr_t i = 0; verd_queue_put(queue, (void *)i) == 0; i++) {
    }
}

/* The sender never stops: the figure is that of so many messages of its endless row. */
static double receive(void *state, long count)
{
    static uintptr_t expected;
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        void *item;
        if (verd_queue_get(queue, &item) != 0 || (uintptr_t)item != expected++)
            bench_fail("verd_queue_get");
    }
    return (bench_time() - start) / (double)count;
}

static struct ring {
    void *items[BUFFER];
    size_t put, got;
} ring;

static TURNS_NOINLINE void ring_put(struct ring *to, void *item)
{
    to->items[to->put++ % BUFFER] = item;
}

static TURNS_NOINLINE void *ring_get(struct ring *from)
{
    return from->items[from->got++ % BUFFER];
}

static double ring_messages(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long done = 0; done < count; done += BUFFER) {
        for (uintptr_t i = 0; i < BUFFER; i++)
            ring_put(&ring, (void *)i);
        for (uintptr_t i = 0; i < BUFFER; i++)
            if ((uintptr_t)ring_get(&ring) != i)
                bench_fail("the ring");
    }
    return (bench_time() - start) / (double)count;
}

static void start(size_t capacity)
{
    bench_pin(0);
    queue = verd_queue_new(capacity);
    if (queue == NULL || verd_spawn_n(sender, NULL) != 0)
        bench_fail("verd_queue_new");
}

static void measure_rendezvous(const char *name)
{
    start(0);
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "bare stub, one switch",
                                       .value = receive,
                                       .floor = bench_stub_turns,
                                       .count = 200000});
}

void bench_queue_rendezvous(void)
{
    measure_rendezvous("queue_rendezvous");
}

void bench_queue_rendezvous_io(void)
{
    bench_await_descriptor();
    measure_rendezvous("queue_rendezvous_io");
}

void bench_queue_buffered(void)
{
    start(BUFFER);
    bench_measure(&(struct bench_pair){.name = "queue_buffered",
                                       .unit = "ns",
                                       .floor_name = "plain ring, put and get",
                                       .value = receive,
                                       .floor = ring_messages,
                                       .count = 64L * 4000});
}
