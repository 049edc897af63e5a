/* SPDX-License-Identifier: MIT */
/* What the headers say of errnos, and rows that show each of them. */
#ifndef TESTS_PROGRAMS_ERRNO_TABLE_H
#define TESTS_PROGRAMS_ERRNO_TABLE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd.h>

#include "../fault/fault.h"

/* How a call is made. */
enum condition {
    PLAIN,
    KILLED,   /* in a killed thread */
    LATE,     /* after a timeout has run out */
    STRANGER, /* on another OS thread */
    FIRST,    /* as the first call of an OS thread, without memory for a scheduler */
    SCARCE,   /* with the next call of `fault` failing as `error`, or as `cause` */
};

/* A row is played in a process of its own. */
struct row {
    const char *function;
    int error; /* which its call must give */
    enum condition condition;
    void (*prepare)(void); /* before, on the main thread, without the condition. NULL: nothing */
    int (*call)(void);     /* 0, or the errno that it gave */
    const char *fault;
    int cause; /* 0: the error itself */
};

/* A call in those conditions that it shares with others of its kind. */
#define BLOCKS(function, prepare, call)                    \
    {function, ECANCELED, KILLED, prepare, call, NULL, 0}, \
        {function, ETIMEDOUT, LATE, prepare, call, NULL, 0}
#define PLAINLY(function, error, prepare, call) {function, error, PLAIN, prepare, call, NULL, 0}
#define ELSEWHERE(function, prepare, call) {function, EPERM, STRANGER, prepare, call, NULL, 0}
#define AT_FIRST(function, call) {function, ENOMEM, FIRST, NULL, call, NULL, 0}
#define WITHOUT(function, error, prepare, call, fault) \
    {function, error, SCARCE, prepare, call, fault, 0}

/* Tables that end in an empty row. */
extern const struct row thread_rows[], sync_rows[], queue_rows[], pool_rows[], net_rows[],
    os_rows[], stream_rows[], serve_rows[], http_rows[], client_rows[], websocket_rows[],
    trace_rows[];

/* Defines a call of a table: what it gives by -1 or NULL, and errno. */
#define CALL(name, expression)               \
    static int name(void)                    \
    {                                        \
        return (expression) < 0 ? errno : 0; \
    }
#define CALL_FOR_POINTER(name, expression)       \
    static int name(void)                        \
    {                                            \
        return (expression) == NULL ? errno : 0; \
    }

/* The only OS thread that there may be for a kind of offloaded work is stuck. (os.c) */
void get_all_stuck(enum verd_offload_kind kind);

/* Has a listener say the same to everyone who has asked. (client.c) */
extern const char *said;
void say_to_all(int listener);

/* What a call gives in the handler of a server for this request; the client goes before, unless it waits. (http.c) */
int handled(const char *request, bool waits, int (*call)(verd_http_exchange *));

/* Ends the process with a line on stderr unless `holds`. */
void must_hold(bool holds, const char *what, const char *file, int line);

#define must(condition) must_hold(condition, #condition, __FILE__, __LINE__)

/* ---- the headers ---- */

#define ERRNO_MAX 140

/* What a header says of a function. */
struct function {
    char name[64];
    bool errors[ERRNO_MAX];
    bool open; /* it may give others, too */
};

/* Reads include/verd/<header>; what it finds is added to the functions that are known. */
void read_header(const char *header);

/* All of them, with the errnos of those that they refer to. */
const struct function *functions(size_t *count);

#endif
