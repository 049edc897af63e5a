/* SPDX-License-Identifier: MIT */
/*
 * The file of a trace, and the tapes on which each hub writes what is to come there.
 *
 * The file is an array of JSON, an event a line. It grows by whole events, so that it can be read
 * up to any end: a tape is written out by one system call, and what a full disk takes only a part
 * of is cut off again. So whoever finds no ']' at its end may put one there.
 *
 * A tape is its hub's, and locked by it while it adds an event: nobody contends, but whoever stops
 * the trace, who writes all tapes out. A hub that goes on for a while finds another number of
 * traces then, and begins anew or adds nothing.
 */
#ifndef VERD_DEBUG_TAPE_H
#define VERD_DEBUG_TAPE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include <verd/time.h>

#include "stack/symbol.h"

#define VERD__TAPE_SIZE ((size_t)64 * 1024)

/* An event with all that belongs to it is shorter. */
#define VERD__EVENT_MAX 1024

/* What functions are called that threads were started with. */
#define VERD__FUNCTIONS 64
struct verd__function {
    uintptr_t address; /* 0: none yet */
    char name[48];
};

struct verd__tape {
    struct verd__tape *next; /* of all there are */
    pthread_mutex_t lock;    /* of the text; the rest is the hub's alone */
    unsigned trace;          /* the number of the one that it is for */
    pid_t hub;               /* the OS thread's number */
    uint64_t arrows;         /* drawn so far */
    uint32_t from;           /* of the turn that is on: from where an arrow leads to it; 0: none */
    bool is_spawned;         /* that is its beginning */
    verd_duration woken;     /* when that was */
    bool is_idle;            /* of the look that is on: nobody can run */
    struct verd__function functions[VERD__FUNCTIONS];
    size_t length;
    char text[VERD__TAPE_SIZE];
};

/* The number of the trace that is being written; 0: none is. */
extern _Atomic(unsigned) verd__trace_number;

/* When it began: what its times are counted from. */
extern _Atomic(verd_duration) verd__trace_begin;

/* A tape for the hub of this OS thread; NULL: there is no memory. */
struct verd__tape *verd__tape_new(void);

/* Writes the rest out, and frees it. */
void verd__tape_free(struct verd__tape *tape);

/* Writes the tape out, and empties it; by the hub. */
void verd__tape_flush(struct verd__tape *tape);

/* Between these an event is added, and all of it comes to the file or nothing; false: no trace is
 * being written. */
bool verd__event_begin(struct verd__tape *tape);
void verd__event_end(struct verd__tape *tape);

void verd__event_text(struct verd__tape *tape, const char *text);   /* as it is */
void verd__event_string(struct verd__tape *tape, const char *text); /* what stands between quotes */
void verd__event_number(struct verd__tape *tape, uint64_t number);
void verd__event_span(struct verd__tape *tape, verd_duration span); /* microseconds */

/* What the function at an address is called; valid until the next call. */
const char *verd__function_name(struct verd__tape *tape, uintptr_t address);

#endif
