/* SPDX-License-Identifier: MIT */
/*
 * An OS thread that looks at the others' schedulers, and writes nothing there but a bit.
 *
 * A thread holds its OS thread if between two looks of ours it is the running one, and the scheduler has not looked
 * at its poller. For within a round a thread has one turn, and at the end of each there is such a look, if the one
 * before was VERD__SPAN ago. That is so if anything is expected, of the poller or of time. Else the scheduler is asked
 * to look at the end of the round, by that bit (VERD__ASKED), and what is seen from then on counts.
 *
 * What is counted is whole sleeps of this OS thread, and no clock: so no time counts in which the process was stopped.
 */
#include "debug/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <verd/debug.h>

#include "debug/ask.h"
#include "debug/holder.h"
#include "debug/os_thread.h"
#include "sched/monitor.h"
#include "sched/registry.h"
#include "sched/setting.h"
#include "sched/slab.h"
#include "stack/peek.h"
#include "stack/sanitizer.h"

/* <linux/futex.h>, without which musl often is. */
#define FUTEX_WAIT_PRIVATE 128

/* OS threads that are watched. */
#define HUBS_MAX 256

#define LOOKS 4 /* within the limit */
#define PERIOD_MIN (100 * VERD_US)

/* When nobody has done anything for so long, the watchdog sleeps. */
#define QUIET VERD_SEC

/* What is to be seen of a scheduler. */
struct sight {
    const struct verd__thread *running;
    uint32_t generation;
    uint64_t looks;
    bool is_idle;
    bool is_expecting; /* it will look at its poller at the end of the round */
    bool holds_nobody; /* main, alone, with nothing to wait for */
};

enum phase { INNOCENT, SUSPECTED, TOLD };

struct watched {
    uint64_t number; /* of the scheduler; 0: none */
    struct sight sight;
    enum phase phase;
    verd_duration held; /* while SUSPECTED, at least */
};

static struct {
    pthread_t os_thread;
    bool is_running; /* the OS thread is there */
    verd_duration limit;
    _Atomic(bool) stops;
    _Atomic(bool) is_looking; /* and perhaps telling */
    size_t quiet;             /* periods in which nothing has changed */
    struct watched hubs[HUBS_MAX];
} watchdog;

/* ---- looking ---- */

static void take_sight(const struct verd__scheduler *scheduler, struct sight *sight)
{
    struct verd__thread running = {0};
    const void *batch, *first, *idle, *main;
    size_t armed, expecting;
    verd__peek(&sight->running, &scheduler->running, sizeof(void *));
    verd__peek(&running, sight->running, sizeof running);
    verd__peek(&sight->looks, &scheduler->tally.looks, sizeof sight->looks);
    verd__peek(&idle, &scheduler->idle, sizeof idle);
    verd__peek(&armed, &scheduler->timers.armed, sizeof armed);
    verd__peek(&expecting, &scheduler->expecting, sizeof expecting);
    verd__peek(&batch, &scheduler->batch, sizeof batch);
    verd__peek(&first, &scheduler->first, sizeof first);
    verd__peek(&main, &scheduler->main, sizeof main);
    sight->generation = running.generation;
    sight->is_idle = idle != NULL;
    sight->is_expecting = (armed | expecting) != 0;
    sight->holds_nobody = sight->running == main && batch == NULL && first == NULL && armed == 0 &&
                          (expecting & ~VERD__EXPECTING_BITS) == 0;
}

static bool is_same(const struct sight *sight, const struct sight *before)
{
    return sight->running == before->running && sight->generation == before->generation &&
           sight->looks == before->looks && sight->is_idle == before->is_idle;
}

/* The record of a scheduler; NULL: there are too many. */
static struct watched *record_of(uint64_t number)
{
    struct watched *free_one = NULL;
    for (size_t i = 0; i < HUBS_MAX; i++) {
        if (watchdog.hubs[i].number == number)
            return &watchdog.hubs[i];
        if (watchdog.hubs[i].number == 0 && free_one == NULL)
            free_one = &watchdog.hubs[i];
    }
    if (free_one != NULL)
        *free_one = (struct watched){.number = number};
    return free_one;
}

