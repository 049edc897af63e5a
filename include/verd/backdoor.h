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
 * threads, bt N, stats, watch on|off, pools, fds, timers, trace on|off, kill N. `threads` shows all
 * hubs of the process, the rest is of the OS thread that has opened the door: each may have one of
 * its own. tests/examples/verd_top.c is a program that shows it all, again each second.
 *
 * The socket is for its owner alone (mode 0600), and who connects has to be the process's user, or
 * root. But kill and trace are as powerful as a debugger: put it where nobody else has a directory
 * to rename. An answer is put together at once, of 10,000 threads in some milliseconds, and nothing
 * else of the hub runs meanwhile; then it waits for the client as others do. While the door is
 * open, a deadlock is not noticed: its thread may always be woken by a client.
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
 * and closing takes it away. The child of a fork has none. Never blocks to open it; to close it,
 * waits until its own threads have ended, which they do at once, and heeds neither kill nor
 * timeouts meanwhile.
 *
 * Returns 0, or -1 with errno
 *   EBUSY   this OS thread has one already
 *   EINVAL  path is "", or in the abstract namespace, which knows no owner; or NULL, and there is none
 *   ENOMEM
 * others as verd_listen_unix, and chmod(2).
 */
int verd_backdoor(const char *path);

#ifdef __cplusplus
}
#endif

#endif
