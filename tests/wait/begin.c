/* SPDX-License-Identifier: MIT */

/*
 * A call on an object has begun to act, or stands in line, before anybody else runs: whoever does can see
 * that, and cannot take the object away unnoticed. So it is wherever in the call the thread has to give
 * way because it has made many calls that need not wait.
 */
#include <criterion/criterion.h>

#include "caller.h"

/* More calls in a row than any thread may make. */
#define CALLS_MAX 150

static verd_semaphore many, semaphore;
static verd_mutex mutex;
static verd_rwlock lock;
static verd_cond cond;
static verd_event event;
static verd_queue *queue;
static verd_pool *pool;
static verd_pile *pile;
static verd_resource_pool *resources;

static void stay(void *arg)
{
    (void)arg;
    verd_park();
}

static void *stay_with_result(void *arg)
{
    stay(arg);
    return arg;
}

/* ---- what is called, and what others see of it ---- */

static void with_a_unit(void)
{
    semaphore = (verd_semaphore)VERD_SEMAPHORE_INIT(1);
}

static void without_a_unit(void)
{
    semaphore = (verd_semaphore)VERD_SEMAPHORE_INIT(0);
}

static int acquire(struct caller *self)
{
    (void)self;
    return verd_semaphore_acquire(&semaphore);
}

static bool unit_is_taken(void)
{
    return verd_semaphore_units(&semaphore) == 0;
}

static bool a_released_unit_is_taken(void)
{
    verd_semaphore_release(&semaphore);
    return unit_is_taken();
}

static void with_locks(void)
{
    mutex = (verd_mutex)VERD_MUTEX_INIT;
    lock = (verd_rwlock)VERD_RWLOCK_INIT;
}

static int lock_mutex(struct caller *self)
{
    (void)self;
    return verd_mutex_lock(&mutex);
}

static bool mutex_is_locked(void)
{
    return verd_mutex_try_lock(&mutex) != 0 || verd_mutex_unlock(&mutex) != 0;
}

static int read_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_read_lock(&lock);
}

static bool a_writer_has_to_wait(void)
{
    return verd_rwlock_try_write_lock(&lock) != 0 || verd_rwlock_unlock(&lock) != 0;
}

static int write_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_write_lock(&lock);
}

static bool a_reader_has_to_wait(void)
{
    return verd_rwlock_try_read_lock(&lock) != 0 || verd_rwlock_unlock(&lock) != 0;
}

static void with_a_condition(void)
{
    with_locks();
    cond = (verd_cond)VERD_COND_INIT;
}

static int lock_and_wait(struct caller *self)
{
    (void)self;
    verd_mutex_try_lock(&mutex); /* spends nothing */
    return verd_cond_wait(&cond, &mutex);
}

static bool mutex_is_free(void)
{
    return verd_mutex_try_lock(&mutex) == 0 && verd_mutex_unlock(&mutex) == 0;
}

static void with_an_event(void)
{
    event = (verd_event)VERD_EVENT_INIT;
}

static int wait_event(struct caller *self)
{
    (void)self;
    return verd_event_wait(&event, NULL);
}

static bool event_is_waited_for(void)
{
    bool waited = verd_event_reset(&event) != 0;
    verd_event_set(&event, NULL);
    return waited;
}

static void with_an_empty_queue(void)
{
    queue = verd_queue_new(1);
}