/* Those that have ended are forgotten. */
static void forget_ended(void)
{
    for (size_t i = 0; i < HUBS_MAX; i++) {
        if (watchdog.hubs[i].number != 0 && !verd__scheduler_lives(watchdog.hubs[i].number))
            watchdog.hubs[i].number = 0;
    }
}

/* ---- telling ---- */

static void tell(const struct verd__scheduler *scheduler, const struct watched *watched)
{
    struct verd__report *report = verd__report_begin(&verd__stderr);
    if (report == NULL)
        return;
    verd__holder_tell(report, scheduler, watched->sight.running, " has held its OS thread for ",
                      watched->held);
    verd__report_end(report);
}

/* ---- watching ---- */

/* The bit's byte is written alone, so what the scheduler counts beside it stays whole; its own change of `expecting` at
 * this very moment may undo the bit: then it is asked again. */
static VERD__UNWATCHED void ask(struct verd__scheduler *scheduler)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "where the byte lies");
    ((volatile unsigned char *)&scheduler->expecting)[VERD__ASKED_BYTE] = 1;
}

static void go_on(struct verd__scheduler *scheduler, struct watched *watched, verd_duration slept)
{
    if (watched->phase == TOLD)
        return;
    if (!watched->sight.is_expecting) {
        ask(scheduler);
        watched->phase = INNOCENT;
    } else if (watched->phase == INNOCENT) {
        watched->phase = SUSPECTED;
        watched->held = 0;
    } else {
        watched->held += slept;
        if (watched->held < watchdog.limit)
            return;
        tell(scheduler, watched);
        watched->phase = TOLD;
    }
}

/* Returns whether anything has happened there. */
static bool watch(struct verd__scheduler *scheduler, verd_duration slept)
{
    struct sight sight;
    struct watched *watched = record_of(scheduler->number);
    if (watched == NULL)
        return true;
    take_sight(scheduler, &sight);
    bool same = is_same(&sight, &watched->sight);
    watched->sight = sight;
    if (same && !sight.is_idle && !sight.holds_nobody) {
        go_on(scheduler, watched, slept);
        return true;
    }
    watched->phase = INNOCENT;
    return !same;
}

/* After a sleep. Returns whether anything has happened anywhere. */
static bool watch_all(verd_duration slept)
{
    bool any = false;
    struct verd__scheduler *at = NULL;
    atomic_store(&watchdog.is_looking, true);
    while ((at = verd__registry_next(at)) != NULL)
        any = watch(at, slept) || any;
    forget_ended();
    atomic_store(&watchdog.is_looking, false);
    return any;
}

/* What was seen before proves nothing. */
static void forgive_all(void)
{
    for (size_t i = 0; i < HUBS_MAX; i++)
        watchdog.hubs[i].phase = INNOCENT;
}

/* ---- its sleep ---- */

static verd_duration period(void)
{
    verd_duration period = watchdog.limit / LOOKS + (watchdog.limit % LOOKS != 0);
    return period < PERIOD_MIN ? PERIOD_MIN : period;
}

/*
 * Sleeps for a period. Returns for how much of it the process has surely not been stopped. If it is, by a signal, a debugger
 * or a freezer, this call of all that sleep fails with EINTR (signal(7)), though no signal is waited for.
 */
static verd_duration sleep_once(void)
{
    static const uint64_t no_signals; /* of the kernel's kind */
    struct timespec span = {(time_t)(period() / VERD_SEC), (long)(period() % VERD_SEC)};
    syscall(SYS_rt_sigtimedwait, &no_signals, NULL, &span, sizeof no_signals);
    if (errno == EINTR)
        return 0;
    if (errno != EAGAIN) /* a filter does not let it pass */
        nanosleep(&span, NULL);
    return period();
}

/* Until it is woken, or a period has passed, where that is not to be waited for longer. */
static void sleep_until_woken(verd_duration most)
{
    struct timespec span = {(time_t)(most / VERD_SEC), (long)(most % VERD_SEC)};
    syscall(SYS_futex, &verd__monitor_sleeps, FUTEX_WAIT_PRIVATE, 1,
            most == VERD_FOREVER ? NULL : &span, NULL, 0);
}

