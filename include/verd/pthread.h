/* SPDX-License-Identifier: MIT */
/*
 * POSIX threads made green: in a file that includes this, a thread is a green thread where the source says
 * pthread_create or thrd_create, and so are the locks, conditions, semaphores and keys between them. A server of
 * one thread a connection becomes one of a green thread a connection, in one OS thread.
 *
 *     #include <verd/posix.h>            // read, accept, ... that others run meanwhile
 *     #include <verd/pthread.h>          // before all others, or cc -include verd/pthread.h
 *     #include <pthread.h>
 *
 *     while ((client = accept(listener, NULL, NULL)) >= 0)
 *         pthread_create(&thread, NULL, serve, (void *)(intptr_t)client);
 *
 * It is the functions that get other names for the linker, verd_pthread_create for pthread_create, and no macro:
 * pointers to them are meant as well, and members of structs that are called so are not. Types, constants, static
 * initialisers, and attributes stay libc's. What libc's functions do with attributes holds.
 *
 * They do what their manual pages say, to the errno. What differs:
 *
 *   variables       that are thread-local (_Thread_local, __thread, thread_local) are the OS thread's: all its green
 *                   threads share them, and no compiler warns. What a thread keeps there from before a call that may
 *                   block to after it another may have changed; it belongs into a key (pthread_key_create, tss_create).
 *                   So are h_errno and what else libc keeps of a thread but errno, which is each thread's own
 *   OS threads      threads are the OS thread's that made them. An object that threads of another one wait for, or
 *                   hold, is EPERM there. Objects for several processes (PTHREAD_PROCESS_SHARED) are ENOTSUP, named
 *                   semaphores and robust mutexes, too
 *   turns           a thread runs until it waits or gives way: nobody takes the processor from it. It gives way
 *                   after some 64 calls that need not wait, not in a loop that makes none
 *   stacks          of VERD_STACK_SIZE unless the attribute says otherwise, of VERD_STACK_SIZE_MIN at least. The
 *                   memory that pthread_attr_setstack names is not used. Guards are the library's
 *   cancellation    pthread_cancel is verd_kill, and verd_kill of a thread that pthread_create has made is
 *                   pthread_cancel: it ends, with its handlers and keys, at the entry of the calls that pthreads(7) has as
 *                   points of cancellation, or where it waits in them: those of this header, and those of <verd/posix.h>,
 *                   of which all that may block are such points; with libverd-patch.a also where a library calls them
 *                   that was compiled without. A call that has done some of what it should returns that first. The
 *                   library's own calls that may block, as verd_read, return -1 and ECANCELED instead; waits for locks go
 *                   on, as POSIX has it. Asynchronous cancellation comes at such a point, too, but for the caller's own
 *   disabled        PTHREAD_CANCEL_DISABLE is a shield (verd_shield_begin): timeouts begun outside do not count either
 *   out of time     a timeout scope around it (verd_timeout_begin) ends pthread_join and waits for conditions and
 *                   semaphores, with ETIMEDOUT, and no waits for locks, barriers and pthread_once
 *   killed          so does verd_kill, with ECANCELED, in main and in threads that verd_spawn has made
 *   pthread_exit    runs handlers and destructors of keys, and no destructors of C++. Threads of verd_spawn cannot
 *                   call it: a line on stderr, and abort. main can: others run on, and the process ends after the last of
 *                   them with 0
 *   no wake-ups     are spurious, and waiters are served first come first served; but who would read a lock that others
 *                   read passes writers that wait, as in libc, unless the lock's kind says otherwise
 *   absolute times  of CLOCK_REALTIME are spans from the call on: a step of the clock moves no wait
 *   signals         are the OS thread's: pthread_kill sends one there, and pthread_sigmask is libc's
 *   all wait        the process says so, prints who waits for what (verd_report), and aborts
 *   scheduling, affinity  are the OS thread's; there is one priority
 *
 * C or C++. In C++ it has to come before all other headers. The threads and locks of C++ itself are partly inline and
 * partly not, so files that use std::thread, std::mutex or std::condition_variable are not for this header.
 */
#ifndef VERD_PTHREAD_H
#define VERD_PTHREAD_H

