/* SPDX-License-Identifier: MIT */
/*
 * Green threads: each runs on a guarded stack of its own, all of them on the OS thread that spawned
 * them, one at a time, until they wait or give way.
 *
 *     static void *fetch(void *url) { ...; return body; }
 *
 *     verd_thread *t = verd_spawn(fetch, url);
 *     void *body;
 *     verd_join(t, &body);                        // wait for its end, and release the handle
 *
 * There is nothing to initialise: the first call on an OS thread makes that thread's own stack its
 * main green thread. Green threads never move to another OS thread; a handle used on an OS thread
 * that is not its own is EPERM. A handle is never that of another thread again, so one that was released is
 * EINVAL however late. When an OS thread ends, its green threads end with it, unfinished.
 *
 * A stack is bound when a thread first runs, so a million spawned threads cost a million control
 * blocks and one stack, if none of them waits. When no stack can be had at that moment, one line on
 * stderr says so and the thread stays first in line for the next stack that an ending thread leaves;
 * threads that run are not harmed and none is lost.
 *
 * Stacks that nobody has used for some seconds give their memory back, but for the last 2 MiB of each size.
 *
 * Below each stack lies a guard of VERD_STACK_GUARD bytes, of address space and not of memory: an overflow is
 * one line on stderr, and a crash. A function whose local variables are larger than that may step over it,
 * unless it is compiled with -fstack-clash-protection, as some distributions do by default.
 *
 * In C++, each thread has its own exceptions: it may wait in a handler, and others throw meanwhile. A program
 * in C that loads C++ by dlopen(3) does so before the first call of this library on each OS thread that is to run
 * it, or links with the C++ runtime (-Wl,--no-as-needed -lstdc++). The runtime is looked for at that call and not
 * again: nothing tells of a dlopen at a price that each switch could pay.
 *
 * Threads run in the order in which they became able to, unless the environment has
 * VERD_SCHEDULE_SEED=n, a decimal number, for tests: then lots are drawn among all that can run, and any
 * order may come up. What is promised of order holds nevertheless (threads start in the order of spawning,
 * a line is served first come first served), but for verd_yield: it lets others go first, not all others.
 * The number alone decides the lots, for each OS thread anew. So a program that does the same runs the same,
 * as long as it is told the same: clocks, sockets of other processes and other OS threads are not seeded.
 */
#ifndef VERD_THREAD_H
#define VERD_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_thread verd_thread;

/* Bytes of stack: what a thread has unless something else is asked for, and the least and most that can be. */
#define VERD_STACK_SIZE ((size_t)256 * 1024)
#define VERD_STACK_SIZE_MIN ((size_t)16 * 1024)
#define VERD_STACK_SIZE_MAX ((size_t)1024 * 1024 * 1024)

/* Bytes below each stack that fault, at least. */
#define VERD_STACK_GUARD ((size_t)64 * 1024)

/* Bytes of a thread's name that are kept, with the terminating zero. */
#define VERD_NAME_SIZE 24

/* How a thread is to be made; zeroed fields are the defaults. */
typedef struct verd_attr {
    const char *name; /* copied, cut to VERD_NAME_SIZE; NULL: none */
    size_t
        stack_size; /* bytes, rounded up to a power of two; 0: the default (verd_stack_default) */
} verd_attr;

#define VERD_ATTR_INIT {0}

/*
 * Schedules fn(arg) to run as a new thread; the caller runs on. Threads start in the order of
 * spawning. Never blocks.
 * Returns a handle, to be given up by verd_join or verd_release, or NULL with errno
 *   EINVAL  fn is NULL
 *   ENOMEM  no memory for the control block
 */
verd_thread *verd_spawn(void *(*fn)(void *), void *arg);

/*
 * Like verd_spawn, with attributes (NULL: the defaults). The stack is bound here. Never blocks.
 * NULL with errno as verd_spawn, and
 *   EINVAL  stack_size is not 0 and below VERD_STACK_SIZE_MIN or above VERD_STACK_SIZE_MAX
 *   ENOMEM  no memory for the stack, or no mapping left for its guard (vm.max_map_count)
 */
verd_thread *verd_spawn_with(const verd_attr *attr, void *(*fn)(void *), void *arg);

