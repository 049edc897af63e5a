/* SPDX-License-Identifier: MIT */

/* The bench: one program per question, one table.
 *
 * A question is a function that measures something and reports rows:
 *
 *     static double ours(void *state, long count)  { ...; return nanoseconds_per_operation; }
 *     static double least(void *state, long count) { ...; return nanoseconds_per_operation; }
 *
 *     bench_measure(&(struct bench_pair){.name = "switch", .unit = "ns", .floor_name = "bare stub",
 *                                        .value = ours, .floor = least, .count = 500000});
 *
 * Each question runs in a process of its own, so none inherits another's memory or caches. The
 * value and its floor are measured in short slices that take turns, so a machine that is slower
 * for a while is slower for both. A row shows the median and the quartiles of the value's slices,
 * the median of the floor's, and the median of floor / value over the pairs of neighbouring slices:
 * 1.00 is as good as the floor, and more is better.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most pairs of slices that a row can have. */
#define BENCH_PAIRS_MAX 64

/* Slices that take turns: value, floor, floor, value, value, ... */
struct bench_samples {
    const char *name;       /* the row's */
    const char *unit;       /* of both numbers, less is better */
    const char *floor_name; /* what the floor is, in a few words */
    int pairs;
    double value[BENCH_PAIRS_MAX];
    double floor[BENCH_PAIRS_MAX];
};

/* Adds a pair of neighbouring slices. */
void bench_add(struct bench_samples *samples, double value, double floor);

/* Prints the row, unless BENCH asks for others. */
void bench_report(const struct bench_samples *samples);

/* Prints a line below the table's rows, for what a reader of the numbers has to know. */
__attribute__((format(printf, 1, 2))) void bench_note(const char *format, ...);

/* One short slice of work: does it `count` times and returns the figure. */
typedef double (*bench_slice)(void *state, long count);

/* A value and its floor, measured the same way. */
struct bench_pair {
    const char *name, *unit, *floor_name;
    bench_slice value, floor;
    void *state; /* of both slices */
    long count;  /* a slice should take some milliseconds; a smoke run does a fraction of it */
    int pairs;   /* 0: 41 */
};

/* Measures and reports a row. */
void bench_measure(const struct bench_pair *pair);

/* `full`, or in a smoke run (BENCH_QUICK=1) `quick`. */
long bench_size(long full, long quick);

/* Whether a row of this name is asked for: all are, or it begins with what is. */
bool bench_wanted(const char *name);

/* Processor time that this process has used so far, in nanoseconds. What else the machine has to do
 * at the same time is not what is measured. */
double bench_time(void);

/* Binds this process to the first (0) or the second (1) processor that it may run on. Those of a
 * machine with one processor share it. */
void bench_pin(int which);

/* A line of /proc/<pid>/status that is in kB, "VmRSS" for one, in bytes. */
double bench_memory(int pid, const char *line);

/* Calls work(result) in a child of its own, and brings its result of `size` bytes here. */
void bench_apart(void (*work)(void *result), void *result, size_t size);

/* Prints what failed, and why, and ends the process. */
_Noreturn void bench_fail(const char *what);

/* Has a thread wait for a descriptor from now on, as in every server there is one. */
void bench_await_descriptor(void);

/* The questions. */
void bench_call(void);
void bench_switch(void);
void bench_yield(void);
void bench_yield_sites(void);
void bench_yield_flags(void);
void bench_yield_io(void);
void bench_yield_watched(void);
void bench_yield_traced(void);
void bench_yield_watchdog(void);
void bench_spawn(void);
void bench_spawn_io(void);
void bench_park(void);
void bench_park_io(void);
void bench_event(void);
void bench_timer(void);
void bench_timeout(void);
void bench_queue_rendezvous(void);
void bench_queue_rendezvous_io(void);
void bench_queue_buffered(void);
void bench_semaphore(void);
void bench_pthread_mutex(void);
void bench_posix_read(void);
void bench_post(void);
void bench_offload(void);
void bench_parked(void);
void bench_echo(void);
void bench_syscalls(void);
void bench_accept(void);
void bench_idle(void);
void bench_idle_deep(void);
void bench_peak(void);
void bench_hold(void);
void bench_http(void);
void bench_http_parse(void);

#endif