#if defined __cplusplus && !defined VERD_PTHREAD_DECLARE_ONLY && \
    (defined _PTHREAD_H || defined _SEMAPHORE_H || defined _THREADS_H)
#error "in C++ <verd/pthread.h> has to come before all other headers: c++ -include verd/pthread.h"
#endif

#ifndef VERD_PTHREAD_DECLARE_ONLY
#pragma redefine_extname pthread_create verd_pthread_create
#pragma redefine_extname pthread_join verd_pthread_join
#pragma redefine_extname pthread_tryjoin_np verd_pthread_tryjoin_np
#pragma redefine_extname pthread_timedjoin_np verd_pthread_timedjoin_np
#pragma redefine_extname pthread_clockjoin_np verd_pthread_clockjoin_np
#pragma redefine_extname pthread_detach verd_pthread_detach
#pragma redefine_extname pthread_exit verd_pthread_exit
#pragma redefine_extname pthread_self verd_pthread_self
#pragma redefine_extname pthread_cancel verd_pthread_cancel
#pragma redefine_extname pthread_setcancelstate verd_pthread_setcancelstate
#pragma redefine_extname pthread_setcanceltype verd_pthread_setcanceltype
#pragma redefine_extname pthread_testcancel verd_pthread_testcancel
#pragma redefine_extname pthread_setname_np verd_pthread_setname_np
#pragma redefine_extname pthread_getname_np verd_pthread_getname_np
#pragma redefine_extname pthread_kill verd_pthread_kill
#pragma redefine_extname pthread_sigqueue verd_pthread_sigqueue
#pragma redefine_extname sched_yield verd_sched_yield
#pragma redefine_extname pthread_once verd_pthread_once
#pragma redefine_extname pthread_attr_init verd_pthread_attr_init
#pragma redefine_extname pthread_getattr_np verd_pthread_getattr_np
#pragma redefine_extname pthread_setschedparam verd_pthread_setschedparam
#pragma redefine_extname pthread_getschedparam verd_pthread_getschedparam
#pragma redefine_extname pthread_setschedprio verd_pthread_setschedprio
#pragma redefine_extname pthread_getcpuclockid verd_pthread_getcpuclockid
#pragma redefine_extname pthread_setaffinity_np verd_pthread_setaffinity_np
#pragma redefine_extname pthread_getaffinity_np verd_pthread_getaffinity_np
#pragma redefine_extname pthread_mutex_init verd_pthread_mutex_init
#pragma redefine_extname pthread_mutex_destroy verd_pthread_mutex_destroy
#pragma redefine_extname pthread_mutex_lock verd_pthread_mutex_lock
#pragma redefine_extname pthread_mutex_trylock verd_pthread_mutex_trylock
#pragma redefine_extname pthread_mutex_timedlock verd_pthread_mutex_timedlock
#pragma redefine_extname pthread_mutex_clocklock verd_pthread_mutex_clocklock
#pragma redefine_extname pthread_mutex_unlock verd_pthread_mutex_unlock
#pragma redefine_extname pthread_cond_init verd_pthread_cond_init
#pragma redefine_extname pthread_cond_destroy verd_pthread_cond_destroy
#pragma redefine_extname pthread_cond_wait verd_pthread_cond_wait
#pragma redefine_extname pthread_cond_timedwait verd_pthread_cond_timedwait
#pragma redefine_extname pthread_cond_clockwait verd_pthread_cond_clockwait
#pragma redefine_extname pthread_cond_signal verd_pthread_cond_signal
#pragma redefine_extname pthread_cond_broadcast verd_pthread_cond_broadcast
#pragma redefine_extname pthread_rwlock_init verd_pthread_rwlock_init
#pragma redefine_extname pthread_rwlock_destroy verd_pthread_rwlock_destroy
#pragma redefine_extname pthread_rwlock_rdlock verd_pthread_rwlock_rdlock
#pragma redefine_extname pthread_rwlock_tryrdlock verd_pthread_rwlock_tryrdlock
#pragma redefine_extname pthread_rwlock_timedrdlock verd_pthread_rwlock_timedrdlock
#pragma redefine_extname pthread_rwlock_clockrdlock verd_pthread_rwlock_clockrdlock
#pragma redefine_extname pthread_rwlock_wrlock verd_pthread_rwlock_wrlock
#pragma redefine_extname pthread_rwlock_trywrlock verd_pthread_rwlock_trywrlock
#pragma redefine_extname pthread_rwlock_timedwrlock verd_pthread_rwlock_timedwrlock
#pragma redefine_extname pthread_rwlock_clockwrlock verd_pthread_rwlock_clockwrlock
#pragma redefine_extname pthread_rwlock_unlock verd_pthread_rwlock_unlock
#pragma redefine_extname pthread_barrier_init verd_pthread_barrier_init
#pragma redefine_extname pthread_barrier_destroy verd_pthread_barrier_destroy
#pragma redefine_extname pthread_barrier_wait verd_pthread_barrier_wait
#pragma redefine_extname pthread_spin_init verd_pthread_spin_init
#pragma redefine_extname pthread_spin_destroy verd_pthread_spin_destroy
#pragma redefine_extname pthread_spin_lock verd_pthread_spin_lock
#pragma redefine_extname pthread_spin_trylock verd_pthread_spin_trylock
#pragma redefine_extname pthread_spin_unlock verd_pthread_spin_unlock
#pragma redefine_extname pthread_key_create verd_pthread_key_create
#pragma redefine_extname pthread_key_delete verd_pthread_key_delete
#pragma redefine_extname pthread_getspecific verd_pthread_getspecific
#pragma redefine_extname pthread_setspecific verd_pthread_setspecific
#pragma redefine_extname sem_init verd_sem_init
#pragma redefine_extname sem_destroy verd_sem_destroy
#pragma redefine_extname sem_wait verd_sem_wait
#pragma redefine_extname sem_trywait verd_sem_trywait
#pragma redefine_extname sem_timedwait verd_sem_timedwait
#pragma redefine_extname sem_clockwait verd_sem_clockwait
#pragma redefine_extname sem_post verd_sem_post
#pragma redefine_extname sem_getvalue verd_sem_getvalue
#pragma redefine_extname sem_open verd_sem_open
#pragma redefine_extname sem_close verd_sem_close
#pragma redefine_extname thrd_create verd_thrd_create
#pragma redefine_extname thrd_current verd_thrd_current
#pragma redefine_extname thrd_detach verd_thrd_detach
#pragma redefine_extname thrd_exit verd_thrd_exit
#pragma redefine_extname thrd_join verd_thrd_join
#pragma redefine_extname thrd_sleep verd_thrd_sleep
#pragma redefine_extname thrd_yield verd_thrd_yield
#pragma redefine_extname mtx_init verd_mtx_init
#pragma redefine_extname mtx_destroy verd_mtx_destroy
#pragma redefine_extname mtx_lock verd_mtx_lock
#pragma redefine_extname mtx_trylock verd_mtx_trylock
#pragma redefine_extname mtx_timedlock verd_mtx_timedlock
#pragma redefine_extname mtx_unlock verd_mtx_unlock
#pragma redefine_extname cnd_init verd_cnd_init
#pragma redefine_extname cnd_destroy verd_cnd_destroy
#pragma redefine_extname cnd_wait verd_cnd_wait
#pragma redefine_extname cnd_timedwait verd_cnd_timedwait
#pragma redefine_extname cnd_signal verd_cnd_signal
#pragma redefine_extname cnd_broadcast verd_cnd_broadcast
#pragma redefine_extname tss_create verd_tss_create
#pragma redefine_extname tss_delete verd_tss_delete
#pragma redefine_extname tss_get verd_tss_get
#pragma redefine_extname tss_set verd_tss_set
#pragma redefine_extname call_once verd_call_once
#endif

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

