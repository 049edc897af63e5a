/* SPDX-License-Identifier: MIT */
/* Queues of every kind, and select: what is put is got once or left, and what is not put is not got. */
#include <stdlib.h>

#include "fuzz.h"

enum { FIFO, LIFO, PRIORITY, RENDEZVOUS, UNBOUNDED, QUEUES };

#define ITEMS 4096
#define THREADS 64

enum fate { OFFERED, IN, GOT, REFUSED };

struct item {
    int key;
    unsigned producer, number;
    int queue;
    enum fate fate;
};

static verd_queue *queues[QUEUES];
static struct item items[ITEMS];
static size_t item_count;
static size_t
    balance[QUEUES];   /* how many items are in it, and with putters that do not know it yet */
static bool some_gone; /* this is the child of a fork */

/* Of each thread that uses queues: how much it has put, and what it had of others last. */
struct party {
    const verd_thread *thread;
    unsigned put;
    unsigned seen[QUEUES][THREADS];
};

static struct party parties[THREADS];
static size_t party_count;

static int by_key(const void *a, const void *b)
{
    return ((const struct item *)a)->key - ((const struct item *)b)->key;
}

static void begin(void)
{
    queues[FIFO] = verd_queue_new(3);
    queues[LIFO] = verd_queue_new_lifo(2);
    queues[PRIORITY] = verd_queue_new_priority(4, by_key);
    queues[RENDEZVOUS] = verd_queue_new(0);
    queues[UNBOUNDED] = verd_queue_new(VERD_UNBOUNDED);
    item_count = party_count = 0;
    some_gone = false;
    for (int i = 0; i < QUEUES; i++)
        balance[i] = 0;
}

/* The caller's number. A control block serves several threads, but actors come all at once. */
static unsigned party(void)
{
    const verd_thread *self = verd_self();
    for (size_t i = 0; i < party_count; i++) {
        if (parties[i].thread == self)
            return (unsigned)i;
    }
    expect(party_count < THREADS, "more threads than expected");
    parties[party_count] = (struct party){.thread = self};
    return (unsigned)party_count++;
}

static struct item *new_item(int queue)
{
    unsigned producer = party();
    expect(item_count < ITEMS, "more items than expected");
    struct item *item = &items[item_count++];
    *item = (struct item){(int)chance(5), producer, ++parties[producer].put, queue, OFFERED};
    return item;
}

/* The put of the item has come to an end. */
static void settle(struct item *item, bool put)
{
    expect(put || item->fate == OFFERED, "an item was got that was not put");
    balance[item->queue] += put;
    if (item->fate == OFFERED)
        item->fate = put ? IN : REFUSED;
}

/* What one thread puts, comes to another in the order of putting, where that is promised. */
static void receive(struct item *item, int queue)
{
    unsigned consumer = party();
    unsigned *seen = &parties[consumer].seen[queue][item->producer];
    expect(item->fate != GOT, "an item was got twice");
    expect(item->fate != REFUSED, "an item was got whose put has failed");
    expect(item->queue == queue, "an item was got from another queue");
    item->fate = GOT;
    balance[queue]--;
    if (queue != LIFO && queue != PRIORITY) {
        expect(item->number > *seen, "items came out of order");
        *seen = item->number;
    }
    expect(verd_queue_task_done(queues[queue]) == 0, "more items were got than put");
}

static void put(int queue)
{
    struct item *item = new_item(queue);
    int expected = due();
    bool done;
    if (one_in(4)) {
        done = verd_queue_try_put(queues[queue], item) == 0;
        expect(done || errno == EAGAIN, "verd_queue_try_put");
    } else {
        done = judged("verd_queue_put", expected, verd_queue_put(queues[queue], item) == 0, 0);
    }
    settle(item, done);
}

static void get(int queue)
{
    void *item = NULL;
    int expected = due();
    bool done;
    if (one_in(4)) {
        done = verd_queue_try_get(queues[queue], &item) == 0;
        expect(done || errno == EAGAIN, "verd_queue_try_get");
    } else {
        done = judged("verd_queue_get", expected, verd_queue_get(queues[queue], &item) == 0, 0);
    }
    expect(done == (item != NULL), "a get without an item");
    if (done)
        receive(item, queue);
}

static void get_many(int queue)
{
    void *got[3] = {NULL};
    int expected = due();
    ssize_t count = verd_queue_get_many(queues[queue], got, 3);
    judged("verd_queue_get_many", expected, count > 0, 0);
    for (ssize_t i = 0; i < count; i++)
        receive(got[i], queue);
}

