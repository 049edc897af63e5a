/* SPDX-License-Identifier: MIT */
/*
 * The scheduler of one OS thread: its run queue, and who runs.
 *
 * The run queue is two lists through verd__thread.next: `batch`, what is left of this round, and
 * `first`..`last`, the next. Whoever becomes runnable goes to the end of the next; when the batch is
 * empty the round is over, and the next list is the batch. So a round's end costs nothing to notice. At
 * it timers and the poller are asked, unless that was less than VERD__SPAN ago: so nobody
 * can keep events out, and rounds that are short do not each pay for a system call.
 *
 * There is no scheduler context: a thread that waits switches straight to the next one, and if there
 * is none, it waits for the poller on its own stack, behind a frame (verd_idle) that has the look of a base.
 *
 * The way of a byte, from a socket of the library's that has none yet to the return of verd_read:
 *
 *     verd_read               io/read.c           says what is to be read
 *     verd__input_keep        io/io.c             verd__begin, then the loop: try, and wait
 *     verd__attempt           io/attempt.c        recv: EAGAIN
 *     verd__loop_wait         hub/hub.c           registers the file once (hub/epoll.c), and the thread's wait
 *                                                 with the descriptor's record
 *     verd__wait              sched/wait.h        notes the kind of wait
 *     verd__suspend           sched/run.c         another thread runs, until the run queue is empty
 *     verd__round, poll_once  sched/round.c       the last to suspend itself asks the poller
 *     verd_idle               arch/x86_64/idle.S  ends what profilers and debuggers see of the stack
 *     epoll_collect           hub/epoll.c         epoll_wait: there is something to read
 *     verd__loop_ready        hub/hub.c           latches that, and ends the wait of the record
 *     verd__wait_end          sched/wait.h        nothing of the wait is registered any more; it is ready
 *     switch_to               sched/run.c         the thread's turn
 *     verd_context_switch     arch/x86_64/switch.S returns to where verd__loop_wait was called
 *     verd__attempt           io/attempt.c        recv: the byte
 *     verd__spend             sched/wait.h        gives way, if the budget is spent
 *
 * And of one to the return of verd_write: verd_write (io/write.c), verd__output (io/io.c), verd__attempt, send;
 * a full socket is waited for in the same way.
 */
#ifndef VERD_SCHED_SCHEDULER_H
#define VERD_SCHED_SCHEDULER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/context.h>
#include <verd/thread.h>

#include "float.h"
#include "sched/clock.h"
#include "sched/observe.h"
#include "sched/timer.h"
#include "sched/upkeep.h"
#include "stack/stack.h"

struct verd__carriers;
struct verd__delay;
struct verd__exceptions;
struct verd__layout;
struct verd__owner;
struct verd__registered;
struct verd__watch;
struct verd_hub;

/* Calls that may succeed at once before a thread has to give way. */
#define VERD__BUDGET 64

enum verd__state {
    VERD__FREE,      /* in the slab's free list */
    VERD__UNSTARTED, /* in the run queue, or to be put there by its delay */
    VERD__STARTED,   /* has a stack; in the run queue unless it runs or waits */
    VERD__ENDED,     /* kept for its handle, or until the run queue lets go of it */
};

enum verd__flag {
    VERD__HANDLE = 1,   /* someone holds a handle, which keeps the control block */
    VERD__RESULT = 2,   /* its function is verd__start.call, which returns a result */
    VERD__PERMIT = 4,   /* an unpark that came before its park */
    VERD__QUEUED = 8,   /* UNSTARTED or ENDED: still in the run queue */
    VERD__DELAYED = 16, /* UNSTARTED: waits for its delay, `delay` is valid */
    VERD__ENDING = 32,  /* its watches are being called; `result` is valid */
};

enum verd__interrupt {
    VERD__INTERRUPT_KILL = 1,    /* killed */
    VERD__INTERRUPT_TIMEOUT = 2, /* a timeout scope has fired */
    VERD__INTERRUPT_UNARMED = 4, /* a timeout scope is to be armed before the next wait */
    VERD__INTERRUPT_STOP = VERD__INTERRUPT_KILL | VERD__INTERRUPT_TIMEOUT,
};

union verd__start {
    void *(*call)(void *); /* with VERD__RESULT */
    void (*run)(void *);
};

/* The control block: one cache line, in a slab (slab.h). */
struct verd__thread {
    union {
        verd_context context; /* STARTED: where it is suspended */
        const void *site;     /* UNSTARTED: where the call that spawned it returns to */
    };
    struct verd__thread *next; /* in the run queue or the free list */
    union {
        union verd__start start; /* UNSTARTED */
        struct {
            int outcome; /* STARTED, not running: of the wait that it is in or comes from */
            int error;   /* and its errno; ENDED: 0, or why it did not run */
        };
    };
    union {
        void *arg;    /* UNSTARTED */
        void *result; /* ENDED */
    };
    union {
        struct verd__owner *owner; /* told of its end; NULL: none */
        struct verd__delay *delay; /* DELAYED */
    };
    struct verd__stack *stack;   /* STARTED; UNSTARTED: NULL unless bound early */
    struct verd__watch *watches; /* the first of a ring; NULL: none */
    uint32_t generation;         /* how often the block has been freed */
    uint8_t state;               /* enum verd__state */
    uint8_t flags;               /* enum verd__flag */
    uint8_t interrupt;           /* enum verd__interrupt */
    uint8_t shield;              /* depth */
};