#include <verd/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The calls return 0 or the number of an error, as their manual pages have it, and leave errno alone; those of
 * semaphores return -1 and set it. */

/* ---- threads ---- */

/* A new thread, which runs when the caller waits or gives way. EAGAIN: no memory. Never blocks. */
int verd_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                        void *arg);

/* Waits for a thread's end, any of this OS thread's; the result of one that was killed before it began is
 * PTHREAD_CANCELED. ESRCH: there is none; EINVAL: it is detached; EDEADLK: the caller's own. May block. */
int verd_pthread_join(pthread_t handle, void **result);

/* The same if it has ended. EBUSY: it has not. Never blocks. */
int verd_pthread_tryjoin_np(pthread_t handle, void **result);

/* The same until a point in time. May block. */
int verd_pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *until);

/* Its handle goes with its end. ESRCH, or EINVAL: it was detached. Never blocks. */
int verd_pthread_detach(pthread_t handle);

/* Ends the calling thread. In main it waits for the end of all others. May block. */
__attribute__((noreturn)) void verd_pthread_exit(void *result);

/* The caller, as a verd_thread has it: pthread_equal is libc's. Never blocks. */
pthread_t verd_pthread_self(void);

/* Has a thread end where it waits next. ESRCH. Never blocks, but for the caller's own end. */
int verd_pthread_cancel(pthread_t handle);

