/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <stdint.h>
#include <pthread.h>

#define ITEMS 40 /* more than a queue first has room for */

static void *number(intptr_t n)
{
    return (void *)n; /* NOLINT(performance-no-int-to-ptr) */
}

static int compare(const void *a, const void *b)
{
    return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
}

/* What is in a queue is what was put in, no more and no less. */
static void drain(verd_queue *queue, intptr_t count, bool last_first)
{
    void *item = NULL;
    for (intptr_t i = 0; i < count; i++) {
        must(verd_queue_try_get(queue, &item) == 0);
        must(item == number(last_first ? count - 1 - i : i));
    }
    must(verd_queue_try_get(queue, &item) != 0 && errno == EAGAIN);
    verd_queue_free(queue);
}

static int fill(verd_queue *queue, bool last_first)
{
    intptr_t count = 0;
    int error = 0;
    if (queue == NULL)
        return errno;
    while (count < ITEMS && error == 0) {
        error = error_of(verd_queue_put(queue, number(count)));
        count += error == 0;
    }
    drain(queue, count, last_first);
    return error;
}

static int queue_fifo(void)
{
    return fill(verd_queue_new(VERD_UNBOUNDED), false);
}

static int queue_lifo(void)
{
    return fill(verd_queue_new_lifo(VERD_UNBOUNDED), true);
}

static int queue_priority(void)
{
    return fill(verd_queue_new_priority(VERD_UNBOUNDED, compare), false);
}

struct putter {
    verd_queue *queue;
    intptr_t number;
    int error;
    verd_thread *thread;
};

/* Eight by a put and eight by a select: a queue's room doubles at one of each. */
static void *put_one(void *arg)
{
    struct putter *putter = arg;
    verd_case one = VERD_PUT(putter->queue, number(putter->number));
    putter->error = error_of(putter->number / 8 % 2 ? verd_select(&one, 1)
                                                    : verd_queue_put(putter->queue, one.item));
    return NULL;
}

/* What is in the queue is what the putters have put in, in their order. Their error, if there is one. */
static int end_putters(const struct putter *putters, int count, verd_queue *queue)
{
    void *item = NULL;
    int error = 0;
    for (int i = 0; i < count; i++) {
        verd_join(putters[i].thread, NULL);
        if (putters[i].error == 0)
            must(verd_queue_try_get(queue, &item) == 0 && item == number(i));
        error = either(error, putters[i].error);
    }
    drain(queue, 0, false);
    return error;
}

/* Those who wait for room are let in, those for whose items there is memory. */
static int queue_resize(void)
{
    struct putter putters[ITEMS];
    int error = 0, count = 0;
    verd_queue *queue = verd_queue_new(0);
    if (queue == NULL)
        return errno;
    for (; count < ITEMS && error == 0; count += error == 0) {
        putters[count] = (struct putter){.queue = queue, .number = count};
        putters[count].thread = verd_spawn(put_one, &putters[count]);
        error = putters[count].thread == NULL ? errno : 0;
    }
    verd_yield();
    error = either(error, error_of(verd_queue_resize(queue, VERD_UNBOUNDED)));
    return either(error, end_putters(putters, count, queue));
}

#define CASES 40 /* more than a select has room for on its stack */

static void put_soon(void *arg)
{
    verd_queue_put(arg, arg);
}

static int select_of_many(void)
{
    verd_case cases[CASES];
    void *item = NULL;
    verd_queue *queue = verd_queue_new(1);
    if (queue == NULL)
        return errno;
    for (int i = 0; i < CASES; i++)
        cases[i] = VERD_GET(queue, &item);
    int error = error_of(verd_spawn_n(put_soon, queue));
    if (error == 0) {
        error = error_of(verd_select(cases, CASES));
        must(error != 0 || item == queue);
        if (error != 0)
            must(verd_queue_get(queue, &item) == 0 && item == queue);
    }
    verd_queue_free(queue);
    return error;
}

static int select_that_puts(void)
{
    verd_queue *queue = verd_queue_new(VERD_UNBOUNDED);
    intptr_t count = 0;
    int error = 0;
    if (queue == NULL)
        return errno;
    while (count < ITEMS && error == 0) {
        verd_case one = VERD_PUT(queue, number(count));
        error = error_of(verd_select(&one, 1));
        count += error == 0;
    }
    drain(queue, count, false);
    return error;
}

/* Objects without memory of their own, of which each is used. */
struct objects {
    verd_event event;
    verd_semaphore semaphore;
    verd_mutex mutex;
    verd_cond cond;
    verd_rwlock lock;
    verd_group group;
};

static int use(struct objects *objects)
{
    int error = error_of(verd_event_set(&objects->event, NULL));
    error = either(error, error_of(verd_event_wait(&objects->event, NULL)));
    error = either(error, error_of(verd_semaphore_acquire(&objects->semaphore)));
    error = either(error, error_of(verd_mutex_lock(&objects->mutex)));
    error = either(error, error_of(verd_cond_signal(&objects->cond)));
    error = either(error, error_of(verd_rwlock_write_lock(&objects->lock)));
    return either(error, error_of(verd_group_wait(&objects->group)));
}

/* As the first thing that an OS thread does with the library, one object after the other. */
static void *use_objects(void *arg)
{
    static const struct objects fresh = {.semaphore = VERD_SEMAPHORE_INIT(1)};
    struct objects objects = fresh;
    *(int *)arg = use(&objects);
    return NULL;
}

static int objects_of_an_os_thread(void)
{
    pthread_t thread;
    int error = -1;
    must(real_pthread_create(&thread, NULL, use_objects, &error) == 0);
    pthread_join(thread, NULL);
    return error;
}

const struct scenario sync_scenarios[] = {
    {"queue_fifo", queue_fifo, .errors = {ENOMEM}, .first = true},
    {"queue_lifo", queue_lifo, .errors = {ENOMEM}},
    {"queue_priority", queue_priority, .errors = {ENOMEM}},
    {"queue_resize", queue_resize, .errors = {ENOMEM}},
    {"select_of_many", select_of_many, .errors = {ENOMEM}},
    {"select_that_puts", select_that_puts, .errors = {ENOMEM}},
    {"objects", objects_of_an_os_thread, .errors = {ENOMEM}},
    {0},
};
