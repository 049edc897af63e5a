/* SPDX-License-Identifier: MIT */
/* Semaphore, mutex and condition, read-write lock, group, event: exclusion, units, and the order of lines. */
#include "fuzz.h"

#define UNITS 2

/* ---- lines: who comes first is served first, unless it gives up ---- */

struct place {
    struct place *next;
    bool writes, passed;
};

struct line {
    struct place *first;
};

/* The budget is fresh after a yield, so the call that follows comes into its line in this order. */
static void stand_in(struct line *line, struct place *place)
{
    struct place **last = &line->first;
    verd_yield();
    place->next = NULL;
    place->passed = false;
    while (*last != NULL)
        last = &(*last)->next;
    *last = place;
}

static void leave(struct line *line, struct place *place)
{
    struct place **at = &line->first;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
}

/* Whoever came before and is still there must have given up. Readers may be let in together, and then
 * run in any order. */
static void be_served(struct line *line, struct place *place)
{
    expect(!place->passed, "a lock was given out of order");
    for (struct place *at = line->first; at != place; at = at->next) {
        if (at->writes || place->writes)
            at->passed = true;
    }
    leave(line, place);
}

static bool wait_in(struct line *line, struct place *place, const char *name, int (*lock)(void))
{
    stand_in(line, place);
    int expected = due();
    if (judged(name, expected, lock() == 0, 0)) {
        be_served(line, place);
        return true;
    }
    leave(line, place);
    return false;
}

/* ---- what is shared ---- */

static verd_semaphore semaphore;
static verd_mutex mutex;
static verd_cond cond;
static verd_rwlock rwlock;
static verd_group group;
static verd_event event;
static struct line mutex_line, rwlock_line;
static unsigned units_out, inside, tokens, readers, writers, members, emptied, generation;
static bool event_is_set;

/* What those that a fork has left behind hold for good, or were handed as it came. */
static struct {
    bool any;
    unsigned units, members;
    bool mutex, rwlock;
} gone;

static void begin(void)
{
    semaphore = (verd_semaphore)VERD_SEMAPHORE_BOUNDED(UNITS);
    mutex = (verd_mutex)VERD_MUTEX_INIT;
    cond = (verd_cond)VERD_COND_INIT;
    rwlock = (verd_rwlock)VERD_RWLOCK_INIT;
    group = (verd_group)VERD_GROUP_INIT;
    event = (verd_event)VERD_EVENT_INIT;
    units_out = inside = tokens = readers = writers = members = emptied = generation = 0;
    event_is_set = false;
    gone.any = gone.mutex = gone.rwlock = false;
    gone.units = gone.members = 0;
}

static void use_unit(void)
{
    int expected = due();
    if (one_in(4)) {
        if (verd_semaphore_try_acquire(&semaphore) != 0) {
            expect(errno == EAGAIN, "verd_semaphore_try_acquire");
            return;
        }
    } else if (!judged("verd_semaphore_acquire", expected, verd_semaphore_acquire(&semaphore) == 0,
                       0)) {
        return;
    }
    expect(++units_out <= UNITS, "more units than there are");
    linger();
    units_out--;
    expect(verd_semaphore_release(&semaphore) == 0, "a unit cannot be given back");
}

static int lock_mutex(void)
{
    return verd_mutex_lock(&mutex);
}

/* Whatever the wait comes to, the mutex is held afterwards. */
static void take_token(void)
{
    bool waiting = true;
    while (tokens == 0 && waiting) {
        inside--;
        int expected = due();
        waiting = judged("verd_cond_wait", expected, verd_cond_wait(&cond, &mutex) == 0, 0);
        expect(++inside == 1, "two threads in a mutex after a wait");
    }
    if (tokens > 0)
        tokens--;
}

static void use_mutex(void)
{
    struct place place = {.writes = true};
    if (!wait_in(&mutex_line, &place, "verd_mutex_lock", lock_mutex))
        return;
    expect(++inside == 1, "two threads in a mutex");
    expect(verd_mutex_try_lock(&mutex) != 0 && errno == EDEADLK, "a mutex was locked twice");
    if (one_in(3)) {
        take_token();
    } else if (one_in(2)) {
        tokens++;
        expect((one_in(3) ? verd_cond_broadcast(&cond) : verd_cond_signal(&cond)) == 0, "a signal");
    } else {
        linger();
    }
    expect(inside == 1, "two threads in a mutex");
    inside--;
    expect(verd_mutex_unlock(&mutex) == 0, "a mutex cannot be unlocked");
}

static int lock_to_read(void)
{
    return verd_rwlock_read_lock(&rwlock);
}

static int lock_to_write(void)
{
    return verd_rwlock_write_lock(&rwlock);
}

static void read_or_write(void)
{
    struct place place = {.writes = one_in(3)};
    unsigned *mine = place.writes ? &writers : &readers;
    if (!wait_in(&rwlock_line, &place, "verd_rwlock_lock",
                 place.writes ? lock_to_write : lock_to_read))
        return;
    ++*mine;
    expect(writers == 0 || (writers == 1 && readers == 0), "others beside a writer");
    linger();
    expect(writers == 0 || (writers == 1 && readers == 0), "others beside a writer");
    --*mine;
    expect(verd_rwlock_unlock(&rwlock) == 0, "a lock cannot be unlocked");
}

