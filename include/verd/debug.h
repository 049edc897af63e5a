/* SPDX-License-Identifier: MIT */
/*
 * Looking into a process whose green threads hang, or hold it up.
 *
 *     verd_dump_on_signal(SIGQUIT);                // or in the environment: VERD_DUMP_SIGNAL=QUIT
 *     verd_watchdog(100 * VERD_MS);                // or VERD_WATCHDOG=100ms
 *
 *     $ kill -QUIT 4711
 *     green threads of process 4711, on 1 OS thread
 *     thread 0 (main) waits for input from descriptor 3, for 12.1 s
 *         at verd_accept+0x3c
 *         at main+0x54
 *     thread 7 "client#7" waits for a mutex, for 3.0 s, at 0x55d2a8c1f0a0 (users), held by thread 9 "client#9"
 *         spawned at main+0x61
 *         uses 1344 of 261312 bytes of stack
 *         at look_up+0x2f
 *         at handle+0x88
 *
 * Calls are found by frame pointers: the library has them, and programs that are compiled with -fno-omit-frame-pointer.
 * Others show where they called the library, and which of the calls above that can be found. Functions are
 * named from the files of the program and its shared objects; what was stripped of symbols has the file's name and the
 * address there: of "server+0x1234", `addr2line -f -e server 0x1234` tells the rest, if that is given the file with
 * its symbols.
 */
#ifndef VERD_DEBUG_H
#define VERD_DEBUG_H

#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Writes what verd_report prints (<verd/thread.h>) to descriptor `fd`, of all OS threads that have green threads. Those of
 * other OS threads run meanwhile: what is told of them may be of two moments. Of one that waits in a system call which is not
 * the library's, /proc/self/task/TID/syscall tells where, and it is not disturbed. Another one, and each where that file
 * cannot be read, is asked for its calls by a signal, one of the real-time signals with which the program does nothing
 * itself: a system call that it makes at that very moment is interrupted as signal(7) has it. Of one that blocks the signal,
 * nothing is told of the running thread but its name. To fd the calling OS thread writes as write(2) does; if it
 * does not block, it waits up to a second for room, and the rest is lost.
 *
 * From any OS thread, and from signal handlers: takes no lock that could be waited for in vain, allocates nothing,
 * and leaves errno as it was when it succeeds. One is made at a time; who comes in between waits up to a second, then
 * a line in its place says so. It needs 8 KiB of stack; and where functions of the C library are bound at their first
 * call (no -z now), what that takes to save all registers, 3 KiB where there is AVX-512. Never blocks green threads, but
 * holds the OS thread.
 * Returns 0, or -1 with errno EBADF (fd is not open).
 */
int verd_dump(int fd);

/*
 * Has the signal make a dump on stderr, each line with "libverd: " before it, whatever the process does at that time: a
 * thread that spins as well as an idle hub. 0: no signal does any more. A program's handler of the signal that is there
 * already is called after the dump; where there is none, the process goes on, though by default the signal may
 * end it. One that is installed later takes its place, and there is no dump. The signal must not be blocked (so
 * not one that verd_signal_wait waits for). Whoever is asked second takes the first's place.
 *
 * VERD_DUMP_SIGNAL in the environment does it at the first call of the library that makes green threads: by name, QUIT or
 * SIGQUIT or RTMIN+1, or number.
 *
 * From any OS thread, for the process; not by two at once. Never blocks.
 * Returns 0, or -1 with errno EINVAL: there is no such signal, it cannot be handled, or it tells of a fault (SIGSEGV,
 * SIGBUS, SIGILL, SIGFPE, SIGTRAP).
 */
int verd_dump_on_signal(int signal);

/*
 * Has an OS thread of the library's own watch whether a green thread holds its OS thread for longer than `limit` without
 * a call that gives way: because it computes, or waits in a call that is not the library's. Then a line on stderr
 * says which one, and for how long, and further ones where it is, once each time. 0 and less: no more.
 *
 *     libverd: thread 5 "client#5" has held its OS thread for 0.1 s
 *     libverd:     at usleep+0x3a in libc.so.6
 *
 * Nothing is noted for it as threads switch: the watchdog looks four times within the limit whether the same one is still
 * at it. An OS thread that waits in its hub holds nobody up, nor does main while there is nothing else to run or
 * to wait for; and when no OS thread has had anything to do for a second, the watchdog sleeps until one has. Nobody is
 * disturbed but who is told of, for its calls, as by verd_dump.
 *
 * The time that is told is the sum of the watchdog's own sleeps, so it is not more than has passed. A sleep during which the
 * process was stopped, by a signal, a debugger or a freezer, does not count; a pause of the whole machine may count for one
 * look. A process that exits waits for a report that is being made, a second at most. The child of a fork has a watchdog of
 * its own. VERD_WATCHDOG=100ms in the environment (s, ms or us) begins it at the first call of the library that makes
 * green threads.
 *
 * From any OS thread, for all of them; not by two at once, nor in a signal handler. Never blocks green threads.
 * Returns 0, or -1 with errno EAGAIN (there can be no OS thread, pthread_create(3)) or ENOMEM.
 */
int verd_watchdog(verd_duration limit);

#ifdef __cplusplus
}
#endif
#endif