/*
 * Like verd_spawn; the thread starts once `after` nanoseconds have passed, unless it is cancelled or
 * killed before. Zero and less start as verd_spawn does. Never blocks. Errors as verd_spawn.
 */
verd_thread *verd_spawn_after(verd_duration after, void *(*fn)(void *), void *arg);

/*
 * Sets the bytes of stack that threads have from now on for which nothing else is asked, rounded up to a power of two;
 * 0: VERD_STACK_SIZE. For the calling OS thread; a thread that has not started yet may have either. What
 * each OS thread begins with is VERD_STACK_SIZE, or what the environment has in the variable of that name, a decimal
 * number; if that cannot be, a line on stderr says so. Never blocks.
 * Returns 0, or -1 with errno
 *   EINVAL  size is not 0 and below VERD_STACK_SIZE_MIN or above VERD_STACK_SIZE_MAX
 *   ENOMEM  first call on this OS thread, and there is no memory for a scheduler
 */
int verd_stack_default(size_t size);

/* Like verd_spawn without handle and result: the cheapest. Never blocks. Returns 0, or -1 with
 * errno as verd_spawn. */
int verd_spawn_n(void (*fn)(void *), void *arg);

/*
 * Waits until thread `t` has ended and stores what its function returned in *result (unless NULL).
 * Any number of threads may wait, also after the end, and again. Blocks until then.
 * Returns 0, or -1 with errno
 *   ESRCH      there is no result: t was killed or cancelled before it started, or is gone because this is the
 *              child of a fork; verd_join has released the handle
 *   ECANCELED  the caller was killed
 *   ETIMEDOUT  an enclosing timeout of the caller ran out
 *   EDEADLK    t is the calling thread
 *   EINVAL     t is NULL, or a handle that was released
 *   EPERM      t belongs to another OS thread
 *   others     t's function has failed (verd_fail); verd_join has released the handle
 */
int verd_wait(verd_thread *t, void **result);

/* verd_wait, and verd_release once t has ended; when the wait fails for a reason of the caller's
 * (killed, timeout, EDEADLK, EPERM) the handle stays valid. Blocks. Errors as verd_wait. */
int verd_join(verd_thread *t, void **result);

/*
 * The result of a function that has failed. Whoever is to have it, by verd_wait, verd_join, verd_pile_next,
 * verd_pile_next_any or verd_imap_next, gets -1 and this error, in its place in the order; and the next call goes on.
 *
 *     static void *fetch(void *url) { ...; return verd_fail(ENOENT); }
 *
 * Those calls store it in *result, too, which they leave alone when they fail for a reason of the caller's. So with a
 * result that was NULL before, verd_failure(result) tells whose the ETIMEDOUT is, and whether something was taken.
 *
 * Elsewhere it is a value like others, which is handed on as it is: by verd_offload (whose -1 says that fn may
 * still run), verd_with_timeout, queues and events, to links, and where the function is called as any other. It
 * points to nothing that may be read, written or freed. verd_spawn_n and verd_release drop it with all results.
 *
 * error: 1 to VERD_FAILURE_MAX, as the system has them; in place of others EIO. Never blocks; from any OS thread.
 */
#define VERD_FAILURE_MAX 4095
void *verd_fail(int error);

/* The error of a result that verd_fail has made; 0: it is another. Never blocks; from any OS thread. */
int verd_failure(const void *result);

/* Gives the handle up: the thread runs on, and its control block is freed when it has ended. Never
 * blocks. NULL is ignored, and so is a handle of another OS thread. */
void verd_release(verd_thread *t);

/*
 * Takes back a thread that has not started: it never runs, and verd_wait on it gives ESRCH.
 * Never blocks. Returns 0, or -1 with errno
 *   EBUSY   it has started, or ended
 *   EINVAL  t is NULL or was released      EPERM  t belongs to another OS thread
 */
int verd_cancel(verd_thread *t);

/*
 * Asks thread `t` to end: from now on each of its blocking calls returns -1 and ECANCELED, the one it
 * waits in included, until its function returns. A thread that has not started never runs. Killing
 * twice, or an ended thread, changes nothing; killing oneself is allowed. What the thread has
 * been given before, an item, say, it keeps: then that call succeeds, and the next one says ECANCELED.
 * Never blocks.
 * Returns 0, or -1 with errno EINVAL (t is NULL or was released) or EPERM (another OS thread's).
 */
