/* SPDX-License-Identifier: MIT */
/*
 * A backdoor: a Unix socket at which a process tells its owner what its green threads do, while it
 * goes on.
 *
 *     verd_backdoor("/run/user/1000/server.door");
 *
 *     $ nc -U /run/user/1000/server.door       (or: socat - UNIX-CONNECT:...)
 *     threads
 *     thread 0 (main) waits for a client, for 12.0 s
 *     ...
 *
 * A question is a line, and each answer ends with an empty one. `help` lists what may be asked:
 * threads, bt N, stats, watch on|off, pools, fds, timers, trace on|off, kill N. `threads` and `bt` (which is
 * verd_dump's) show all hubs of the process, the rest is of the OS thread that has opened the door: each may
 * have one of its own. tests/examples/verd_top.c is a program that shows it all, again each second.
 *
 * The door has an OS thread of its own. `threads`, `bt`, `bt N` and `help` are answered there, whatever
 * the hubs do meanwhile: they work while a thread spins, or blocks in the kernel, and 10,000 threads hold no
 * hub up. So what is told may be of two moments, as by verd_dump (<verd/debug.h>), and running threads are
 * asked for their calls by the same signal. The rest is done by the hub, between two turns of its green
 * threads. If it does not come to that within half a second, it is told who keeps it, and where, and the
 * answer comes behind that; meanwhile one of the first four may be asked.
 *
 *     stats
 *     thread 5 "client#5" holds its OS thread, which has looked at no event for 3.218 s
 *         at parse+0x2f
 *         at handle+0x88
 *     the answer comes when that OS thread gives way
 *
 * The socket is for its owner alone (mode 0600), and who connects has to be the process's user, or
 * root. But kill and trace are as powerful as a debugger: put it where nobody else has a directory
 * to rename. A client that reads slowly, or not at all, holds nobody up. What was asked of the hub is done
 * though its client may have left. An open door does not keep a deadlock from being noticed
 * (verd_on_deadlock), and an idle process with one makes no wake-ups.
 */
#ifndef VERD_BACKDOOR_H
#define VERD_BACKDOOR_H

#include <verd/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens it at a path, for up to 8 clients at a time; or, with NULL, closes it again, and ends who
 * is connected. A socket that a process has left there is replaced (as verd_listen_unix has it),
 * and closing takes it away; so does the end of the OS thread, but not that of the process. The child of
 * a fork has none.
 *
 * To be called where the green threads are that it is for. Never blocks green threads. To close it, holds the OS
 * thread until the door's own has ended: at once, or when an answer is put together that it is just at, of 10,000
 * threads in some hundred milliseconds. Of what was asked of the hub and not done yet, nothing is done.
 *
 * Returns 0, or -1 with errno
 *   EBUSY   this OS thread has one already
 *   EINVAL  path is "", or in the abstract namespace, which knows no owner; or NULL, and there is none
 *   EAGAIN  there can be no OS thread (pthread_create(3))
 *   ENOMEM
 * others as verd_hub_open, verd_listen_unix, and chmod(2).
 */
int verd_backdoor(const char *path);

#ifdef __cplusplus
}
#endif

#endif
