/* SPDX-License-Identifier: MIT */
/* What the backdoor shows of threads, pools, descriptors, timers and figures. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <verd/stats.h>

#include "debug/backdoor.h"
#include "debug/dump.h"
#include "hub/hub.h"
#include "pool/pool.h"
#include "sched/registry.h"
#include "sched/report.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"

static void write_line(const struct verd__question *question, struct verd__line *line)
{
    verd__line_write_to(line, &question->output);
}

void verd__answer(const struct verd__question *question, const char *text)
{
    struct verd__line line = {0};
    verd__line_text(&line, text);
    write_line(question, &line);
}

/* " 12 word" */
static void add_count(struct verd__line *line, size_t count, const char *word)
{
    verd__line_text(line, " ");
    verd__line_number(line, count);
    verd__line_text(line, " ");
    verd__line_text(line, word);
}

/* ---- threads ---- */

static void tell_thread(const struct verd__view *view, void *report)
{
    verd__report_thread(report, view);
}

/* Of all hubs, the own one first. */
void verd__inspect_threads(const struct verd__question *question)
{
    struct verd__report *report = verd__report_begin(&question->output);
    if (report == NULL)
        return;
    report->now = verd_now();
    verd__views_each(question->scheduler, tell_thread, report);
    struct verd__scheduler *other = verd__registry_next(NULL);
    for (; other != NULL; other = verd__registry_next(other)) {
        if (other != question->scheduler)
            verd__views_each(other, tell_thread, report);
    }
    verd__report_end(report);
}

/* The number that is the argument; false: there is none, and that was told. */
static bool read_number(const struct verd__question *question, size_t *number)
{
    char *end;
    errno = 0;
    *number = strtoul(question->argument, &end, 10);
    if (end != question->argument && *end == '\0' && errno == 0)
        return true;
    verd__answer(question, "this needs the number of a thread");
    return false;
}

static void deny(const struct verd__question *question)
{
    verd__answer(question, "there is no such thread of this hub's");
}

struct verd__thread *verd__inspect_find(const struct verd__question *question)
{
    size_t number;
    if (!read_number(question, &number))
        return NULL;
    for (struct verd__slab *slab = question->scheduler->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 1; i < slab->used; i++) {
            struct verd__thread *thread = &verd__slab_blocks(slab)[i];
            if ((thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED) &&
                verd__thread_number(thread) == number)
                return thread;
        }
    }
    deny(question);
    return NULL;
}

/* A thread that is sought from another OS thread. */
struct sought {
    size_t number;
    bool is_found; /* and `view` is of it */
    struct verd__view view;
};

static void compare(const struct verd__view *view, void *arg)
{
    struct sought *sought = arg;
    if (verd__thread_number(view->at) != sought->number)
        return;
    sought->is_found = true;
    sought->view = *view;
}

static void tell_calls(const struct verd__question *question, const struct verd__view *view)
{
    struct verd__report *report = verd__report_begin(&question->output);
    if (report == NULL)
        return;
    bool is_known = view->is_running && verd__dump_running(view->scheduler, NULL, &report->calls);
    report->now = verd_now();
    verd__report_thread(report, view);
    verd__report_details(report, view, is_known ? &report->calls : NULL);
    verd__report_end(report);
}

/* Of one thread, or of all. */
void verd__inspect_backtrace(const struct verd__question *question)
{
    struct sought sought = {.is_found = false};
    if (question->argument[0] == '\0') {
        verd__dump(&question->output, NULL);
    } else if (read_number(question, &sought.number)) {
        verd__views_each(question->scheduler, compare, &sought);
        if (sought.is_found)
            tell_calls(question, &sought.view);
        else
            deny(question);
    }
}

/* ---- pools ---- */

void verd__inspect_pools(const struct verd__question *question)
{
    const struct verd__link *at = question->scheduler->pools.first;
    for (; at != NULL; at = at->next) {
        const struct verd_pool *pool = VERD__CONTAINER_OF(at, struct verd_pool, kin);
        struct verd__line line = {0};
        verd__line_text(&line, "pool ");
        verd__line_address(&line, (uintptr_t)pool);
        verd__line_text(&line, " \"");
        verd__line_text(&line, pool->name);
        verd__line_text(&line, "\":");
        add_count(&line, pool->running, "of");
        add_count(&line, pool->size, "run,");
        add_count(&line, pool->waiting, "wait for a place");
        write_line(question, &line);
    }
}

/* ---- descriptors ---- */

static void add_waiting(struct verd__line *line, const char *direction,
                        const struct verd__wait *wait)
{
    if (wait == NULL)
        return;
    verd__line_text(line, ", thread ");
    verd__line_number(line, verd__thread_number(wait->thread));
    verd__line_text(line, " waits for ");
    verd__line_text(line, direction);
}

static void tell_descriptor(const struct verd__question *question, size_t fd,
                            const struct verd__fd *record)
{
    struct verd__line line = {0};
    verd__line_text(&line, "descriptor ");
    verd__line_number(&line, fd);
    verd__line_text(&line, record->bits & VERD__FD_LISTENER ? ": a listener"
                           : record->bits & VERD__FD_SOCKET ? ": a socket"
                           : record->bits & VERD__FD_OURS   ? ": a file"
                                                            : ": another's");
    if ((record->bits & VERD__FD_OURS) && (record->bits & VERD__FD_READABLE))
        verd__line_text(&line, ", may be read");
    if (record->bits & VERD__FD_ENDED)
        verd__line_text(&line, ", at its end or in error");
    add_waiting(&line, "input", record->waiting[VERD__INPUT]);
    add_waiting(&line, "output", record->waiting[VERD__OUTPUT]);
    write_line(question, &line);
}

