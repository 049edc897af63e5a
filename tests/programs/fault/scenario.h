/* SPDX-License-Identifier: MIT */
/* What is played while libc fails: a table of scenarios per floor of the library. */
#ifndef TESTS_PROGRAMS_SCENARIO_H
#define TESTS_PROGRAMS_SCENARIO_H

#include <errno.h>
#include <stdbool.h>

#include <verd.h>

#include "fault.h"

/*
 * A scenario plays itself in a world of its own, which it takes down again whatever happens. Played
 * without a fault it returns 0; with one 0, or the errno with which a call has failed: one of those that
 * the header of the call names. What must hold in any case is said with `must`.
 */
struct scenario {
    const char *name;
    int (*play)(void);
    int errors[16];   /* that it may return */
    bool first;       /* also played as the first thing that its process does with the library */
    const char *last; /* a line on stderr with which the process may abort; NULL: it never does */
};

/* Tables that end in an empty row. */
extern const struct scenario sched_scenarios[], sync_scenarios[], pool_scenarios[], net_scenarios[],
    os_scenarios[], serve_scenarios[], ending_scenarios[], pthread_scenarios[], posix_scenarios[],
    trace_scenarios[];

/* Ends the process with a line on stderr unless `holds`. */
void must_hold(bool holds, const char *what, const char *file, int line);

#define must(condition) must_hold(condition, #condition, __FILE__, __LINE__)

/* Has as many threads about to start as there are control blocks: the next thread needs memory for more. */
void use_all_blocks(void);

/* The errno of a call that returned -1, else 0. */
static inline int error_of(long result)
{
    return result < 0 ? errno : 0;
}

/* The first of two errors that is not 0. */
static inline int either(int first, int second)
{
    return first != 0 ? first : second;
}

/* Notes an errno, if it is the first. */
static inline bool note_error(int *first, int error)
{
    *first = either(*first, error);
    return true;
}

/*
 * Makes a call that may fail, and once more if it did: what has failed has changed nothing, so it can be
 * tried again, and a run has no second fault. Whether it succeeded in the end; *error is the first errno.
 */
#define twice(error, call) ((call) >= 0 || (note_error(error, errno) && (call) >= 0))

#endif
