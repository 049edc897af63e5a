/* SPDX-License-Identifier: MIT */
/*
 * A mixed load of everything that waits, against a model that counts what must be conserved.
 *
 * A seed decides all: the lots that the library draws for who runs next (VERD_SCHEDULE_SEED), what the
 * actors do, and, as time is virtual (clock.c), when. What happens goes into a trace, so that two runs
 * can be told to be the same.
 *
 * Each part of the library that waits has its part here. Actors share what a part has made in `begin`,
 * play scenes of their own, are killed and run out of time at any moment; `end` settles the accounts.
 *
 * Wherever a thread lingers, whatever it has in hand, the process may fork. In the child the others are gone; the
 * thread that has forked keeps what it holds for good, and new actors share the rest (`forked`). And a world may
 * be cut: its OS thread ends while all is going on, and another one comes to what is left (`left`).
 */
#ifndef TESTS_PROGRAMS_SCHEDULE_FUZZ_H
#define TESTS_PROGRAMS_SCHEDULE_FUZZ_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd.h>

struct part {
    void (*begin)(void);
    /* Uses what is shared, in a scope of time. NULL: nothing is */
    void (*share)(void);
    /* Makes something, waits for what is sure to come, and looks that nothing is lost. Ends by itself */
    void (*scene)(void);
    void (*end)(void);
    /* In the child of a fork: the accounts begin anew, with what those that are gone have not given back */
    void (*forked)(void);
    /* On another OS thread, when the world's has ended in the midst. NULL: nothing outlives it */
    void (*left)(void);
};

extern const struct part fuzz_threads, fuzz_locks, fuzz_queues, fuzz_pools, fuzz_resources, fuzz_io,
    fuzz_outside;

/* ---- chance and trace (world.c) ---- */

/* Whether the load has a bug in it, that shows in some orders of running alone. */
extern bool planted;

/* Whether others take part, in time of their own (outside.c); and how many of their doings are waited for now: then
 * it is not for ever that nobody here can run. */
extern bool outside;
extern unsigned outside_waits;

/* Whether the processor is emulated. */
bool is_emulated(void);

/* A number below `sides`; true once in n. */
unsigned chance(unsigned sides);
bool one_in(unsigned n);

/* Adds to the trace. */
void note(uint64_t what);

/* Something is not conserved: ends the process. `fuzz_failed` is called first, by the program. */
_Noreturn void violated(const char *what);
_Noreturn void fuzz_failed(const char *what, uint64_t trace);

static inline void expect(bool holds, const char *what)
{
    if (!holds)
        violated(what);
}

/* Runs everything with a seed, on an OS thread of its own. Returns the trace. */
uint64_t fuzz_run(uint64_t seed);

/* The same, but for the end: the OS thread ends at any moment. What is left then is nobody's to free. */
uint64_t fuzz_run_cut(uint64_t seed);

/* The process forks, at times: the child goes on with the model, and does not return. */
void fork_at_times(void);

/* ---- virtual time (clock.c) ---- */

/* It begins anew; it goes on, as if the thread had computed for so long. */
void clock_reset(void);
void compute(verd_duration span);

/* ---- what a thread knows of itself (self.c) ---- */

struct scope {
    verd_timeout timeout;
    verd_duration deadline; /* no later than the library's */
    bool fired;             /* for sure */
    struct scope *outer;
};

void scope_begin(struct scope *scope, verd_duration after);
void scope_end(struct scope *scope);
void shield_begin(void);
void shield_end(void);

/* What the calling thread holds at the moment that it does not give back if it never goes on. */
struct held {
    bool any;         /* others are gone */
    unsigned member;  /* of the shared pool */
    unsigned feeding; /* its imaps */
    unsigned
        resource; /* a right of the shared resource pool's, to make one, or look at it, or end it */
};

struct held *held(void);

/* How many threads have ended whose self went with them, and how many had one. */
extern unsigned selves_made, selves_ended;
void selves_begin(void);

/* The errno with which the next blocking call must fail, or 0. */
int due(void);

/* Judges a blocking call: `due` is from before it; errno may be `other`, too (0: may not), when it has
 * not succeeded. Returns whether it did. */
bool judged(const char *call, int due, bool succeeded, int other);

/* Accepts the next connection, though a deadline or a kill comes first. */
int accept_one(int listener);

/* Is somewhere else for a while; may be interrupted. */
void linger(void);

/* A thread that does its part of a scene, whatever happens to its caller, and its end. */
verd_thread *hire(void *(*fn)(void *), void *arg);
void *dismiss(verd_thread *helper);

#endif