/* Up to three queues, and what ends the wait otherwise; each put has an item of its own. */
static void choose(void)
{
    verd_case cases[5];
    struct item *offered[5] = {NULL};
    void *got[5] = {NULL};
    int from[4];
    size_t count = 1 + chance(3);
    for (size_t i = 0; i < count; i++) {
        from[i] = (int)chance(QUEUES);
        if (one_in(2))
            offered[i] = new_item(from[i]);
        cases[i] = offered[i] != NULL ? VERD_PUT(queues[from[i]], offered[i])
                                      : VERD_GET(queues[from[i]], &got[i]);
    }
    if (one_in(4))
        cases[count++] = VERD_DEFAULT;
    else if (one_in(4))
        cases[count++] = VERD_AFTER(chance(1000) * VERD_US);
    int expected = due();
    int taken = verd_select(cases, count);
    judged("verd_select", expected, taken >= 0, 0);
    for (size_t i = 0; i < count; i++) {
        if (offered[i] != NULL)
            settle(offered[i], (int)i == taken);
        expect(got[i] == NULL || (int)i == taken, "a case that was not taken has an item");
        if (got[i] != NULL)
            receive(got[i], from[i]);
    }
}

/* As people write it, and right as long as nobody runs in between. */
static void check_and_act(int queue)
{
    void *item;
    if (verd_queue_length(queues[queue]) == 0)
        return;
    verd_yield();
    expect(verd_queue_try_get(queues[queue], &item) == 0, "the planted bug");
    receive(item, queue);
}

static void share(void)
{
    int queue = (int)chance(QUEUES);
    switch (chance(8)) {
    case 0:
        choose();
        break;
    case 1:
        if (queue != RENDEZVOUS && one_in(3))
            expect(verd_queue_resize(queues[queue], 1 + chance(5)) == 0, "verd_queue_resize");
        break;
    case 2:
        if (planted)
            check_and_act(queue);
        break;
    case 3:
    case 4:
        put(queue);
        break;
    case 5:
        get_many(queue);
        break;
    default:
        get(queue);
        break;
    }
}

/* ---- scenes ---- */

struct delivery {
    verd_queue *queue;
    unsigned count; /* to be put; then it is closed */
};

static void *deliver(void *arg)
{
    struct delivery *delivery = arg;
    for (uintptr_t i = 1; i <= delivery->count; i++) {
        if (one_in(3))
            linger();
        if (verd_queue_put(delivery->queue, (void *)i) != 0)
            return (void *)(i - 1);
    }
    verd_queue_close(delivery->queue);
    return (void *)(uintptr_t)delivery->count;
}

/* Every item comes, in order, up to the end or until the caller gives up; the rest is still there. */
static void take_delivery(void)
{
    struct delivery delivery = {verd_queue_new(chance(3)), 1 + chance(6)};
    uintptr_t got = 0;
    void *item;
    verd_thread *helper = hire(deliver, &delivery);
    for (;;) {
        int expected = due();
        int result = verd_queue_get(delivery.queue, &item);
        if (!judged("get", expected, result == 0, EPIPE))
            break;
        expect((uintptr_t)item == ++got, "a delivery out of order");
    }
    shield_begin();
    while (verd_queue_get(delivery.queue, &item) == 0)
        expect((uintptr_t)item == ++got, "the rest of a delivery out of order");
    shield_end();
    expect((uintptr_t)dismiss(helper) == delivery.count && got == delivery.count,
           "a delivery was not complete");
    verd_queue_free(delivery.queue);
}

static void *get_one(void *queue)
{
    void *item = NULL;
    linger();
    return verd_queue_get(queue, &item) == 0 ? item : NULL;
}

/* A put either has its item taken, or leaves no trace. */
static void hand_over(void)
{
    verd_queue *queue = verd_queue_new(0);
    int thing;
    verd_thread *helper = hire(get_one, queue);
    int expected = due();
    bool put_done = judged("put", expected, verd_queue_put(queue, &thing) == 0, 0);
    expect(verd_queue_length(queue) == 0, "a rendezvous holds an item");
    if (!put_done)
        verd_queue_close(queue);
    void *got = dismiss(helper);
    expect(got == (put_done ? &thing : NULL), "a rendezvous has lost an item, or has a ghost");
    verd_queue_free(queue);
}

