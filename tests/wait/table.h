/* SPDX-License-Identifier: MIT */
/*
 * The table of the calls that block: a row says how to make one wait, what ends the wait, and how to see
 * that nothing was lost. Each row is played in each of the columns below (columns.c), in a process of
 * its own.
 */
#ifndef TESTS_WAIT_TABLE_H
#define TESTS_WAIT_TABLE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd.h>

enum trait {
    ALONE = 1,    /* one thread waits at a time; a second would be told EBUSY, or spoil it */
    SHARED = 2,   /* the event is for all who wait */
    FLEETING = 4, /* the event is for who waits already: nobody else ever sees it */
    INDIRECT = 8, /* the event is the doing of another green thread, which comes through the gate */
    EITHER =
        16, /* it looks from time to time, or waits several times: it may see the event or not */
    TIMED = 32,       /* the event is the passing of time */
    OS_THREADS = 128, /* starts OS threads, which the child of a fork cannot do under an emulator */
    FINISHES =
        64, /* what has begun when the thread is killed, is finished, and the call succeeds */
    ORPHANED =
        256, /* in the child of a fork nobody is left who could bring the event: see `orphaned` */
    BOUND = 512,      /* what is waited for belongs to its OS thread: EPERM on another */
    BY_HANDLE = 2048, /* BOUND: or EINVAL, as of one that was released */
    GOES_ON = 1024,   /* who waits does so though the object is freed: it is kept until then */
    NOWAIT = 4096, /* is tried by RWF_NOWAIT; an emulator lacks it, so that the wait is another */
    LAST = 8192,   /* a call that has waited and failed is its object's last: see `after_last` */
    HOLDS =
        16384 /* has memory of its own as it waits, which nobody frees when its OS thread ends */
};

struct row {
    const char *call;    /* the function */
    const char *when;    /* what it waits for */
    void (*setup)(void); /* the world in which it waits; NULL: `start` makes it */
    /* Has a server's handler make the call, that is, run `call`, in a world of its own: its thread, which has not begun
     * to. NULL: any thread may */
    verd_thread *(*start)(void *(*call)(void *arg), void *arg);
    intptr_t (*make)(void); /* the call: what it gave, or -errno */
    intptr_t right;         /* what it gives after the event */
    void (*provoke)(void);  /* the event, once; by the main thread. It does not let others run */
    /* Waits, as OS threads wait, until a look at the outside will see the event. NULL: it is there */
    void (*arrive)(void);
    bool (*untouched)(
        void);           /* after a call that failed: as if it had never been. NULL: no telling */
    bool (*whole)(void); /* after one event and one success: no more, no less. NULL: no telling */
    unsigned traits;
    intptr_t orphaned;   /* ORPHANED: what the call gives in the child of a fork, by itself */
    intptr_t after_last; /* LAST: what the next call gives, at once */
    /* Frees or closes the object: 0 or -errno. NULL: it is no object, or lies in memory of the user's */
    intptr_t (*discard)(void);
    intptr_t discarded; /* after `discard` of 0: what the call gives, unless it GOES_ON */
};

struct rows {
    const struct row *rows;
    size_t count;
};

extern const struct rows rows_of_threads, rows_of_sync, rows_of_queues, rows_of_selects,
    rows_of_pools, rows_of_sockets, rows_of_streams, rows_of_servers, rows_of_http,
    rows_of_websockets, rows_of_files, rows_of_processes;

#define ROWS(array) {(array), sizeof(array) / sizeof *(array)}

enum column {
    EVENT_FIRST,
    TIMEOUT_FIRST,
    BOTH_AT_ONCE, /* in one turn of the hub: the event wins, the next call sees the timeout */
    ZERO_TIMEOUT, /* although the event is there already */
    TIMEOUT_UNDER_SHIELD, /* waits on; the next call after the shield sees it */
    TIMEOUT_IN_SHIELD,    /* begun there, it fires there, although the thread is killed */
    KILL,
    KILLED_BEFORE,     /* although the event is there already */
    EVENT_THEN_KILL,   /* before the thread runs: what it has been given it keeps */
    KILL_THEN_EVENT,   /* before the thread runs: the event is for the next in line */
    KILL_UNDER_SHIELD, /* waits on; the next call after the shield sees it */
    FORKS_CHILD, /* the child has it all as if nobody had waited, the parent as if it had no child */
    OS_THREAD_END, /* as if nobody had waited, for those that are another OS thread's, too */
    DISCARDED,     /* the object tells who waits, or cannot be freed yet */
    COLUMNS,
};

extern const char *const column_names[COLUMNS];

/* What is called, on the main thread, when something is wrong; and when the machine was too slow to tell. */
struct verdicts {
    void (*wrong)(const char *what, intptr_t found, intptr_t expected);
    void (*slow)(void);
};

/* Plays the row in the column. None of the verdicts returns. `patience` is the time that what comes first
 * has before what comes second. */
void play(const struct row *row, enum column column, verd_duration patience,
          const struct verdicts *verdicts);

/* ---- for rows ---- */

/* In which column the row is played, and with how much patience. */
extern enum column column_played;
extern verd_duration patience;

/* For whom the event is that is provoked now. */
extern verd_thread *recipient;

/* Helper threads of INDIRECT rows wait here; provoke opens it. */
void pass_gate(void);
void open_gate(void);

/* The result of a call by -1 and errno. */
static inline intptr_t result_of(intptr_t result)
{
    return result < 0 ? -errno : result;
}

/* Ends the process if something that a row needs cannot be had. */
void must(bool holds, const char *what);

#endif