static void with_an_item(void)
{
    with_an_empty_queue();
    verd_queue_try_put(queue, NULL);
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

static bool queue_is_empty(void)
{
    return verd_queue_length(queue) == 0;
}

static bool queue_has_an_item(void)
{
    return !queue_is_empty();
}

static bool someone_gets(void)
{
    bool gets = verd_queue_getting(queue) == 1;
    verd_queue_try_put(queue, NULL);
    return gets;
}

static bool someone_puts(void)
{
    void *item;
    bool puts = verd_queue_putting(queue) == 1;
    verd_queue_try_get(queue, &item);
    return puts;
}

static void with_a_pool(void)
{
    pool = verd_pool_new(1);
    pile = verd_pile_new(pool);
}

static int spawn(struct caller *self)
{
    return verd_pool_spawn(pool, stay_with_result, self) != NULL ? 0 : -1;
}

static int spawn_n(struct caller *self)
{
    return verd_pool_spawn_n(pool, stay, self);
}

static int spawn_in_pile(struct caller *self)
{
    return verd_pile_spawn(pile, stay_with_result, self);
}

static bool slot_is_taken(void)
{
    return verd_pool_running(pool) == 1;
}

static void with_a_full_pool(void)
{
    with_a_pool();
    verd_pool_resize(pool, 0);
}

static bool someone_waits_for_a_slot(void)
{
    bool waits = verd_pool_waiting(pool) == 1;
    verd_pool_resize(pool, 1);
    return waits;
}

static int create(void *ctx, void **item)
{
    *item = ctx;
    return 0;
}

static void with_resources(void)
{
    verd_resource_options options = {.create = create, .max = 1, .min = 1};
    resources = verd_resource_pool_new(&options);
}

static int get_resource(struct caller *self)
{
    return verd_resource_pool_get(resources, &self->item);
}

static int fill(struct caller *self)
{
    (void)self;
    return verd_resource_pool_fill(resources);
}

static bool resource_is_used(void)
{
    return verd_resource_pool_used(resources) == 1;
}

static bool resource_is_idle(void)
{
    return verd_resource_pool_idle(resources) == 1;
}

struct row {
    const char *name;
    void (*setup)(void);
    int (*call)(struct caller *);
    bool (*has_begun)(void); /* and lets the call come to its end, if it waits */
};

static const struct row rows[] = {
    {"acquire", with_a_unit, acquire, unit_is_taken},
    {"acquire, waiting", without_a_unit, acquire, a_released_unit_is_taken},
    {"lock", with_locks, lock_mutex, mutex_is_locked},
    {"read_lock", with_locks, read_lock, a_writer_has_to_wait},
    {"write_lock", with_locks, write_lock, a_reader_has_to_wait},
    {"cond_wait", with_a_condition, lock_and_wait, mutex_is_free},
    {"event_wait", with_an_event, wait_event, event_is_waited_for},
    {"get", with_an_item, get, queue_is_empty},
    {"get, waiting", with_an_empty_queue, get, someone_gets},
    {"put", with_an_empty_queue, put, queue_has_an_item},
    {"put, waiting", with_an_item, put, someone_puts},
    {"select", with_an_item, select_get, queue_is_empty},
    {"select, waiting", with_an_empty_queue, select_get, someone_gets},
    {"pool_spawn", with_a_pool, spawn, slot_is_taken},
    {"pool_spawn_n", with_a_pool, spawn_n, slot_is_taken},
    {"pile_spawn", with_a_pool, spawn_in_pile, slot_is_taken},
    {"pool_spawn, waiting", with_a_full_pool, spawn, someone_waits_for_a_slot},
    {"pool_spawn_n, waiting", with_a_full_pool, spawn_n, someone_waits_for_a_slot},
    {"pile_spawn, waiting", with_a_full_pool, spawn_in_pile, someone_waits_for_a_slot},
    {"resource_pool_get", with_resources, get_resource, resource_is_used},
    {"resource_pool_fill", with_resources, fill, resource_is_idle},
};

/* ---- the test ---- */

static const struct row *row;
static size_t spent; /* calls made before */
static bool calling, returned, seen, had_begun;

/* Looks on when the caller gives way or waits in the call, for the first time. */
static void look_on(void *arg)
{
    (void)arg;
    while (!calling && !returned)
        verd_yield();
    seen = calling && !returned;
    if (seen)
        had_begun = row->has_begun();
    for (; !returned; verd_yield())
        verd_cond_signal(&cond);
}

static int spend_and_call(struct caller *self)
{
    verd_spawn_n(look_on, NULL);
    for (size_t i = 0; i < spent; i++)
        verd_semaphore_acquire(&many);
    calling = true;
    int result = row->call(self);
    returned = true;
    return result;
}

static void expect_a_begin(void)
{
    struct caller caller;
    calling = returned = seen = false;
    row->setup();
    many = (verd_semaphore)VERD_SEMAPHORE_INIT(CALLS_MAX);
    caller_start(&caller, spend_and_call, NULL, NULL);
    cr_expect(!seen || had_begun, "%s, after %zu calls", row->name, spent);
    cr_expect_geq(caller_end(&caller), 0, "%s, after %zu calls", row->name, spent);
}

Test(wait, a_call_has_begun_before_anybody_else_runs)
{
    for (row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        for (spent = 0; spent < CALLS_MAX; spent++)
            expect_a_begin();
    }
}
