/* SPDX-License-Identifier: MIT */
/* Who waits at the head of a line and gives up, leaves what it waited for to the next in line. */
#include <criterion/criterion.h>

#include "caller.h"

static verd_semaphore semaphore;
static verd_mutex mutex;
static verd_cond cond;
static verd_rwlock lock;
static verd_queue *queue;

/* ---- the lines ---- */

static void make_semaphore(void)
{
    semaphore = (verd_semaphore)VERD_SEMAPHORE_INIT(0);
}

static int acquire(struct caller *self)
{
    (void)self;
    return verd_semaphore_acquire(&semaphore);
}

static void release(void)
{
    verd_semaphore_release(&semaphore);
}

static void take_mutex(void)
{
    mutex = (verd_mutex)VERD_MUTEX_INIT;
    verd_mutex_lock(&mutex);
}

static int lock_mutex(struct caller *self)
{
    (void)self;
    return verd_mutex_lock(&mutex);
}

static void unlock_mutex(void)
{
    verd_mutex_unlock(&mutex);
}

static void leave_mutex(void)
{
    mutex = (verd_mutex)VERD_MUTEX_INIT;
}

static int wait_cond(struct caller *self)
{
    (void)self;
    verd_mutex_lock(&mutex);
    int result = verd_cond_wait(&cond, &mutex), error = errno;
    verd_mutex_unlock(&mutex);
    errno = error;
    return result;
}

static void signal_cond(void)
{
    verd_cond_signal(&cond);
}

static void take_lock(void)
{
    lock = (verd_rwlock)VERD_RWLOCK_INIT;
    verd_rwlock_write_lock(&lock);
}

static int lock_to_read(struct caller *self)
{
    (void)self;
    return verd_rwlock_read_lock(&lock);
}

static int lock_to_write(struct caller *self)
{
    (void)self;
    return verd_rwlock_write_lock(&lock);
}

static void unlock(void)
{
    verd_rwlock_unlock(&lock);
}

static int compare(const void *a, const void *b)
{
    return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
}

static void make_rendezvous(void)
{
    queue = verd_queue_new(0);
}

static void make_fifo(void)
{
    queue = verd_queue_new(1);
}

static void make_lifo(void)
{
    queue = verd_queue_new_lifo(1);
}

static void make_priority(void)
{
    queue = verd_queue_new_priority(1, compare);
}

static void make_full(void)
{
    make_fifo();
    verd_queue_put(queue, NULL);
}

static int get(struct caller *self)
{
    return verd_queue_get(queue, &self->item);
}

static int put(struct caller *self)
{
    return verd_queue_put(queue, self);
}

static int select_get(struct caller *self)
{
    verd_case one = VERD_GET(queue, &self->item);
    return verd_select(&one, 1);
}

static int select_put(struct caller *self)
{
    verd_case one = VERD_PUT(queue, self);
    return verd_select(&one, 1);
}

static void put_one(void)
{
    cr_assert_eq(verd_queue_try_put(queue, &queue), 0);
}

static void get_one(void)
{
    void *item;
    cr_assert_eq(verd_queue_try_get(queue, &item), 0);
}

struct line {
    const char *name;
    void (*setup)(void);
    int (*wait)(struct caller *self);
    void (*give)(void); /* what one of those who wait is waiting for */
};

static const struct line lines[] = {
    {"semaphore", make_semaphore, acquire, release},
    {"mutex", take_mutex, lock_mutex, unlock_mutex},
    {"condition", leave_mutex, wait_cond, signal_cond},
    {"lock, to read", take_lock, lock_to_read, unlock},
    {"lock, to write", take_lock, lock_to_write, unlock},
    {"rendezvous, to get", make_rendezvous, get, put_one},
    {"rendezvous, to put", make_rendezvous, put, get_one},
    {"FIFO queue, to get", make_fifo, get, put_one},
    {"FIFO queue, to put", make_full, put, get_one},
    {"LIFO queue, to get", make_lifo, get, put_one},
    {"priority queue, to get", make_priority, get, put_one},
    {"select, to get", make_rendezvous, select_get, put_one},
    {"select, to put", make_rendezvous, select_put, get_one},
};

/* ---- giving up ---- */

static int (*made)(struct caller *self); /* by wait_briefly */

static int wait_briefly(struct caller *self)
{
    verd_timeout timeout;
    verd_timeout_begin(&timeout, VERD_MS);
    int outcome = caller_outcome(made(self));
    verd_timeout_end(&timeout);
    errno = -outcome;
    return outcome < 0 ? -1 : outcome;
}

static void expect_next(const struct line *line, struct caller *first, int outcome)
{
    struct caller second;
    caller_start(&second, line->wait, NULL, NULL);
    cr_expect_not(second.done, "%s", line->name);
    if (outcome == -ECANCELED)
        verd_kill(first->thread);
    else
        caller_end(first);
    line->give(); /* one that was just killed has not run yet */
    cr_expect_eq(caller_end(&second), 0, "%s", line->name);
    if (outcome == -ECANCELED)
        caller_end(first);
    cr_expect_eq(first->outcome, outcome, "%s", line->name);
    verd_queue_free(queue);
    queue = NULL;
}

Test(line, a_killed_waiter_at_the_head_leaves_it_to_the_next)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct caller first;
        lines[i].setup();
        caller_start(&first, lines[i].wait, NULL, NULL);
        expect_next(&lines[i], &first, -ECANCELED);
    }
}

Test(line, a_waiter_at_the_head_that_times_out_leaves_it_to_the_next)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct caller first;
        lines[i].setup();
        made = lines[i].wait;
        caller_start(&first, wait_briefly, NULL, NULL);
        expect_next(&lines[i], &first, -ETIMEDOUT);
    }
}

/* A try finds nothing while somebody is in line, and nothing of what was handed on. */
Test(line, a_try_never_gets_what_is_on_its_way_to_who_waits)
{
    struct caller caller;
    void *item;
    take_mutex();
    caller_start(&caller, lock_mutex, NULL, NULL);
    unlock_mutex();
    cr_expect(verd_mutex_try_lock(&mutex) != 0 && errno == EAGAIN);
    cr_expect_eq(caller_end(&caller), 0);
    take_lock();
    caller_start(&caller, lock_to_write, NULL, NULL);
    unlock();
    cr_expect(verd_rwlock_try_read_lock(&lock) != 0 && errno == EAGAIN);
    cr_expect_eq(caller_end(&caller), 0);
    make_full();
    caller_start(&caller, put, NULL, NULL);
    get_one();
    cr_expect(verd_queue_try_put(queue, NULL) != 0 && errno == EAGAIN);
    cr_expect_eq(caller_end(&caller), 0);
    verd_queue_close(queue);
    verd_queue_free(queue);
    make_fifo();
    caller_start(&caller, get, NULL, NULL);
    put_one();
    cr_expect(verd_queue_try_get(queue, &item) != 0 && errno == EAGAIN);
    cr_expect_eq(caller_end(&caller), 0);
    verd_queue_free(queue);
}