_Static_assert(sizeof(struct verd__thread) == 64, "a control block is one cache line");

/* Who answers for a thread and is told, on it, of its end: a pool. */
struct verd__owner {
    void (*ended)(struct verd__owner *owner, struct verd__thread *thread);
    const char *name; /* of its threads, with '#' and their numbers; NULL or "": none */
};

/* Called when a thread ends, on the ending thread, first come first. */
struct verd__watch {
    struct verd__watch *next, *prev; /* NULL: it is not in the ring, or no longer */
    /* `error`: 0, or why it has no result. */
    void (*ended)(struct verd__watch *watch, struct verd__thread *thread, int error);
};

/* The poller, as the floor above provides it: what may make threads runnable besides other
 * threads and timers. */
struct verd__poller {
    /* Makes runnable whom the poller has an event for; waits for one up to `timeout` nanoseconds:
     * 0 looks only, VERD_FOREVER has no limit. May return early. */
    void (*wait)(struct verd__poller *poller, verd_duration timeout);
    /* The scheduler ends: frees it. */
    void (*close)(struct verd__poller *poller);
    /* This is the child of a fork, and nobody waits: parts with what it shares with the parent. */
    void (*forked)(struct verd__poller *poller);
};

/* What a floor above keeps for the OS thread; told from others by `end`. */
struct verd__exit_hook {
    struct verd__exit_hook *next;
    void (*end)(struct verd__exit_hook *hook); /* the OS thread ends: frees it */
};

/* In arch/<arch>/idle.S: calls `wait`. Until that returns `from` is where the caller is suspended, then NULL;
 * and whoever walks the stack from below finds its end there. */
__attribute__((visibility("hidden"))) void
verd_idle(verd_context *from, void (*wait)(struct verd__poller *, verd_duration),
          struct verd__poller *poller, verd_duration timeout);

/* What handlers of signals find, and tell (offload/handler.h). */
struct verd__handlers {
    struct verd_hub *inbox;         /* where to; NULL: nobody was interruptible so far */
    struct verd__thread *addressee; /* whom alone the signals are for that come now; NULL: main */
};

struct verd__slab;

/* In `expecting`: rounds are shuffled. It is there so that the end of each round is noticed without a
 * question of its own. */
#define VERD__SEEDED (~(SIZE_MAX >> 1))

/* In `expecting`: more stacks are cached than are kept, so time is to be looked at. */
#define VERD__SURPLUS (VERD__SEEDED >> 1)

/* In `expecting`: rounds are of one thread, so that each turn is seen (observe.h). */
#define VERD__OBSERVED (VERD__SURPLUS >> 1)

/* In `expecting`: the monitor wants to see a look. It sets this from its own OS thread, so it has a byte for itself. */
#define VERD__ASKED_BYTE 6
#define VERD__ASKED ((size_t)1 << 8 * VERD__ASKED_BYTE)

#define VERD__EXPECTING_BITS (VERD__SEEDED | VERD__SURPLUS | VERD__OBSERVED | VERD__ASKED)