int verd_kill(verd_thread *t);

/*
 * A killed thread is not torn down: its calls fail, and its function returns, by whichever way out.
 * What is to be released on all of them can be tied to the scope of a variable, with the attribute
 * that gcc and clang have for it; calls that release work in killed threads.
 *
 *     static void unlock(verd_mutex **held) { if (*held != NULL) verd_mutex_unlock(*held); }
 *
 *     __attribute__((cleanup(unlock))) verd_mutex *held = NULL;
 *     if (verd_mutex_lock(&lock) != 0)
 *         return -1;
 *     held = &lock;
 *     if (verd_read(fd, buffer, size) < 0)
 *         return -1;                              // and unlocked
 */

/*
 * Has fn(t, arg) called when t ends, on the ending thread, in the order of linking, before the
 * threads that wait for t run; at once if t has ended. fn must not block. Never blocks.
 * Returns 0, or -1 with errno
 *   ENOMEM  no memory to remember it
 *   EINVAL  t or fn is NULL, or t was released      EPERM  t belongs to another OS thread
 */
int verd_link(verd_thread *t, void (*fn)(verd_thread *, void *), void *arg);

/* Takes back the first link with this fn and arg. Returns 0, or -1 with errno ENOENT (there is
 * none), EINVAL (t is NULL or was released) or EPERM (another OS thread's). Never blocks. */
int verd_unlink(verd_thread *t, void (*fn)(verd_thread *, void *), void *arg);

/*
 * Between the two, neither kill nor timeout reaches the calling thread, so that cleanup can block;
 * what came meanwhile shows at the first blocking call after the end. But timeouts that are begun within do
 * count there, so that it need not block for ever. Nests, to a depth of 255. Never block.
 */
void verd_shield_begin(void);
void verd_shield_end(void);

/* The calling thread; NULL only if there is no memory for a scheduler. Not a handle to release.
 * Never blocks. */
verd_thread *verd_self(void);

/* Whether the calling OS thread has green threads, main at least: whether it has made a call of the library that
 * needs them. Never blocks, and makes none; from any OS thread and signal handlers. */
bool verd_active(void);

/* Whether the calling thread has been killed; a shield does not hide it. Never blocks. */
bool verd_killed(void);

/* Whether t has ended, was cancelled or killed before it started: a wait for it would not block. true in a link
 * of t, too; false for NULL, a handle that was released, and another OS thread's. Never blocks. */
bool verd_ended(const verd_thread *t);

/* The name that verd_spawn_with or verd_set_name gave; or that of its pool's threads with its number, "client#17"; or ""
 * (of a thread that has ended, or has no stack yet, too). Valid until t ends. Never blocks. */
const char *verd_name(const verd_thread *t);

/*
 * Names thread t, which may be the calling one: the name is copied, cut to VERD_NAME_SIZE; NULL or "": it has none of its
 * own. What verd_name gave before changes with it. Never blocks.
 * Returns 0, or -1 with errno
 *   EINVAL   t is NULL, released, ended or has no stack yet
 *   EPERM    t belongs to another OS thread
 */
int verd_set_name(verd_thread *t, const char *name);

/* A number for messages, unique among the threads of an OS thread that are alive. Main is 0. Never
 * blocks. */
size_t verd_number(const verd_thread *t);

/*
 * Prints on stderr the threads of this OS thread that have not ended: number; name, or the function of those that have
 * none, by its own name if a file has that, else by its address; and what they wait for: of a lock, a condition, a
 * queue and the like the address, the variable that it is, and, if it is known, the thread that has it; of a select
 * its cases. In further lines of each, which are indented: where it was spawned, how much of its stack it uses, and the
 * calls that it is in, as far as they were compiled with frame pointers (-fno-omit-frame-pointer). Of more than 200 threads
 * those that are alike are counted, and one stands for all: that are in the same state, with the same function, and wait for
 * the same thing, whose address, name and holder are told. The 32 things for which the most wait are told
 * apart. Who holds such a thing, and who is in a cycle, is shown by itself all the same. Then the cycles of
 * threads that wait for one another. OS threads but the process's first are named by what gettid(2) gives. For a hung
 * server; can be called from a debugger. verd_dump (<verd/debug.h>) does it for all OS threads. Never blocks green
 * threads.
 */