static void use_group(void)
{
    unsigned before = emptied;
    if (one_in(2)) {
        expect(verd_group_add(&group, 1) == 0, "verd_group_add");
        members++;
        linger();
        emptied += --members == 0;
        expect(verd_group_done(&group) == 0, "verd_group_done");
        return;
    }
    bool empty = members == 0;
    int expected = due();
    bool waited = judged("verd_group_wait", expected, verd_group_wait(&group) == 0, 0);
    expect(!waited || empty || emptied != before, "a group was never done");
}

static void set_event(void)
{
    int result = one_in(4) ? verd_event_fail(&event, EIO)
                           : verd_event_set(&event, (void *)(uintptr_t)generation);
    expect(event_is_set ? result != 0 && errno == EALREADY : result == 0, "an event was set twice");
    event_is_set = true;
}

static void use_event(void)
{
    void *value;
    uintptr_t from = generation;
    switch (chance(4)) {
    case 0:
        set_event();
        break;
    case 1:
        if (!event_is_set)
            break;
        expect(verd_event_reset(&event) == 0, "an event that was set cannot be reset");
        event_is_set = false;
        generation++;
        break;
    default: {
        int expected = due();
        if (judged("verd_event_wait", expected, verd_event_wait(&event, &value) == 0, EIO))
            expect((uintptr_t)value >= from && (uintptr_t)value <= generation, "an event's value");
        break;
    }
    }
}

static void share(void)
{
    static void (*const uses[])(void) = {use_unit, use_mutex, read_or_write, use_group, use_event};
    uses[chance(sizeof uses / sizeof *uses)]();
}

/* ---- scenes: somebody else does what is waited for ---- */

struct stage {
    verd_semaphore semaphore;
    verd_mutex mutex;
    verd_cond cond;
    verd_rwlock rwlock;
    verd_group group;
    verd_event event;
    bool flag;
};

static void *release_later(void *arg)
{
    linger();
    verd_semaphore_release(&((struct stage *)arg)->semaphore);
    return arg;
}

static void wait_for_unit(struct stage *stage)
{
    verd_thread *helper = hire(release_later, stage);
    int expected = due();
    bool got = judged("acquire", expected, verd_semaphore_acquire(&stage->semaphore) == 0, 0);
    dismiss(helper);
    expect(got == (verd_semaphore_try_acquire(&stage->semaphore) != 0), "a unit was lost");
}

static void *set_later(void *arg)
{
    linger();
    verd_event_set(&((struct stage *)arg)->event, arg);
    return arg;
}

static void wait_for_event(struct stage *stage)
{
    void *value = NULL;
    verd_thread *helper = hire(set_later, stage);
    int expected = due();
    bool got = judged("wait", expected, verd_event_wait(&stage->event, &value) == 0, 0);
    dismiss(helper);
    expect(!got || value == stage, "an event's value was lost");
}

/* It may be interrupted while it waits for the mutex, and comes back. */
static void *raise_flag(void *arg)
{
    struct stage *stage = arg;
    linger();
    verd_mutex_lock(&stage->mutex);
    stage->flag = true;
    verd_cond_signal(&stage->cond);
    verd_mutex_unlock(&stage->mutex);
    return arg;
}

static void wait_for_flag(struct stage *stage)
{
    int expected = due();
    if (!judged("lock", expected, verd_mutex_lock(&stage->mutex) == 0, 0))
        return;
    verd_thread *helper = hire(raise_flag, stage);
    bool waiting = true;
    while (!stage->flag && waiting) {
        expected = due();
        int result = verd_cond_wait(&stage->cond, &stage->mutex);
        waiting = judged("cond_wait", expected, result == 0, 0);
    }
    expect(verd_mutex_unlock(&stage->mutex) == 0, "a wait has lost its mutex");
    dismiss(helper);
}

static void *finish_later(void *arg)
{
    linger();
    verd_group_done(&((struct stage *)arg)->group);
    return arg;
}

static void wait_for_group(struct stage *stage)
{
    verd_thread *helpers[3];
    verd_group_add(&stage->group, 3);
    for (int i = 0; i < 3; i++)
        helpers[i] = hire(finish_later, stage);
    int expected = due();
    judged("group_wait", expected, verd_group_wait(&stage->group) == 0, 0);
    for (int i = 0; i < 3; i++)
        dismiss(helpers[i]);
    expect(verd_group_done(&stage->group) != 0, "a group has lost count");
}

/* A writer that gives up lets the readers behind it in. */
static void *read_for_a_while(void *arg)
{
    struct stage *stage = arg;
    verd_rwlock_read_lock(&stage->rwlock);
    linger();
    verd_rwlock_unlock(&stage->rwlock);
    return arg;
}

