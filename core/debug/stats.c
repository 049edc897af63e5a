/* SPDX-License-Identifier: MIT */
/* Figures, put together from what each floor keeps. */
#include <verd/stats.h>

#include <errno.h>
#include <string.h>

#include <verd/os.h>

#include "hub/hub.h"
#include "sched/name.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "stack/arena.h"
#include "stack/symbol.h"

static void count_threads(const struct verd__scheduler *scheduler, struct verd_stats *stats)
{
    for (const struct verd__slab *slab = scheduler->slabs; slab != NULL; slab = slab->next) {
        uint64_t generations = 0;
        for (size_t i = 1; i < slab->used; i++) {
            const struct verd__thread *thread = &verd__slab_blocks(slab)[i];
            generations += thread->generation;
            stats->threads_alive +=
                thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED;
            stats->threads_kept += thread->state == VERD__ENDED;
        }
        stats->threads_made += generations - slab->freed_before;
        stats->threads_peak += slab->used - 1; /* free blocks are used first */
    }
    stats->threads_made += stats->threads_alive + stats->threads_kept;
}

static void count_stacks(const struct verd__stacks *stacks, struct verd_stats *stats)
{
    for (unsigned i = 0; i < VERD__STACK_CLASSES; i++) {
        const struct verd__stack_class *class = &stacks->classes[i];
        size_t cached = class->cached_count + class->spare_count;
        stats->stacks_cached += cached;
        stats->stacks_used += class->warm - cached;
    }
    stats->stacks_bytes = stacks->warm;
    stats->stacks_peak_bytes = stacks->warm_peak;
}

static void count_descriptors(const struct verd__scheduler *scheduler, struct verd_stats *stats)
{
    const struct verd__loop *loop = (const struct verd__loop *)scheduler->poller;
    stats->descriptor_waits = verd__expected_events(scheduler);
    if (loop == NULL)
        return;
    stats->events = loop->events;
    for (size_t fd = 0; fd < verd__loop_numbers(loop); fd++) {
        const struct verd__fd *record = verd__loop_known(loop, (int)fd);
        stats->descriptors += record != NULL && (record->bits & VERD__FD_OURS);
    }
}

static int count_offload(struct verd_stats *stats)
{
    for (unsigned kind = 0; kind < VERD_OFFLOAD_KINDS; kind++) {
        struct verd_offload_counts counts;
        if (verd_offload_stats((enum verd_offload_kind)kind, &counts) != 0)
            return -1;
        stats->offload_jobs += counts.total;
        stats->offload_waiting += counts.waiting;
        stats->offload_threads += counts.threads;
        stats->offload_running += counts.threads - counts.idle;
    }
    return 0;
}

/* The function of who held longest stands for a name. Its file is looked at only then. */
static void name_holder(const struct verd__tally *tally, struct verd_stats *stats)
{
    struct verd__symbols symbols;
    verd__name_copy(stats->hold_name, tally->holder_name);
    if (stats->hold_name[0] != '\0' || tally->holder_start == 0)
        return;
    verd__symbols_open(&symbols);
    verd__name_copy(stats->hold_name, verd__symbols_find(&symbols, tally->holder_start));
    verd__symbols_close(&symbols);
}

static void count_turns(const struct verd__scheduler *scheduler, struct verd_stats *stats)
{
    const struct verd__tally *tally = &scheduler->tally;
    stats->hub_turns = tally->looks;
    stats->wakeups = tally->sleeps;
    memcpy(stats->lags, tally->lags.counts, sizeof stats->lags);
    stats->lag_sum = tally->lags.sum;
    stats->lag_longest = tally->lags.longest;
    stats->watched = scheduler->observed.for_stats;
    stats->switches = tally->turns;
    memcpy(stats->latencies, tally->latencies.counts, sizeof stats->latencies);
    stats->latency_sum = tally->latencies.sum;
    stats->latency_longest = tally->latencies.longest;
    memcpy(stats->holds, tally->holds.counts, sizeof stats->holds);
    stats->hold_sum = tally->holds.sum;
    stats->hold_longest = tally->holds.longest;
    stats->hold_number = tally->holder;
    name_holder(tally, stats);
}

int verd_stats(struct verd_stats *stats)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    if (stats == NULL) {
        errno = EINVAL;
        return -1;
    }
    memset(stats, 0, sizeof *stats);
    if (count_offload(stats) != 0)
        return -1;
    count_threads(scheduler, stats);
    count_stacks(&scheduler->stacks, stats);
    count_descriptors(scheduler, stats);
    stats->timers = scheduler->timers.armed;
    stats->timers_fired = scheduler->timers.fired;
    count_turns(scheduler, stats);
    return 0;
}

/* What holds of the turn that runs now counts as of all of it. */
int verd_stats_watch(bool on)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    struct verd__tally *tally = &scheduler->tally;
    if (on) {
        tally->turns = tally->holder = 0;
        tally->holder_start = 0;
        tally->holder_name[0] = '\0';
        memset(&tally->holds, 0, sizeof tally->holds);
        memset(&tally->latencies, 0, sizeof tally->latencies);
    }
    scheduler->observed.for_stats = on;
    verd__observe(scheduler, verd__observers(scheduler));
    return 0;
}
