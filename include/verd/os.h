/* SPDX-License-Identifier: MIT */
/*
 * What is outside of this OS thread: other OS threads and signal handlers, functions that block,
 * names, files, child processes, signals.
 *
 *     verd_hub *hub = verd_hub_open();                      // on the OS thread of the green threads
 *     verd_post(hub, greet, "from elsewhere");              // on any other one: greet runs over there
 *
 *     void *row;                                            // and the other way round: query blocks,
 *     verd_offload(query, &statement, &row);                // so it runs elsewhere, while this waits
 *
 * Where nothing else is said, a call belongs to no OS thread in particular. Those that block suspend
 * the calling green thread, and return -1 with these errnos besides their own:
 *
 *   ECANCELED  the thread was killed        ETIMEDOUT  an enclosing timeout ran out
 *   ENOMEM     no memory                    EMFILE, ENFILE  no descriptor for what wakes the hub
 */
#ifndef VERD_OS_H
#define VERD_OS_H

#include <verd/platform.h>

#include <netdb.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct addrinfo; /* <netdb.h> */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the way in: from other OS threads and from signal handlers ---- */

/* The hub of an OS thread, as others hold it. */
typedef struct verd_hub verd_hub;

/* So many posts may wait until their hub takes them. */
#define VERD_POSTS_MAX 4096

/*
 * Makes a handle of the calling OS thread's hub, for any OS thread to hold; one for each verd_hub_close.
 * While there is one, the hub waits for posts where it would else report a deadlock. Never blocks.
 * Returns the handle, or NULL with errno ENOMEM, EMFILE or ENFILE.
 */
verd_hub *verd_hub_open(void);

/*
 * Has fn(arg) run as a new green thread of that hub, behind those that can run there. What one OS
 * thread posts starts in the order of posting. From any OS thread, and from signal handlers: takes no
 * lock, allocates nothing, never blocks and leaves errno as it was when it succeeds. However many
 * posts meet a busy hub, they cost one system call.
 * Returns 0, or -1 with errno
 *   EAGAIN  VERD_POSTS_MAX posts wait already: the hub is behind
 *   EPIPE   the hub's OS thread has ended, or is not in this process (after a fork)
 *   EINVAL  hub or fn is NULL
 * A hub whose OS thread ends before it has taken a post never runs it.
 */
int verd_post(verd_hub *hub, void (*fn)(void *), void *arg);

/* Gives a handle up; NULL is ignored. From any OS thread, not from signal handlers. Never blocks. */
void verd_hub_close(verd_hub *hub);

/* ---- the way out: functions that block ---- */

/* What is offloaded. Each kind has OS threads of its own, and a line of its own in which tasks begin first come first
 * served: so slow functions hold up no file, and slow files no name. */
enum verd_offload_kind {
    VERD_OFFLOAD_FUNCTIONS, /* verd_offload, verd_offload_with */
    VERD_OFFLOAD_NAMES,     /* verd_getaddrinfo, and what else resolves a name */
    VERD_OFFLOAD_OPENS,     /* verd_open */
    VERD_OFFLOAD_FILES,     /* what else is done to disk files */
    VERD_OFFLOAD_CLOSES,    /* closing, where close(2) waits (verd_close) */
    VERD_OFFLOAD_DEVICES, /* reading and writing what has no way that does not block (<verd/net.h>) */
    VERD_OFFLOAD_KINDS    /* how many there are */
};

/* OS threads of each kind; of functions, unless verd_offload_resize says otherwise. */
#define VERD_OFFLOAD_THREADS 20

/* A task that has begun and was given up by its caller is stuck, if it does not end by itself. It counts no longer
 * against the OS threads of its kind: another one takes its place. But of all kinds together only so many
 * tasks do not count. */
#define VERD_OFFLOAD_STUCK_MAX 200

/*
 * Runs fn(arg) on an OS thread of its own kind, one of a pool that the process shares, and stores what
 * it returns in *result (unless NULL). Functions begin in the order of calling, at most
 * VERD_OFFLOAD_THREADS of them at once. The OS threads are started when they are needed, and stay;
 * they block all signals but those that a fault raises. fn must not use the caller's green objects.
 * Blocks until fn has returned.
 *
 * A caller that gives up (killed, out of time, its OS thread ends) takes fn back if it has not begun;
 * else leaves it running, and what it returns is dropped: so `arg` must stay valid until fn has
 * returned, which a caller that gave up never learns. Where it cannot, use verd_offload_with, or
 * verd_shield_begin around the call.
 *
 * Returns 0, with errno as fn left it if it set errno; or -1 with errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 *   EAGAIN     the system has no OS thread to give, and the pool has none
 *   EBUSY      VERD_OFFLOAD_STUCK_MAX tasks are stuck, and all OS threads of this kind besides
 *   EINVAL     fn is NULL
 *   ENOMEM     no memory                    EMFILE, ENFILE  no descriptor for what wakes the hub
 */