/* An OS thread that begins to do something just as this says that it sleeps does not see that yet. A period later it
 * would, or this sees what it does. */
static void sleep_while_quiet(void)
{
    atomic_store(&verd__monitor_sleeps, 1);
    sleep_until_woken(period());
    if (!watch_all(0)) {
        while (atomic_load(&verd__monitor_sleeps) != 0 && !atomic_load(&watchdog.stops))
            sleep_until_woken(VERD_FOREVER);
    }
    atomic_store(&verd__monitor_sleeps, 0);
    watchdog.quiet = 0;
    forgive_all();
}

static void *run(void *arg)
{
    (void)arg;
    prctl(PR_SET_NAME, "verd-watchdog");
    while (!atomic_load(&watchdog.stops)) {
        watchdog.quiet = watch_all(sleep_once()) ? 0 : watchdog.quiet + 1;
        if ((verd_duration)watchdog.quiet * period() > QUIET)
            sleep_while_quiet();
    }
    return NULL;
}

/* ---- its beginning and its end ---- */

static int start(void)
{
    memset(watchdog.hubs, 0, sizeof watchdog.hubs);
    watchdog.quiet = 0;
    atomic_store(&watchdog.stops, false);
    int error = verd__os_thread_start(&watchdog.os_thread, run, NULL);
    watchdog.is_running = error == 0;
    return error;
}

static void stop(void)
{
    if (!watchdog.is_running)
        return;
    atomic_store(&watchdog.stops, true);
    verd__monitor_wake();
    pthread_join(watchdog.os_thread, NULL);
    watchdog.is_running = false;
}

/* What it has found out is told before the process has ended. That may be held up, be it by who calls exit: so for a
 * second at most. */
static void at_exit(void)
{
    static const struct timespec pause = {.tv_nsec = VERD_MS};
    for (int patience = 1000; atomic_load(&watchdog.is_looking) && patience > 0; patience--)
        nanosleep(&pause, NULL);
}

static int prepare(void)
{
    static bool is_prepared;
    if (!is_prepared && atexit(at_exit) != 0)
        return ENOMEM;
    is_prepared = true;
    verd__ask_prepare();
    return 0;
}

static int watch_for(verd_duration limit)
{
    stop();
    if (limit <= 0)
        return 0;
    watchdog.limit = limit;
    int error = prepare();
    if (error == 0)
        error = start();
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int verd_watchdog(verd_duration limit)
{
    int error = limit > 0 ? verd__process_prepare() : 0; /* for the children of forks */
    if (error == 0)
        return watch_for(limit);
    errno = error;
    return -1;
}

void verd__watchdog_forked(void)
{
    bool was_running = watchdog.is_running;
    watchdog.is_running = false;
    atomic_store(&verd__monitor_sleeps, 0);
    atomic_store(&watchdog.is_looking, false);
    if (was_running)
        watch_for(watchdog.limit);
}

/* A number and its unit; 0: it is something else. */
static verd_duration read_span(const char *text)
{
    static const struct {
        const char *name;
        verd_duration length;
    } units[] = {{"s", VERD_SEC}, {"ms", VERD_MS}, {"us", VERD_US}};
    char *unit;
    if (text[0] < '0' || text[0] > '9')
        return 0;
    unsigned long number = strtoul(text, &unit, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) == 0 && number < (unsigned long)(VERD_FOREVER / VERD_SEC))
            return (verd_duration)number * units[i].length;
    }
    return 0;
}

void verd__watchdog_environment(void)
{
    const char *text = verd__setting("VERD_WATCHDOG");
    if (text == NULL)
        return;
    verd_duration limit = read_span(text);
    if (limit > 0 && watch_for(limit) == 0)
        return;
    verd__setting_refuse("VERD_WATCHDOG", text,
                         limit > 0 ? ": there can be no OS thread for it"
                                   : " is no duration, as 100ms or 2s: there is no watchdog");
}
