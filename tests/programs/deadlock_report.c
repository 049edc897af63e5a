/* SPDX-License-Identifier: MIT */

/* What is printed of a deadlock: of each thread its name, what it waits for and since when. And what
 * verd_on_deadlock puts in its place. */
#include <verd.h>

#include "child.h"

#define WAITED (300 * VERD_MS)

static verd_event event;
static verd_semaphore semaphore;
static verd_mutex mutex, held;
static verd_cond cond;
static verd_rwlock rwlock;
static verd_group group;
static verd_queue *empty, *full;
static verd_pool *pool;

static void wait_for_event(void)
{
    verd_event_wait(&event, NULL);
}

static void wait_for_unit(void)
{
    verd_semaphore_acquire(&semaphore);
}

static void wait_for_mutex(void)
{
    verd_mutex_lock(&held);
}

static void wait_for_condition(void)
{
    verd_mutex_lock(&mutex);
    verd_cond_wait(&cond, &mutex);
}

static void wait_to_read(void)
{
    verd_rwlock_read_lock(&rwlock);
}

static void wait_to_write(void)
{
    verd_rwlock_write_lock(&rwlock);
}

static void wait_for_group(void)
{
    verd_group_wait(&group);
}

static void wait_for_item(void)
{
    void *item;
    verd_queue_get(empty, &item);
}

static void wait_for_room(void)
{
    verd_queue_put(full, NULL);
}

static void wait_for_work(void)
{
    verd_queue_join(full);
}

static void wait_for_either(void)
{
    void *item;
    verd_case cases[] = {VERD_GET(empty, &item), VERD_PUT(full, NULL)};
    verd_select(cases, 2);
}

static void park_n(void *arg)
{
    (void)arg;
    verd_park();
}

static void wait_for_slot(void)
{
    verd_pool_spawn_n(pool, park_n, NULL);
}

static void wait_for_pool(void)
{
    verd_pool_wait_all(pool);
}

static const struct wait {
    void (*begin)(void);
    const char *name;
    const char *reported;
} waits[] = {
    {wait_for_event, "event", "waits for an event, for "},
    {wait_for_unit, "unit", "waits for a semaphore, for "},
    {wait_for_mutex, "mutex", "waits for a mutex, for "},
    {wait_for_condition, "condition", "waits for a condition, for "},
    {wait_to_read, "reader", "waits for a lock, to read, for "},
    {wait_to_write, "writer", "waits for a lock, to write, for "},
    {wait_for_group, "group", "waits for a group to be done, for "},
    {wait_for_item, "getter", "waits for an item of a queue, for "},
    {wait_for_room, "putter", "waits for room in a queue, for "},
    {wait_for_work, "joiner", "waits for the work of a queue to be done, for "},
    {wait_for_either, "chooser", "waits for one of several cases, for "},
    {wait_for_slot, "spawner", "waits for a slot of a pool, for "},
    {wait_for_pool, "idler", "waits for all threads of a pool, for "},
};

#define WAITS (sizeof waits / sizeof *waits)

static void *begin(void *wait)
{
    ((const struct wait *)wait)->begin();
    return NULL;
}

static void wait_for_everything(void)
{
    static struct wait copies[WAITS];
    verd_mutex_lock(&held);
    verd_rwlock_write_lock(&rwlock);
    verd_group_add(&group, 1);
    empty = verd_queue_new(0);
    full = verd_queue_new(1);
    verd_queue_put(full, NULL);
    pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, park_n, NULL);
    for (size_t i = 0; i < WAITS; i++) {
        copies[i] = waits[i];
        verd_attr attr = {.name = waits[i].name};
        verd_spawn_with(&attr, begin, &copies[i]);
    }
    verd_yield(); /* and all of them wait */
    verd_sleep(WAITED);
    verd_park();
}

/* The line has the thread's name, what it waits for, and no less time than has passed. */
static bool is_reported(const char *text, const struct wait *wait)
{
    char name[VERD_NAME_SIZE + 4];
    snprintf(name, sizeof name, " \"%s\" ", wait->name);
    const char *line = strstr(text, name);
    const char *reason = line != NULL ? line + strlen(name) : "";
    size_t length = strlen(wait->reported);
    if (strncmp(reason, wait->reported, length) == 0 &&
        strtod(reason + length, NULL) + 0.01 >= (double)WAITED / 1e9)
        return true;
    printf("%s is not reported as one that %s%g s\n", wait->name, wait->reported,
           (double)WAITED / 1e9);
    return false;
}

static int everything_is_reported(void)
{
    static char text[65536];
    static const struct scene scene = {.name = "everything", .play = wait_for_everything};
    int status = play(&scene, text, sizeof text);
    bool good = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    for (size_t i = 0; i < WAITS; i++)
        good &= is_reported(text, &waits[i]);
    if (!good)
        printf("wait status %#x, wrote:\n%s\n", (unsigned)status, text);
    return good ? 0 : 1;
}

static verd_thread *stuck;

static void unpark_stuck(void)
{
    verd_unpark(stuck);
}

static void kill_stuck(void)
{
    verd_kill(stuck);
}

static void say(void)
{
    fputs("who turned off the light?\n", stderr);
}

static void go_on_by_an_unpark(void)
{
    stuck = verd_self();
    verd_on_deadlock(unpark_stuck);
    for (int i = 0; i < 2; i++) {
        if (verd_park() != 0)
            _exit(1);
    }
}

static void go_on_by_a_kill(void)
{
    void *item;
    stuck = verd_self();
    verd_on_deadlock(kill_stuck);
    _exit(verd_queue_get(verd_queue_new(0), &item) == -1 && verd_killed() ? 0 : 1);
}

static void ask_in_vain(void)
{
    verd_on_deadlock(say);
    verd_park();
}

static void ask_no_more(void)
{
    verd_on_deadlock(say);
    verd_on_deadlock(NULL);
    verd_park();
}

static int on_deadlock_is_asked(void)
{
    static const char said[] = "who turned off the light?\nlibverd: deadlock: ";
    static const struct scene scenes[] = {
        {"unpark", go_on_by_an_unpark, 0, 0, {NULL}, "libverd", 0},
        {"kill", go_on_by_a_kill, 0, 0, {NULL}, "libverd", 0},
        {"in vain", ask_in_vain, SIGABRT, 0, {said}, NULL, 0},
        {"no more", ask_no_more, SIGABRT, 0, {"libverd: deadlock: "}, "light", 0},
    };
    return play_all(scenes, sizeof scenes / sizeof *scenes);
}

int main(void)
{
    int result = everything_is_reported();
    return on_deadlock_is_asked() | result;
}