int verd_offload(void *(*fn)(void *), void *arg, void **result);

/*
 * Like verd_offload; a caller that gives up leaves arg and result to release(arg, result), which is
 * called exactly once: after fn has returned, or in place of fn, with NULL for the result. It runs
 * on an OS thread of the pool or on the caller's, and must not block. So after ECANCELED and
 * ETIMEDOUT (or what verd_timeout_begin_as has in its place) arg is no longer the caller's, and after the other errnos it still is. NULL: there is
 * nothing to release. Blocks. Errors as verd_offload.
 */
int verd_offload_with(void *(*fn)(void *), void *arg, void (*release)(void *arg, void *result),
                      void **result);

/*
 * Sets how many offloaded functions may run at once, in this process. Up, and those in line begin;
 * down, and OS threads end as they become free. From any OS thread; never blocks.
 * Returns 0, or -1 with errno EINVAL (0) or ENOMEM.
 */
int verd_offload_resize(size_t threads);

/* How a kind of tasks is doing, in this process. */
struct verd_offload_counts {
    size_t limit;   /* OS threads that there may be, besides those of stuck tasks */
    size_t threads; /* OS threads that there are */
    size_t idle;    /* of them, those that have nothing to do */
    size_t waiting; /* tasks in line */
    size_t stuck;   /* tasks that were given up and have not ended */
    size_t total;   /* tasks that have been in line, ever */
};

/* Tells how. From any OS thread; never blocks. Returns 0, or -1 with errno EINVAL (no such kind, or counts is NULL)
 * or ENOMEM. */
int verd_offload_stats(enum verd_offload_kind kind, struct verd_offload_counts *counts);

/* ---- names ---- */

/*
 * As getaddrinfo(3): same arguments and results, to be freed with freeaddrinfo. What needs no
 * lookup (numeric host and service) is answered at once; else the system's resolver is offloaded.
 * Blocks. Returns 0 or an EAI_ error; EAI_SYSTEM with errno ECANCELED (killed), ETIMEDOUT (an
 * enclosing timeout ran out), EAGAIN (no OS thread to be had), EBUSY (all are stuck, as of
 * verd_offload), EMFILE, ENFILE, or as the resolver; EAI_MEMORY.
 */
int verd_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **result);

/* ---- files ---- */

/*
 * As their POSIX namesakes, offloaded. Block. Disk files are always ready to those who poll, and
 * block all the same; so do verd_read and verd_write on them, which are offloaded as well. What
 * pread and read find in the system's page cache they read at once.
 *
 * Callers may give up. Then the file is still opened, and closed again; a pwrite, though, and a
 * read or write of a disk file, is either taken back before it has begun, or finished and its count
 * returned: so after ECANCELED or ETIMEDOUT it has not happened; unless the file's server, of a network or FUSE,
 * does not answer for another second: then it may yet happen. A pread can be left alone at once. A descriptor may be closed once no call uses it.
 *
 * verd_open takes open(2)'s flags (<fcntl.h>) and sets O_CLOEXEC. Beyond a mebibyte, reads and writes are done in pieces; when giving up
 * or an error cuts them short they return what was done before, if anything was. Return -1 with
 * errno as above, EAGAIN (no OS thread to be had), EBUSY (all are stuck, as of verd_offload), or as
 * open(2), pread(2), fsync(2), stat(2).
 */
int verd_open(const char *path, int flags, ...);
ssize_t verd_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t verd_pwrite(int fd, const void *data, size_t size, off_t offset);
int verd_fsync(int fd);
int verd_fdatasync(int fd);
int verd_stat(const char *path, struct stat *status);
int verd_lstat(const char *path, struct stat *status);
int verd_fstat(int fd, struct stat *status);

/* ---- child processes ---- */

