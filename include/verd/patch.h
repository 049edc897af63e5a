/* SPDX-License-Identifier: MIT */
/*
 * Monkey patching: libraries that block, as they are, suspend the green thread instead. With libverd-patch.a in a
 * program, the names of <verd/posix.h> are the library's for all of the process: for the program, and for its static
 * and its shared libraries, which need not be compiled anew.
 *
 *     cc program.c $(pkg-config --cflags --libs verd-patch) -lcurl        // -static: likewise
 *
 *     static void fetch(void *easy)
 *     {
 *         curl_easy_perform(easy);              // others run meanwhile
 *     }
 *
 *     const char *missed[8];
 *     if (verd_patch_check(missed, 8) > 0)
 *         fprintf(stderr, "%s is libc's\n", missed[0]);
 *
 * That module is in place of `verd`, brings libverd.a with it, and belongs behind the program's own files.
 *
 * What the calls do, and how it differs from what their manual pages say, is in <verd/posix.h>. On an OS thread that has
 * no green threads (verd_active) each is libc's, after one look at a thread-local variable: a library's own OS threads
 * run as before. Besides the names of <verd/posix.h> it takes those that _FORTIFY_SOURCE makes of them. FIONBIO needs
 * no hook: a descriptor's flags are asked of the kernel.
 *
 * What it does not reach:
 *   libc's own calls      stdio (fopen, fgets of a socket), syslog and what else libc does by itself hold the OS thread.
 *                         In a static program names that are more than a system call are libc's, too: getaddrinfo,
 *                         gethostbyname*, system, popen, pclose. verd_patch_check tells. musl's own calls of
 *                         other names, which it makes in a static program by those that are ours, are green
 *   locks                 pthread_mutex_lock and its kin, sem_wait, pthread_join are libc's: a green thread that waits for
 *                         what another green thread of its OS thread has holds all of them, for ever. That comes where
 *                         a library calls what blocks with a lock held and is used by two green threads at once; most do
 *                         not, for it is slow with threads, too. SQLite does, and takes mutexes from the program
 *                         (SQLITE_CONFIG_MUTEX): those of <verd/pthread.h>, which is for what can be compiled anew. The
 *                         watchdog (VERD_WATCHDOG=100ms, verd_watchdog) finds such a lock: its lines name the thread that
 *                         waits for it, as one that has held its OS thread, and the calls that led there: libc's, and
 *                         before it the function of the library's that locks
 *   thread-local state    is the OS thread's: green threads share it. errno is their own. A library that keeps something
 *                         there from before a call that blocks to after it needs a green thread at a time (verd_mutex).
 *                         OpenSSL's queue of errors is of this kind: SSL_get_error of a call that has failed may tell
 *                         SSL_ERROR_SSL for what another green thread has left there (ERR_clear_error)
 *   process-wide state    that a library changes for the time of a call, and then puts back: with two such calls at once
 *                         the later puts back what it has found of the other's. libcurl does so with what SIGPIPE does,
 *                         unless the handle has CURLOPT_NOSIGNAL: set that, and let the program ignore SIGPIPE. The umask,
 *                         the working directory and setlocale are of this kind, too
 *   cancellation          as a library disables it, by libc's pthread_setcancelstate: a thread of <verd/pthread.h> that is
 *                         cancelled ends in the library's next call that may block all the same
 *   system calls          that are made by syscall(2), or inline
 *
 * A library's stack is the green thread's: VERD_STACK_SIZE of 256 KiB is enough for those that were tried; see
 * verd_stack_used. With AddressSanitizer or ThreadSanitizer in the program the hooks are in front of its interceptors,
 * and what a hook calls is checked: not a green thread's pipe, which is read by preadv2, that none intercepts.
 */
#ifndef VERD_PATCH_H
#define VERD_PATCH_H

#include <verd/platform.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Which names are not the library's in this process: the program's own calls have been linked to another function, or
 * shared libraries will be given another, for the program does not export the name. Compares the addresses that the
 * linker and the dynamic linker (dlsym, RTLD_DEFAULT) give for a name with that of its hook.
 * Returns how many there are, 0 if all is well, and has the first `room` of them in `missed`; NULL: nowhere. The strings
 * are constant. Never blocks, apart from the dynamic linker's lock; from any OS thread.
 */
size_t verd_patch_check(const char **missed, size_t room);

/*
 * Whether the names lead to the library: they do from the beginning, unless the environment has VERD_PATCH=off; off, all
 * OS threads get libc's. Of the process, and for calls that begin from now on: what has begun is not touched.
 * verd_patch_on and verd_patch_off return what was so before. Handlers of signals that were set meanwhile stay what
 * sigaction has made of them. Never block; from any OS thread.
 */
bool verd_patch_on(void);
bool verd_patch_off(void);

#ifdef __cplusplus
}
#endif
#endif
