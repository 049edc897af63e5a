/* SPDX-License-Identifier: MIT */
/* Who makes the call of a row, for the columns. */
#ifndef TESTS_WAIT_SUBJECT_H
#define TESTS_WAIT_SUBJECT_H

#include "table.h"

#define LONG (3600 * VERD_SEC)

/* What is played. */
extern const struct row *row;
extern const struct verdicts *verdicts;

struct subject {
    verd_thread *thread;
    bool shielded;
    bool inside; /* a shield, with its limit */
    bool limited;
    bool killed; /* by itself, before the call */
    bool again;  /* calls once more when the limit is lifted */
    verd_duration limit;
    verd_duration limit_begin, limit_end; /* the deadline is between them */
    bool begun, returned, ended;
    bool fired;
    bool left; /* `untouched` when the first call had failed */
    intptr_t first, next, second;
};

/* Starts the call, and lets it run until it waits. */
void subject_start(struct subject *subject);
void subject_join(struct subject *subject);

/* The row's event, until a look at the outside will see it. */
void provoke(void);

/* ---- verdicts ---- */

void check(const char *what, intptr_t found, intptr_t expected);
void check_whole(void);
void check_untouched(void);
void check_waits(const char *what, const struct subject *subject);

/* Another thread makes the call, as if nobody had before. The event has been, or comes. */
void check_another(bool event_was);

/* ---- the columns in which the thread is gone before the event, or the object (endings.c) ---- */

void forks_child(void);
void os_thread_end(void);
void discarded(void);

#endif