/* Whether and how the caller can be cancelled. Never block. */
int verd_pthread_setcancelstate(int state, int *before);
int verd_pthread_setcanceltype(int type, int *before);

/* Ends here if it was cancelled. Never blocks, but for that. */
void verd_pthread_testcancel(void);

/* A name of 15 bytes at most, which verd_report prints, too. ERANGE: it is longer, or the room is smaller than 16.
 * Never block. */
int verd_pthread_setname_np(pthread_t handle, const char *name);
int verd_pthread_getname_np(pthread_t handle, char *name, size_t size);

/* 0 asks whether there is such a thread; others are sent to the OS thread. Never block. */
int verd_pthread_kill(pthread_t thread, int signal);
union sigval;
int verd_pthread_sigqueue(pthread_t thread, int signal, const union sigval value);

/* Lets others go first. Never blocks. */
int verd_sched_yield(void);

/* Calls fn, unless that was done before; who comes meanwhile waits. May block. */
int verd_pthread_once(pthread_once_t *once, void (*fn)(void));

/* libc's, with a stack of VERD_STACK_SIZE. Never blocks. */
int verd_pthread_attr_init(pthread_attr_t *attr);

/* ---- mutexes: normal, recursive, errorcheck; others are normal ---- */

/* ENOTSUP: for several processes, or robust. Never blocks. */
int verd_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);

/* EBUSY: it is locked. Never blocks. */
int verd_pthread_mutex_destroy(pthread_mutex_t *mutex);

/* Locks. Neither a kill nor a timeout ends the wait. May block. */
int verd_pthread_mutex_lock(pthread_mutex_t *mutex);

/* Locks, or EBUSY. Never blocks. */
int verd_pthread_mutex_trylock(pthread_mutex_t *mutex);

/* Locks, or ETIMEDOUT at a point in time of CLOCK_REALTIME, or of that clock. May block. */
int verd_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until);

/* Unlocks; the first in line has the lock at once. A normal mutex can be unlocked by any thread of the OS
 * thread, as in libc. EPERM: it is nobody's, or not the caller's. Never blocks. */
int verd_pthread_mutex_unlock(pthread_mutex_t *mutex);

/* ---- conditions ---- */

/* ENOTSUP: for several processes. Never blocks. */
int verd_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);

/* EBUSY: somebody waits. Never blocks. */
int verd_pthread_cond_destroy(pthread_cond_t *cond);

/* Waits for a signal; a recursive mutex is given up altogether meanwhile. EPERM: the mutex is not the caller's.
 * May block. */
int verd_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/* The same, or ETIMEDOUT at a point in time of the attribute's clock. Others get the mutex even if that is past. May
 * block. */
int verd_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                const struct timespec *until);

/* Wake one, or all. Never block. */
int verd_pthread_cond_signal(pthread_cond_t *cond);
int verd_pthread_cond_broadcast(pthread_cond_t *cond);

/* ---- thread-specific values: VERD_KEYS_MAX keys with those of verd_key_create ---- */

/* As verd_key_create and verd_key_delete, which see. Never block. */
int verd_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int verd_pthread_key_delete(pthread_key_t key);
void *verd_pthread_getspecific(pthread_key_t key);
int verd_pthread_setspecific(pthread_key_t key, const void *value);

/* ---- semaphores ---- */

/* -1 and ENOSYS: for several processes. Never block. */
int verd_sem_init(sem_t *semaphore, int shared, unsigned value);
int verd_sem_destroy(sem_t *semaphore);

/* Takes a unit. May block. */
int verd_sem_wait(sem_t *semaphore);