static void *put_one(void *queue)
{
    return verd_queue_put(queue, queue) == 0 ? queue : NULL;
}

/* However it comes to be, room in a queue is for who waits for it. */
static void make_room(void)
{
    verd_queue *queue = verd_queue_new(1);
    void *item;
    verd_queue_try_put(queue, queue);
    verd_thread *helper = hire(put_one, queue);
    linger();
    if (one_in(2))
        expect(verd_queue_resize(queue, 2) == 0, "verd_queue_resize");
    else
        expect(verd_queue_try_get(queue, &item) == 0, "an item was lost");
    expect(dismiss(helper) == queue, "a put has failed");
    verd_queue_free(queue);
}

static void *work_off(void *queue)
{
    void *item;
    while (verd_queue_get(queue, &item) == 0) {
        linger();
        verd_queue_task_done(queue);
    }
    return queue;
}

static void wait_for_work(void)
{
    verd_queue *queue = verd_queue_new(VERD_UNBOUNDED);
    verd_thread *helper = hire(work_off, queue);
    for (unsigned i = chance(4); i > 0; i--)
        expect(verd_queue_try_put(queue, queue) == 0, "a queue without bounds is full");
    int expected = due();
    bool joined = judged("join", expected, verd_queue_join(queue) == 0, 0);
    expect(!joined || verd_queue_length(queue) == 0, "work was not done");
    verd_queue_close(queue);
    expect(dismiss(helper) == queue, "a worker was lost");
    shield_begin();
    expect(verd_queue_join(queue) == 0, "work was lost");
    shield_end();
    verd_queue_free(queue);
}

static void scene(void)
{
    static void (*const scenes[])(void) = {take_delivery, hand_over, make_room, wait_for_work};
    scenes[chance(sizeof scenes / sizeof *scenes)]();
}

/* ---- accounts ---- */

/* What is left comes in the queue's order. */
static void drain(int queue)
{
    const struct item *before = NULL;
    void *item;
    verd_queue_close(queues[queue]);
    while (verd_queue_get(queues[queue], &item) == 0) {
        expect(queue != PRIORITY || before == NULL || by_key(before, item) <= 0, "priorities");
        before = item;
        receive(item, queue);
    }
    expect(errno == EPIPE, "the end of a queue");
    expect(balance[queue] == 0, "an item was lost, or came from nowhere");
    if (some_gone) /* with what they had got and not done */
        return;
    expect(verd_queue_join(queues[queue]) == 0, "an item is not done");
    expect(verd_queue_task_done(queues[queue]) != 0, "an item came from nowhere");
}

static void end(void)
{
    for (int i = 0; i < QUEUES; i++)
        drain(i);
    for (size_t i = 0; i < item_count && !some_gone; i++)
        expect(items[i].fate == GOT || items[i].fate == REFUSED, "an item was lost");
    for (int i = 0; i < QUEUES; i++)
        verd_queue_free(queues[i]);
}

/* Nobody waits. What is in a queue is still there, and what was handed over is with those that are gone. */
static void forked(void)
{
    size_t there = 0, known = 0;
    for (int i = 0; i < QUEUES; i++) {
        expect(verd_queue_getting(queues[i]) == 0, "somebody who is gone waits to get");
        expect(verd_queue_putting(queues[i]) == 0, "somebody who is gone waits to put");
        there += balance[i] = verd_queue_length(queues[i]);
    }
    for (size_t i = 0; i < item_count; i++)
        known += items[i].fate == OFFERED || items[i].fate == IN;
    expect(there <= known, "a fork has made items");
    some_gone = true;
}

/* The queues are of an OS thread that has ended. */
static void left(void)
{
    void *item;
    for (int i = 0; i < QUEUES; i++) {
        verd_case one = VERD_GET(queues[i], &item);
        expect(verd_queue_put(queues[i], queues) != 0 && errno == EPERM, "a put elsewhere");
        expect(verd_queue_try_get(queues[i], &item) != 0 && errno == EPERM, "a get elsewhere");
        expect(verd_select(&one, 1) < 0 && errno == EPERM, "a select elsewhere");
        expect(verd_queue_join(queues[i]) != 0 && errno == EPERM, "a join elsewhere");
        expect(verd_queue_close(queues[i]) != 0 && errno == EPERM, "a close elsewhere");
    }
}

const struct part fuzz_queues = {
    .begin = begin, .share = share, .scene = scene, .end = end, .forked = forked, .left = left};