void verd_report(void);

/*
 * When none of the OS thread's green threads can run and nothing can make one runnable (no timer, no
 * descriptor, no other OS thread that may post), the process prints verd_report's lines and aborts. `fn`
 * is called before that: if it makes a thread runnable, by an unpark or a kill, all goes on. It
 * must not block. NULL takes it back. A thread that sleeps waits for a timer, even for VERD_FOREVER, and
 * idles by intention: then there is no report. For the calling OS thread; never blocks.
 */
void verd_on_deadlock(void (*fn)(void));

/*
 * Gives way: every other thread that can run, runs before this one goes on. Timers and descriptors are looked
 * at once in a round of all that can run, or, where rounds are shorter than that, once in 20 microseconds.
 * Never blocks: it waits for nothing, and killed threads give way as well.
 */
void verd_yield(void);

/*
 * To build one's own primitives: park suspends the calling thread until verd_unpark names it. An
 * unpark that comes first is kept (one, not a count), and the next park returns at once. Blocks.
 * Returns 0, or -1 with errno ECANCELED (killed), ETIMEDOUT (an enclosing timeout ran out), ENOMEM.
 */
int verd_park(void);

/* Makes the parked thread t runnable, behind those that are already; NULL, an ended thread and
 * another OS thread's are ignored. Never blocks. */
void verd_unpark(verd_thread *t);

/* Private to the library: the head of a list; empty when zeroed. */
struct verd__link;
struct verd__list {
    struct verd__link *first, *last;
};

/*
 * Bytes of stack that thread t has used at most, to the word, since the memory was last given back that it did not
 * need: before t, as an earlier thread may have run on the same stack, so that it is an upper bound; or in a long
 * wait of t's (verd_reclaim_after). Scans the stack. Never blocks.
 * Returns the count, or -1 with errno
 *   EINVAL   t is NULL, released, ended or not started
 *   ENOTSUP  t is a main thread, whose stack is the OS thread's own
 *   EPERM    t belongs to another OS thread
 */
ssize_t verd_stack_used(verd_thread *t);

/*
 * A thread that has waited for so long, in one call, gives back the memory that its stack has below the frame of that
 * call: those who were deep once keep nothing of it. It is done in slices of 100 us, within one and a half times `wait`;
 * what the thread uses of it later comes afresh, at a page fault for each page. VERD_FOREVER: never. The default is
 * VERD_RECLAIM_AFTER. For all threads of the calling OS thread but main. Never blocks.
 * Returns 0, or -1 with errno EINVAL (wait is not above 0) or ENOMEM (for a scheduler).
 */
#define VERD_RECLAIM_AFTER (60 * VERD_SEC)
int verd_reclaim_after(verd_duration wait);

/* Thread-specific values, as pthread_key has them for OS threads. Keys are the process's. */
#define VERD_KEYS_MAX 1024
typedef unsigned verd_key;

/*
 * Makes a key. When a thread ends with a value that is not NULL, destructor(value) is called on it
 * (unless NULL), in up to 4 rounds while destructors set values anew. From any OS thread. Never
 * blocks.
 * Returns 0, or -1 with errno EAGAIN (VERD_KEYS_MAX keys exist) or EINVAL (key is NULL).
 */
int verd_key_create(verd_key *key, void (*destructor)(void *));

/*
 * Takes a key back: its values are gone, without a call of the destructor, and a key that is made later may have
 * its number. From any OS thread. Never blocks. Returns 0, or -1 with errno EINVAL (no such key).
 */
int verd_key_delete(verd_key key);

/* The calling thread's value of the key; NULL if none was set or there is no such key. Never
 * blocks. */
void *verd_get(verd_key key);

/*
 * Sets the calling thread's value of the key. The first set of a thread allocates. Never blocks.
 * Returns 0, or -1 with errno EINVAL (no such key) or ENOMEM.
 */
int verd_set(verd_key key, void *value);

#ifdef __cplusplus
}
#endif
#endif
