/* SPDX-License-Identifier: MIT */

/* Echo servers in processes of their own, all on the first processor, and what they use there.
 * The load that they serve runs on the second. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stddef.h>
#include <sys/types.h>

/* What both servers take from a connection at once. */
#define SERVER_BUFFER 1024

struct server {
    pid_t pid;
    int port; /* on 127.0.0.1 */
};

/* Starts a process that runs `serve`, which writes its port to the descriptor `ready` once it
 * listens, and serves until it is killed. */
void server_start(struct server *server, void (*serve)(int ready));
void server_stop(struct server *server);

/* Processor time that the server's process has used so far, its own and the kernel's for it, in
 * nanoseconds. */
double server_time(const struct server *server);

/* Raises the soft limit of descriptors to the hard one. Returns how many connections one process
 * can hold then, at most `wanted`; when it is fewer, a note below the table says so. */
int server_connections(int wanted);

/* The two servers. */
void serve_verd(int ready);
void serve_verd_4k(int ready);                 /* with a buffer of 4 KiB for each connection */
void serve_verd_deep(int ready, size_t depth); /* with so much of the stack used before */
void serve_raw(int ready);

/* The raw one again, but whatever it reads, it answers with this, of so many bytes. */
_Noreturn void serve_raw_answer(int ready, const char *answer, size_t size);

#endif