/* The same, or -1 and EAGAIN. Never blocks. */
int verd_sem_trywait(sem_t *semaphore);

/* The same, or -1 and ETIMEDOUT at a point in time of CLOCK_REALTIME. May block. */
int verd_sem_timedwait(sem_t *semaphore, const struct timespec *until);

/* Gives a unit. Not from handlers of signals. Never blocks. */
int verd_sem_post(sem_t *semaphore);

/* Units; 0 while somebody waits. Never blocks. */
int verd_sem_getvalue(sem_t *semaphore, int *value);

/* -1, or SEM_FAILED, and ENOSYS: there are none with names. Never block. */
sem_t *verd_sem_open(const char *name, int flags, ...);
int verd_sem_close(sem_t *semaphore);

/* What the headers have only with _POSIX_C_SOURCE, or _GNU_SOURCE, or without -std=c17. */
#if !defined __GLIBC__ || defined __USE_XOPEN2K

/* ---- read-write locks: neither kill nor timeout ends a wait ---- */

/* ENOTSUP: for several processes. Never blocks. */
int verd_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr);

/* EBUSY: it is locked. Never blocks. */
int verd_pthread_rwlock_destroy(pthread_rwlock_t *lock);

/* Locks, or EDEADLK: the caller has it for writing. May block. */
int verd_pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int verd_pthread_rwlock_wrlock(pthread_rwlock_t *lock);

/* The same, or EBUSY. Never block. */
int verd_pthread_rwlock_tryrdlock(pthread_rwlock_t *lock);
int verd_pthread_rwlock_trywrlock(pthread_rwlock_t *lock);

/* The same, or ETIMEDOUT at a point in time, of CLOCK_REALTIME or that clock. May block. */
int verd_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until);
int verd_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until);
int verd_pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                                    const struct timespec *until);
int verd_pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                                    const struct timespec *until);

/* EPERM: it is not locked, or for writing by another thread. Never blocks. */
int verd_pthread_rwlock_unlock(pthread_rwlock_t *lock);

/* ---- barriers: neither kill nor timeout ends a wait ---- */

/* EINVAL: for nobody; ENOTSUP: for several processes. Never blocks. */
int verd_pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                              unsigned count);

/* EBUSY: somebody waits. Never blocks. */
int verd_pthread_barrier_destroy(pthread_barrier_t *barrier);

/* Waits until `count` have come. The last one gets PTHREAD_BARRIER_SERIAL_THREAD, the others 0. May block. */
int verd_pthread_barrier_wait(pthread_barrier_t *barrier);

/* ---- spin locks: who comes while one is held suspends the thread ---- */

/* Never block. */
int verd_pthread_spin_init(pthread_spinlock_t *lock, int shared);
int verd_pthread_spin_destroy(pthread_spinlock_t *lock);

/* Locks. May block. */
int verd_pthread_spin_lock(pthread_spinlock_t *lock);

/* Locks, or EBUSY. Never blocks. */
int verd_pthread_spin_trylock(pthread_spinlock_t *lock);
int verd_pthread_spin_unlock(pthread_spinlock_t *lock);

/* ---- with a clock ---- */

/* As those with CLOCK_REALTIME; EINVAL: a clock but that and CLOCK_MONOTONIC. May block. */
int verd_pthread_clockjoin_np(pthread_t handle, void **result, clockid_t clock,
                              const struct timespec *until);
int verd_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                                 const struct timespec *until);
int verd_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                const struct timespec *until);
int verd_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until);

/* ---- what the OS thread has ---- */

/* SCHED_OTHER, and priority 0; EINVAL: anything else. Never block. */
int verd_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param);
int verd_pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *param);
int verd_pthread_setschedprio(pthread_t thread, int priority);

/* The OS thread's time. Never blocks. */
int verd_pthread_getcpuclockid(pthread_t thread, clockid_t *clock);

#endif

#ifdef _GNU_SOURCE
/* The green thread's own stack. Never blocks. */
int verd_pthread_getattr_np(pthread_t handle, pthread_attr_t *attr);

/* The OS thread's processors. Never block. */
int verd_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *processors);
int verd_pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *processors);
#endif

/* ---- <threads.h>, where that is included before ---- */

#ifdef _THREADS_H