/*
 * As waitpid(2). Waiting for the end of one child (pid above 0) costs a descriptor and no wake-ups
 * where the system has pidfd_open; for other pids, for WUNTRACED and WCONTINUED, and where there is
 * no pidfd to be had, the children are looked at time and again, at most 64 ms apart. A caller that
 * gives up has reaped nothing. Blocks, unless WNOHANG is given.
 * Returns the child's pid, 0 (with WNOHANG), or -1 with errno ECHILD (no such child), EINVAL
 * (options), ECANCELED, ETIMEDOUT or ENOMEM.
 */
pid_t verd_waitpid(pid_t pid, int *status, int options);

/* Where a standard descriptor of a child goes; or the number (above 0) of a descriptor of the caller's. */
#define VERD_PROCESS_INHERIT 0   /* the caller's own */
#define VERD_PROCESS_PIPE (-1)   /* a pipe to the caller */
#define VERD_PROCESS_NULL (-2)   /* /dev/null */
#define VERD_PROCESS_OUTPUT (-3) /* standard error only: where standard output goes */

/* How a process is to be started; zeroed fields are the defaults. */
typedef struct verd_process_options {
    const char *const
        *arguments; /* the program, looked for in PATH, and its arguments; ends in NULL */
    const char *const *environment; /* "NAME=value", ends in NULL; NULL: the caller's */
    const char *directory;          /* where it starts; NULL: where the caller is */
    int input, output, error;       /* standard descriptors, as above */
} verd_process_options;

/* A child process. The descriptors are pipes to it, non-blocking and close-on-exec; -1: there is none. */
typedef struct verd_process {
    pid_t pid; /* 0: it has been waited for */
    int input, output, error;
} verd_process;

/*
 * Starts a process. It gets the three standard descriptors, and none of the caller's that are
 * close-on-exec; no signal is blocked in it, and SIGPIPE and the signals that the caller handles
 * have their default effect. The OS thread stands still until the program is being executed, as it
 * does in posix_spawn(3): some hundred microseconds, or as long as it takes to load it. Returns 0
 * and *process, whose pipes are closed by verd_process_close or one by one with verd_close; or -1
 * with errno
 *   ENOENT, EACCES, ...  as execvp(3), or of the directory
 *   ENOEXEC              it is no program, or a script without #!, for which no shell is started
 *   EBADF                a descriptor that was named is not open
 *   EINVAL               an argument is NULL, there is no program, or an unknown constant
 *   EAGAIN, EMFILE, ...  as fork(2) and pipe(2)
 *   ECANCELED            the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 */
int verd_spawn_process(verd_process *process, const verd_process_options *options);

/* verd_waitpid for the process, which is then over: pid becomes 0. Blocks. Returns 0 and *status
 * (unless NULL), or -1 with errno ECHILD (it has been waited for), ECANCELED, ETIMEDOUT or
 * ENOMEM. */
int verd_process_wait(verd_process *process, int *status);

/* Sends a signal to the process. Never blocks; never reaches a stranger that has got the pid.
 * Returns 0, or -1 with errno ESRCH (it has been waited for, by whatever call, or is not a child of the
 * calling process, as after a fork), or as kill(2). */
int verd_process_kill(const verd_process *process, int signal);

/* Closes the pipes to the process, which goes on. Works in a killed thread. Never blocks. */
void verd_process_close(verd_process *process);

/* ---- signals ---- */

/*
 * Waits for a signal of the set to be pending, and takes it. The signals of the set are blocked in the
 * calling OS thread from then on, for good; other OS threads have to block them too, else one of them
 * gets the signal: block them in main, before the first OS thread is started. Threads that wait for the
 * same signal get one each, in the order of calling. Blocks.
 *
 *     sigset_t stop;
 *     sigemptyset(&stop), sigaddset(&stop, SIGTERM), sigaddset(&stop, SIGINT);
 *     if (verd_signal_wait(&stop, NULL) > 0)
 *         verd_close(listener);
 *
 * Returns the signal's number and *info (unless NULL), of which si_signo, si_errno, si_code and what
 * the code stands for are set; or -1 with errno ECANCELED, ETIMEDOUT, ENOMEM, EMFILE, ENFILE, or
 *   EINVAL  set is NULL or empty, or has SIGKILL or SIGSTOP in it
 */
#ifdef SI_USER /* else <signal.h> has no such types */
int verd_signal_wait(const sigset_t *set, siginfo_t *info);
#endif

#ifdef __cplusplus
}
#endif
#endif