void verd__inspect_descriptors(const struct verd__question *question)
{
    const struct verd__loop *loop = (const struct verd__loop *)question->scheduler->poller;
    for (size_t fd = 0; loop != NULL && fd < verd__loop_numbers(loop); fd++) {
        const struct verd__fd *record = verd__loop_known(loop, (int)fd);
        if (record != NULL && ((record->bits & VERD__FD_OURS) || verd__fd_is_waited_for(record)))
            tell_descriptor(question, fd, record);
    }
}

/* ---- timers ---- */

static bool tell_timer(const struct verd__question *question, const struct verd__thread *thread,
                       const struct verd__timer *timer, const char *what)
{
    struct verd__line line = {0};
    if (!verd__timer_armed(timer))
        return false;
    verd_duration left = timer->deadline - verd_now();
    uint64_t ms = left > 0 ? (uint64_t)(left / VERD_MS) : 0;
    verd__line_text(&line, "thread ");
    verd__line_number(&line, verd__thread_number(thread));
    verd__line_text(&line, what);
    if (timer->deadline == VERD_FOREVER) {
        verd__line_text(&line, ", for ever");
    } else {
        verd__line_text(&line, " in ");
        verd__line_number(&line, ms);
        verd__line_text(&line, " ms");
    }
    write_line(question, &line);
    return true;
}

/* Returns how many are armed for the thread. */
static size_t tell_timers_of(const struct verd__question *question,
                             const struct verd__thread *thread)
{
    if (thread->state == VERD__UNSTARTED && (thread->flags & VERD__DELAYED))
        return tell_timer(question, thread, verd__delay_timer(thread), " starts");
    if (thread->state != VERD__STARTED)
        return 0;
    const struct verd__area *area = verd__area(thread);
    const struct verd__wait *wait = &area->wait;
    size_t count = wait->kind != NULL && wait->kind->has_more &&
                   tell_timer(question, thread, &wait->timer, ": the end of its wait");
    return count + tell_timer(question, thread, &area->limit, ": a timeout");
}

/* The others are the library's own, or of the resource pools. */
void verd__inspect_timers(const struct verd__question *question)
{
    const struct verd__scheduler *scheduler = question->scheduler;
    size_t told = 0;
    for (const struct verd__slab *slab = scheduler->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 1; i < slab->used; i++)
            told += tell_timers_of(question, &verd__slab_blocks(slab)[i]);
    }
    struct verd__line line = {0};
    verd__line_text(&line, "and");
    add_count(&line, scheduler->timers.armed - told, "others");
    write_line(question, &line);
}

/* ---- figures ---- */

struct figure {
    const char *name;
    size_t offset; /* of 8 bytes */
};

#define FIGURE(name) {#name, offsetof(struct verd_stats, name)}
static const struct figure figures[] = {
    FIGURE(threads_made),     FIGURE(threads_alive),
    FIGURE(threads_kept),     FIGURE(threads_peak),
    FIGURE(stacks_used),      FIGURE(stacks_cached),
    FIGURE(stacks_bytes),     FIGURE(stacks_peak_bytes),
    FIGURE(hub_turns),        FIGURE(wakeups),
    FIGURE(events),           FIGURE(timers),
    FIGURE(timers_fired),     FIGURE(descriptors),
    FIGURE(descriptor_waits), FIGURE(offload_jobs),
    FIGURE(offload_waiting),  FIGURE(offload_running),
    FIGURE(offload_threads),  FIGURE(lag_longest),
    FIGURE(switches),         FIGURE(latency_longest),
    FIGURE(hold_longest),     FIGURE(hold_number),
};

static void tell_spans(const struct verd__question *question, const char *name,
                       const uint64_t counts[VERD_STATS_BUCKETS])
{
    struct verd__line line = {0};
    verd__line_text(&line, name);
    for (size_t i = 0; i < VERD_STATS_BUCKETS; i++) {
        verd__line_text(&line, " ");
        verd__line_number(&line, counts[i]);
    }
    write_line(question, &line);
}

/* A name and a number a line; spans in nanoseconds, and how many of which length as in struct
 * verd_stats. */
void verd__inspect_figures(const struct verd__question *question)
{
    struct verd_stats stats;
    if (verd_stats(&stats) != 0) {
        verd__answer(question, strerror(errno));
        return;
    }
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        struct verd__line line = {0};
        uint64_t value;
        memcpy(&value, (const char *)&stats + figures[i].offset, sizeof value);
        verd__line_text(&line, figures[i].name);
        verd__line_text(&line, " ");
        verd__line_number(&line, value);
        write_line(question, &line);
    }
    struct verd__line line = {0};
    verd__line_text(&line, "hold_name ");
    verd__line_text(&line, stats.hold_name);
    write_line(question, &line);
    tell_spans(question, "lags", stats.lags);
    tell_spans(question, "latencies", stats.latencies);
    tell_spans(question, "holds", stats.holds);
}