static void write_among_readers(struct stage *stage)
{
    verd_thread *helpers[3];
    for (int i = 0; i < 3; i++)
        helpers[i] = hire(read_for_a_while, stage);
    linger();
    int expected = due();
    if (judged("write_lock", expected, verd_rwlock_write_lock(&stage->rwlock) == 0, 0))
        verd_rwlock_unlock(&stage->rwlock);
    for (int i = 0; i < 3; i++)
        dismiss(helpers[i]);
    expect(verd_rwlock_try_write_lock(&stage->rwlock) == 0, "a lock was lost");
}

static void *write_unless_killed(void *arg)
{
    struct stage *stage = arg;
    if (verd_rwlock_write_lock(&stage->rwlock) == 0)
        verd_rwlock_unlock(&stage->rwlock);
    return arg;
}

/* The caller reads, a writer waits, a reader behind it: with the writer killed, it need not wait. */
static void kill_writer(struct stage *stage)
{
    expect(verd_rwlock_try_read_lock(&stage->rwlock) == 0, "a lock that nobody has");
    verd_thread *writer = hire(write_unless_killed, stage);
    linger();
    verd_thread *reader = hire(read_for_a_while, stage);
    linger();
    verd_kill(writer);
    dismiss(reader);
    expect(verd_rwlock_unlock(&stage->rwlock) == 0, "a lock was lost");
    shield_begin();
    expect(verd_join(writer, NULL) == 0 || errno == ESRCH, "a killed writer");
    shield_end();
}

static void scene(void)
{
    static void (*const scenes[])(struct stage *) = {
        wait_for_unit,  wait_for_event,      wait_for_flag,
        wait_for_group, write_among_readers, kill_writer,
    };
    struct stage stage = {.flag = false};
    scenes[chance(sizeof scenes / sizeof *scenes)](&stage);
}

/* ---- accounts ---- */

static void settle_units(void)
{
    unsigned left = UNITS - gone.units;
    for (unsigned i = 0; i < left; i++)
        expect(verd_semaphore_try_acquire(&semaphore) == 0, "a unit was lost in the end");
    expect(verd_semaphore_try_acquire(&semaphore) != 0, "a unit came from nowhere");
    for (unsigned i = 0; i < UNITS; i++)
        expect(verd_semaphore_release(&semaphore) == 0, "a unit cannot be given back in the end");
    expect(verd_semaphore_release(&semaphore) != 0 && errno == EOVERFLOW, "a bound was lost");
}

static void end(void)
{
    settle_units();
    expect(gone.any || inside + readers + writers == 0, "somebody is still inside");
    expect(members == gone.members, "somebody is still a member");
    expect(mutex_line.first == NULL && rwlock_line.first == NULL, "somebody still waits");
    expect((verd_mutex_try_lock(&mutex) == 0) != gone.mutex, "the mutex was lost");
    expect((verd_rwlock_try_write_lock(&rwlock) == 0) != gone.rwlock, "the lock was lost");
    expect(members > 0 || verd_group_wait(&group) == 0, "the group was lost");
}

/* Nobody waits, and what nobody holds is free; but what was handed over is lost with who did not come to see
 * it. */
static void look_at_what_is_left(void)
{
    gone.any = true;
    gone.units = UNITS - (unsigned)verd_semaphore_units(&semaphore);
    gone.members = members;
    expect(gone.units <= UNITS && gone.units >= units_out, "a unit has come back from who is gone");
    gone.mutex = verd_mutex_try_lock(&mutex) != 0;
    expect(gone.mutex || inside == 0, "two threads in a mutex");
    expect(gone.mutex || verd_mutex_unlock(&mutex) == 0, "a mutex cannot be unlocked");
    gone.rwlock = verd_rwlock_try_write_lock(&rwlock) != 0;
    expect(gone.rwlock || readers + writers == 0, "others beside a writer");
    expect(gone.rwlock || verd_rwlock_unlock(&rwlock) == 0, "a lock cannot be unlocked");
    mutex_line.first = rwlock_line.first = NULL;
}

static void forked(void)
{
    look_at_what_is_left();
    units_out = gone.units;
    expect(verd_cond_signal(&cond) == 0 && verd_cond_broadcast(&cond) == 0, "a signal to the gone");
    expect(event_is_set || (verd_event_reset(&event) == 0), "somebody who is gone waits");
}

/* What is held, or lent, was another OS thread's; what is waited for is everybody's, for who waited is gone. */
static void left(void)
{
    look_at_what_is_left();
    settle_units();
    expect(verd_cond_signal(&cond) == 0 && verd_cond_broadcast(&cond) == 0, "a signal to the gone");
    expect((event_is_set || verd_event_set(&event, NULL) == 0) && verd_event_reset(&event) == 0,
           "somebody who is gone waits");
    for (; members > 0; members--)
        expect(verd_group_done(&group) == 0, "a group of those who are gone");
    expect(verd_group_wait(&group) == 0, "the group was lost");
    expect(!gone.mutex || (verd_mutex_try_lock(&mutex) != 0 && errno == EPERM),
           "a mutex of another OS thread");
    expect(!gone.rwlock || (verd_rwlock_try_read_lock(&rwlock) != 0 && errno == EPERM),
           "a lock of another OS thread");
}

const struct part fuzz_locks = {
    .begin = begin, .share = share, .scene = scene, .end = end, .forked = forked, .left = left};