/* As pthread_create, _join and so on; thrd_error or thrd_nomem where those fail. Never block. */
int verd_thrd_create(thrd_t *thread, thrd_start_t fn, void *arg);
thrd_t verd_thrd_current(void);
int verd_thrd_detach(thrd_t thread);
void verd_thrd_yield(void);

/* The same. May block. */
int verd_thrd_join(thrd_t thread, int *result);
__attribute__((noreturn)) void verd_thrd_exit(int result);

/* Sleeps for a span. 0, or -2: an enclosing timeout ran out, or the span is none. May block. */
int verd_thrd_sleep(const struct timespec *span, struct timespec *left);

/* As mutexes. Never block. */
int verd_mtx_init(mtx_t *mutex, int type);
void verd_mtx_destroy(mtx_t *mutex);
int verd_mtx_trylock(mtx_t *mutex);
int verd_mtx_unlock(mtx_t *mutex);

/* The same. May block. */
int verd_mtx_lock(mtx_t *mutex);
int verd_mtx_timedlock(mtx_t *mutex, const struct timespec *until);

/* As conditions. Never block. */
int verd_cnd_init(cnd_t *cond);
void verd_cnd_destroy(cnd_t *cond);
int verd_cnd_signal(cnd_t *cond);
int verd_cnd_broadcast(cnd_t *cond);

/* The same. May block. */
int verd_cnd_wait(cnd_t *cond, mtx_t *mutex);
int verd_cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until);

/* As keys. Never block. */
int verd_tss_create(tss_t *key, tss_dtor_t destructor);
void verd_tss_delete(tss_t key);
void *verd_tss_get(tss_t key);
int verd_tss_set(tss_t key, void *value);

/* As pthread_once. May block. */
void verd_call_once(once_flag *once, void (*fn)(void));

#endif

/* ---- handlers of a thread's end ---- */

/* Private: lies in the frame that pushes it. */
struct verd_pthread_cleanup {
    struct verd_pthread_cleanup *next;
    void (*routine)(void *);
    void *arg;
};

/* What pthread_cleanup_push and _pop are made of. Never block. */
void verd_pthread_cleanup_push(struct verd_pthread_cleanup *cleanup, void (*routine)(void *),
                               void *arg);
void verd_pthread_cleanup_pop(struct verd_pthread_cleanup *cleanup, int execute);

#ifdef __cplusplus
}
#endif

#ifndef VERD_PTHREAD_DECLARE_ONLY
/* In C++ these have their names already where <signal.h> came first, as in <verd/posix.h>. */
#if defined __cplusplus && defined _SIGNAL_H
#define pthread_kill verd_pthread_kill
#define pthread_sigqueue verd_pthread_sigqueue
#endif
#undef pthread_cleanup_push
#undef pthread_cleanup_pop
#ifdef __cplusplus
/* An exception that leaves the scope runs the handler, too. Never blocks. */
class verd_pthread_cleanup_scope
{
    struct verd_pthread_cleanup cleanup;
    int execute = 1;

  public:
    verd_pthread_cleanup_scope(void (*routine)(void *), void *arg)
    {
        verd_pthread_cleanup_push(&cleanup, routine, arg);
    }
    verd_pthread_cleanup_scope(const verd_pthread_cleanup_scope &) = delete;
    verd_pthread_cleanup_scope &operator=(const verd_pthread_cleanup_scope &) = delete;
    ~verd_pthread_cleanup_scope()
    {
        verd_pthread_cleanup_pop(&cleanup, execute);
    }
    void pop(int wanted)
    {
        execute = wanted;
    }
};
#define pthread_cleanup_push(routine, arg) \
    do {                                   \
        verd_pthread_cleanup_scope verd_cleanup_scope((routine), (arg));
#define pthread_cleanup_pop(execute)   \
    verd_cleanup_scope.pop((execute)); \
    }                                  \
    while (0)
#else
#define pthread_cleanup_push(routine, arg)        \
    do {                                          \
        struct verd_pthread_cleanup verd_cleanup; \
        verd_pthread_cleanup_push(&verd_cleanup, (routine), (arg));
#define pthread_cleanup_pop(execute)                    \
    verd_pthread_cleanup_pop(&verd_cleanup, (execute)); \
    }                                                   \
    while (0)
#endif
#endif

#endif
