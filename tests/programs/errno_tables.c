/* SPDX-License-Identifier: MIT */
/*
 * The errnos that the header of each public function names are those that the function gives: each
 * of them is shown by a row of the tables (errno/table.h), and no row shows one that the header
 * does not name. What the headers say is read from them (errno/headers.c has the rules).
 *
 *     errno_tables [FUNCTION]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/process.h"
#include "errno/table.h"

#define SECONDS 20 /* that a row may take: only to end those that hang */

static const char *const headers[] = {
    "thread.h",   "time.h",     "sync.h",        "bundle.h",      "queue.h",     "pool.h",
    "resource.h", "net.h",      "os.h",          "serve.h",       "stream.h",    "reader.h",
    "writer.h",   "http.h",     "http_client.h", "http_events.h", "websocket.h", "stats.h",
    "trace.h",    "backdoor.h", "debug.h",
};

static const struct row *const tables[] = {
    thread_rows, sync_rows, queue_rows,  pool_rows,      net_rows,   os_rows, stream_rows,
    serve_rows,  http_rows, client_rows, websocket_rows, trace_rows, NULL};

static unsigned played, failures;

void must_hold(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    _exit(ERRNO_MAX);
}

/* ---- playing a row ---- */

static void *play_elsewhere(void *arg)
{
    const struct row *row = arg;
    if (row->condition == FIRST)
        fault_next("calloc", ENOMEM);
    return (void *)(intptr_t)row->call();
}

static int play_on_an_os_thread(const struct row *row)
{
    union {
        const struct row *given;
        void *taken;
    } argument = {row};
    pthread_t thread;
    void *error = NULL;
    must(real_pthread_create(&thread, NULL, play_elsewhere, argument.taken) == 0);
    pthread_join(thread, &error);
    return (int)(intptr_t)error;
}

static int play_late(const struct row *row)
{
    verd_timeout timeout;
    verd_timeout_begin(&timeout, 0);
    int error = row->call();
    verd_timeout_end(&timeout);
    return error;
}

static int play(const struct row *row)
{
    if (row->prepare != NULL)
        row->prepare();
    switch (row->condition) {
    case KILLED:
        verd_kill(verd_self());
        break;
    case LATE:
        return play_late(row);
    case STRANGER:
    case FIRST:
        return play_on_an_os_thread(row);
    case SCARCE:
        fault_next(row->fault, row->cause != 0 ? row->cause : row->error);
        break;
    case PLAIN:
        break;
    }
    errno = 0; /* a server on -1 reports what was there before */
    return row->call();
}

static const char *name_of(int error)
{
    const char *name = error == 0 ? "success" : strerrorname_np(error);
    return name != NULL ? name : "neither";
}

/* Whether the fault is of a function that this hub does not call. */
static bool is_out_of_use(const char *fault)
{
    const char *hub = getenv("VERD_HUB");
    return fault != NULL && strncmp(fault, "epoll", 5) == 0 && hub != NULL &&
           strcmp(hub, "poll") == 0;
}

/* Under emulation vfork is fork, and the child cannot tell its parent what went wrong; and QEMU 10.0 does not tell
 * a socket's SO_SNDTIMEO. */
static bool is_not_told(const struct row *row)
{
    bool spawns = strcmp(row->function, "verd_spawn_process") == 0;
    bool limited = strcmp(row->function, "verd_connect_to") == 0 && row->error == EINPROGRESS;
    return process_is_emulated() &&
           (limited ||
            (spawns && (row->error == ENOENT || row->error == EACCES || row->error == ENOEXEC)));
}

static void check_row(const struct row *row)
{
    int status = -1;
    if (is_out_of_use(row->fault) || is_not_told(row))
        return;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        _exit(play(row));
    }
    real_waitpid(child, &status, 0);
    played++;
    if (WIFEXITED(status) && WEXITSTATUS(status) == row->error)
        return;
    failures++;
    if (WIFEXITED(status))
        printf("%s: gave %s instead of %s\n", row->function, name_of(WEXITSTATUS(status)),
               name_of(row->error));
    else
        printf("%s: %s: wait status %#x\n", row->function, name_of(row->error), (unsigned)status);
}

/* ---- comparing ---- */

static bool is_shown(const char *function, int error)
{
    for (size_t i = 0; tables[i] != NULL; i++) {
        for (const struct row *row = tables[i]; row->function != NULL; row++) {
            if (row->error == error && strcmp(row->function, function) == 0)
                return true;
        }
    }
    return false;
}

static void check_function(const struct function *function)
{
    for (int error = 1; error < ERRNO_MAX; error++) {
        bool shown = is_shown(function->name, error);
        if (function->errors[error] && !shown)
            printf("%s: its comment names %s, which no row shows\n", function->name,
                   name_of(error));
        else if (shown && !function->errors[error] && !function->open)
            printf("%s: gives %s, which its comment does not name\n", function->name,
                   name_of(error));
        else
            continue;
        failures++;
    }
}

/* Rows of functions that no header has would show nothing. */
static void check_name(const char *name, const struct function *functions, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(functions[i].name, name) != 0)
        i++;
    if (i < count)
        return;
    printf("%s: there is a row of it, but no header has it\n", name);
    failures++;
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : NULL;
    struct rlimit none = {0, 0};
    size_t count;
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        read_header(headers[i]);
    const struct function *all = functions(&count);
    for (size_t i = 0; i < count; i++) {
        if (wanted == NULL || strcmp(wanted, all[i].name) == 0)
            check_function(&all[i]);
    }
    for (size_t i = 0; tables[i] != NULL; i++) {
        for (const struct row *row = tables[i]; row->function != NULL; row++) {
            check_name(row->function, all, count);
            if (wanted == NULL || strcmp(wanted, row->function) == 0)
                check_row(row);
        }
    }
    printf("%zu functions, %u rows, %u failures\n", count, played, failures);
    return failures == 0 && played > 0 ? 0 : 1;
}
