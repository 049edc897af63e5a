/* SPDX-License-Identifier: MIT */
/*
 * Traces: what ran when, who woke whom, and what was waited for, as a picture.
 *
 *     verd_trace_start("/tmp/trace.json");
 *     ...
 *     verd_trace_stop();
 *
 * or VERD_TRACE=/tmp/trace.json in the environment of any program that uses the library. The file
 * is in Chrome's trace format: open it at https://ui.perfetto.dev or in chrome://tracing. Each OS
 * thread with green threads is a process there, and each green thread has a track in it, by number
 * (a thread that has ended leaves its to another):
 *
 *     slices     turns, by the thread's name, or that of its function; what came "then" is among their arguments.
 *                Waits, by what was waited for, until the thread could run again
 *     hub        a track of its own: each look at time and descriptors, "idle" if nobody could run meanwhile
 *     arrows     from who has spawned or woken a thread, to that one's turn. They begin at the end of the turn: no
 *                clock is read as another is woken
 *
 * The file ends wherever the process does: it grows by whole events, some 100 bytes each, as a hub
 * has 64 KiB of them, and before a hub sleeps. Without verd_trace_stop or an exit it lacks the ']'
 * at its end, which the viewers do not miss. It has VERD_TRACE_SIZE bytes at most (or
 * VERD_TRACE_SIZE in the environment, 4096 and more): then the trace ends, and a line on stderr says
 * so; also if the disk is full, or the file as long as the process may make one (RLIMIT_FSIZE). Neither
 * that nor a pipe that nobody reads any more brings a signal.
 *
 * Without a trace nothing is asked on the way of a switch, and it costs nothing. With one, a turn
 * costs some 300 ns and what the file takes, and threads run in the same order.
 *
 * Where the library was built with <sys/sdt.h> (Debian: systemtap-sdt-dev), tools from outside see
 * the same by probes of the provider "verd", in any process, at any time. Threads are told by their
 * numbers, as verd_number's:
 *
 *     turn_begin(number, name)        a thread runs
 *     turn_end(number, how, what)     it runs no more. how: 0 it can go on, 1 it waits for `what`, 2 it has ended
 *     ready(number, by)               it can run, by another's doing, or (-1) the hub's
 *     look_begin(busy)                the hub looks at time and descriptors; busy: 1 if others can run
 *     look_end()                      and has done so
 *
 *     bpftrace -p PID -e 'usdt:PROGRAM:verd:turn_end /arg1 == 1/ { @[str(arg2)] = count(); }'
 */
#ifndef VERD_TRACE_H
#define VERD_TRACE_H

#include <stdint.h>

#include <verd/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that a trace has at most. */
#define VERD_TRACE_SIZE ((uint64_t)128 * 1024 * 1024)

/*
 * Begins a trace of all green threads of the process, in a file for its owner alone (mode 0600). One that
 * is there already is emptied, and nobody else may read it from then on. A symbolic link is not
 * followed, for somebody else may have put it there; but names of the process's own descriptors are:
 * "/dev/stdout", "/dev/fd/3". A FIFO has to have a reader: one that rests holds the OS
 * thread for a second, and then the trace ends. "%p" in the path stands for the process's number, and
 * then the child of a fork has a trace of its own; else it has none. Other OS threads come in when
 * they next look at time and descriptors. The file is written to by the OS threads that are traced,
 * so it should lie on a disk that is quick. From any OS thread. Never blocks, but on that disk; never
 * switches.
 *
 * Returns 0, or -1 with errno
 *   EBUSY         one is being written already, or has ended early and was not stopped; or another process, as one
 *                 with the same VERD_TRACE, writes one to the file, which it has locked (flock(2)). "%p" has each write
 *                 its own
 *   EINVAL        path is NULL or ""
 *   ELOOP         it is a symbolic link
 *   ENAMETOOLONG  it has 1024 bytes or more
 *   ENOMEM
 *   ENXIO         it is a FIFO that nobody has open for reading
 *   EPERM         it is a file of another user's
 * others as open(2) and write(2).
 */
int verd_trace_start(const char *path);

/*
 * Ends it; so does exit. What other OS threads have not yet written, is written. From any OS
 * thread. Never blocks, but on the disk; never switches.
 *
 * Returns 0, or -1 with errno EINVAL (none was begun), or that with which the file could not be
 * written, as write(2).
 */
int verd_trace_stop(void);

#ifdef __cplusplus
}
#endif

#endif
