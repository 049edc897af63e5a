/* SPDX-License-Identifier: MIT */
/*
 * Figures of an OS thread's hub: what it has and what it has done, for a monitor to read once in a
 * while.
 *
 *     struct verd_stats stats;
 *     if (verd_stats(&stats) == 0)
 *         printf("%zu threads, %llu made so far\n", stats.threads_alive,
 *                (unsigned long long)stats.threads_made);
 *
 * To count costs nothing that can be measured: it is done where the hub asks the kernel, or where
 * memory is asked for, and the rest is worked out when it is asked for. What has to be noted at
 * each switch is noted only after verd_stats_watch(true). tests/examples/metrics.c serves all of it
 * to Prometheus.
 */
#ifndef VERD_STATS_H
#define VERD_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/thread.h>
#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Spans of time are counted by length: element 0 has those below a microsecond, element i those
 * below 2^i microseconds that no element before it has, and the last all that are longer. */
#define VERD_STATS_BUCKETS 25

/* What begins with `offload_` is of the whole process, all else of the OS thread that asks. */
struct verd_stats {
    /* Threads, main among them. */
    uint64_t threads_made; /* ever */
    size_t threads_alive;  /* have not ended, be they started or not */
    size_t threads_kept; /* have ended, but were not joined, waited for and released, or detached */
    size_t threads_peak; /* the most of both together that there have been at a time */

    /* Stacks. Main's is not among them. */
    size_t stacks_used;       /* by threads, and by one that has just ended */
    size_t stacks_cached;     /* used before, kept for the next */
    size_t stacks_bytes;      /* address space of both, which is more than what is resident */
    size_t stacks_peak_bytes; /* the most that this has been */

    /* The hub. It turns when a round of the run queue is over, or 20 us later if that was short. */
    uint64_t hub_turns; /* looks at time and descriptors */
    uint64_t wakeups;   /* of them, when nobody could run: the OS thread may have slept */
    uint64_t events;    /* of descriptors, that the kernel has told of */

    /* Timers: of sleeps, timeouts and delayed starts, and some of the library's own. */
    size_t timers; /* armed */
    uint64_t timers_fired;

    /* Descriptors. */
    size_t descriptors;      /* made by libverd, and not closed by verd_close */
    size_t descriptor_waits; /* that threads are in, by descriptor and direction */

    /* What verd_offload and the library's own calls have run on other OS threads, of all kinds
     * together. */
    uint64_t offload_jobs;  /* ever */
    size_t offload_waiting; /* in line */
    size_t offload_running; /* OS threads at work, or stuck */
    size_t offload_threads; /* OS threads that there are */

    /* Lag: how long threads have run between two turns of the hub, where the processor's counter
     * can be trusted to tell; else these are zero. No event and no timer had to wait longer for
     * somebody to notice. */
    uint64_t lags[VERD_STATS_BUCKETS];
    verd_duration lag_sum, lag_longest;

    /* The rest is noted while verd_stats_watch(true) holds, and is zero before. */
    bool watched;
    uint64_t switches; /* turns that threads have had */
    /* Run-queue latency: how long after it could a thread has run. Of one that another has woken,
     * that counts from the end of the other's turn. */
    uint64_t latencies[VERD_STATS_BUCKETS];
    verd_duration latency_sum, latency_longest;
    /* How long turns have lasted; the longest, and the number and name of who had it (without a
     * name, that of the function that it was started with, if the program has symbols; else ""). */
    uint64_t holds[VERD_STATS_BUCKETS];
    verd_duration hold_sum, hold_longest;
    size_t hold_number;
    char hold_name[VERD_NAME_SIZE];
};

/*
 * Fills in the figures of this OS thread's hub. It looks at the control block of each thread that
 * there has been at a time, and at the record of each descriptor: some microseconds for a thousand
 * of them. Never blocks, never switches. Returns 0, or -1 with errno EINVAL (stats is NULL) or
 * ENOMEM.
 */
int verd_stats(struct verd_stats *stats);

/*
 * Begins to note each switch of this OS thread's green threads, and sets to zero what it had noted
 * before; or ends that. While it is noted, a switch costs some 100 ns more: the clock is read at
 * each. Nothing else changes, and threads run in the same order. On main's OS thread, call it at
 * the beginning of main. Never blocks, never switches. Returns 0, or -1 with errno ENOMEM.
 */
int verd_stats_watch(bool on);

#ifdef __cplusplus
}
#endif

#endif