struct verd__scheduler {
    uint64_t number; /* no other scheduler of the process ever has it */
    pid_t os_thread; /* as the kernel numbers them */
    struct verd__registered *registered;
    struct verd__thread *running;
    struct verd__thread *batch;
    struct verd__thread *first;
    struct verd__thread **last;          /* &first or &(last one)->next: where the next one goes */
    struct verd__thread *free;           /* control blocks */
    int *errno_location;                 /* this OS thread's */
    struct verd__exceptions *exceptions; /* this OS thread's; NULL: there is no C++ */
    verd_duration clock;                 /* when the poller or time was last waited for */
    size_t expecting; /* waits for the poller; 0: it is not asked. And VERD__EXPECTING_BITS */
    int budget;
    bool ending; /* all but the running thread are being ended, and get nothing any more */
    bool forked; /* that is so because this is the child of a fork */
    struct verd__float_control float_control; /* what threads start with */
    struct verd__clock timestamps;            /* of timeouts that have not been waited for */
    uint64_t polled;                          /* the timestamp of the last poll; 0: unknown */
    struct verd__poller *poller;              /* NULL: none yet */
    struct verd__exit_hook *exit_hooks;       /* the last to come is the first to go */
    struct verd__thread *starved;             /* UNSTARTED for which there was no stack, in order */
    struct verd__thread **starved_last;
    struct verd__list
        words; /* who waits for one of POSIX's that has no queue (patch/pthread_word.h) */
    void (*on_deadlock)(void); /* NULL: report and abort */
    uint64_t chance;           /* VERD__SEEDED: what draws who runs (shuffle.h) */
    struct verd__thread *main;
    verd_context nowhere; /* suspended into when something is not to be resumed */
    struct verd__slab *slabs;
    void *signal_stack;            /* NULL: the OS thread had one */
    struct verd__stack main_stack; /* only its area is used */
    unsigned default_class;
    struct verd__stacks stacks;
    struct verd__upkeep upkeep;
    struct verd__list pools; /* pool/pool.h */
    struct verd__tally tally;
    struct verd__observed observed;
    struct verd__timers timers;
    verd_context idle; /* nobody runs: where `running` waits, as suspended by a switch; else NULL */
    const struct verd__layout *layout; /* of all this, for debuggers */
    struct verd__list pauses;          /* who waits for a free descriptor (io/backoff.h) */
    struct verd__handlers handlers;
    sigset_t mask;          /* this OS thread's own, while some wait with another (patch/mask.h) */
    size_t masked;          /* so many */
    _Atomic(pid_t) runs_on; /* the OS thread on which `running` runs: os_thread, or its carrier */
    struct verd__carriers *carriers; /* NULL: all threads run on this OS thread (carrier.h) */
    size_t background; /* waits for the poller that alone do not keep a deadlock from being seen */
};

extern _Thread_local struct verd__scheduler *verd__current;

/* Waits for the poller, by descriptor and direction. */
static inline size_t verd__expected_events(const struct verd__scheduler *scheduler)
{
    return scheduler->expecting & ~VERD__EXPECTING_BITS;
}

/* Prepares the process for schedulers, once. 0, or ENOMEM or EAGAIN. */
int verd__process_prepare(void);

/* Makes the scheduler of this OS thread. NULL with errno ENOMEM. */
struct verd__scheduler *verd__scheduler_new(void);

static inline struct verd__scheduler *verd__scheduler(void)
{
    struct verd__scheduler *scheduler = verd__current;
    return __builtin_expect(scheduler != NULL, 1) ? scheduler : verd__scheduler_new();
}

/* Puts a thread at the end of the next round. */
static inline void verd__ready(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    thread->next = NULL;
    *scheduler->last = thread;
    scheduler->last = &thread->next;
}

/* Begins the next round, without a look at anything and with all who can run; its list is not empty. */
static inline void verd__turn(struct verd__scheduler *scheduler)
{
    scheduler->batch = scheduler->first;
    scheduler->first = NULL;
    scheduler->last = &scheduler->first;
}

/* Whether timers or the poller are to be asked before the next round. */
static inline bool verd__wants_poll(const struct verd__scheduler *scheduler)
{
    return (scheduler->timers.armed | scheduler->expecting) != 0 &&
           !verd__is_recent(&scheduler->timestamps, scheduler->polled);
}

/* Refills the empty batch: ends the round, asks timers and the poller, and waits for them
 * if nobody can run. */
void verd__round(struct verd__scheduler *scheduler);

/* Takes the first out of the list of those that lack a stack; NULL if there is none. */
struct verd__thread *verd__starved_pop(struct verd__scheduler *scheduler);

/* Runs others until someone makes the running thread ready, which may have happened already. Returns its
 * outcome, with its errno. */
int verd__suspend(struct verd__scheduler *scheduler);

/* Lets everyone who can run go first. Returns `result`, and keeps errno. */
int verd__give_way_with(struct verd__scheduler *scheduler, int result);

static inline void verd__give_way(struct verd__scheduler *scheduler)
{
    verd__give_way_with(scheduler, 0);
}

/* -1 with errno ECANCELED or ETIMEDOUT if the running thread is interrupted and unshielded, else 0 */
int verd__interrupted(const struct verd__scheduler *scheduler);

/* Marks a thread ended, tells who watches and owns it, and frees the control block if nobody keeps
 * it. `error`: 0, or why it never ran. */
void verd__thread_end(struct verd__scheduler *scheduler, struct verd__thread *thread, void *result,
                      int error);

/* Ends all threads but the running one, without a turn for any of them (fork.c). With `lasting` they are gone
 * from whatever they have waited for; else from what cannot have gone before them. */
void verd__threads_end(struct verd__scheduler *scheduler, bool lasting);

/* Frees the control block of an ended thread unless a handle or the run queue still has it. */
void verd__thread_drop(struct verd__scheduler *scheduler, struct verd__thread *thread);

/* In the child of a fork: only the running thread is left (fork.c). */
void verd__fork_child(void);

/* Prints every thread of the scheduler and what it waits for. */
void verd__report(struct verd__scheduler *scheduler);

#endif
