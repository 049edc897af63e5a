/* SPDX-License-Identifier: MIT */
/* Child processes, as POSIX has them. */
#include "patch/posix.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <verd/net.h>
#include <verd/os.h>

#include "offload/handler.h"
#include "os/process.h"
#include "patch/signals.h"
#include "sched/obligation.h"
#include "sched/scheduler.h"

pid_t verd_posix_wait(int *status)
{
    return verd_posix_waitpid(-1, status, 0);
}

VERD__POINT(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
{
    if (!verd__is_green())
        return waitpid(pid, status, options);
    bool begun = verd__interruptible_begin(verd__current, VERD__UNLESS_RESTARTED);
    pid_t changed = verd_waitpid(pid, status, options);
    verd__interruptible_end(verd__current, begun);
    if (changed >= 0 || errno != EINTR)
        return changed;
    changed =
        waitpid(pid, status, options | WNOHANG); /* it may be the handler of its own SIGCHLD */
    if (changed == 0)
        errno = EINTR;
    return changed != 0 ? changed : -1;
}

/* Starts a shell for the command, which has a pipe for one of its standard descriptors, or none (-1). */
static int start_shell(verd_process *process, const char *command, int piped,
                       const sigset_t *defaults)
{
    const char *const arguments[] = {"/bin/sh", "-c", command, NULL};
    verd_process_options options = {.arguments = arguments};
    if (piped == STDIN_FILENO)
        options.input = VERD_PROCESS_PIPE;
    else if (piped == STDOUT_FILENO)
        options.output = VERD_PROCESS_PIPE;
    return verd__spawn_process(process, &options, defaults);
}

/* As glibc's system does in a thread that is cancelled: the command is ended, and leaves no zombie. errno stays. */
static void end_command(verd_process *process)
{
    int error = errno;
    verd_process_kill(process, SIGKILL);
    verd_shield_begin();
    verd_process_wait(process, NULL);
    verd_shield_end();
    errno = error;
}

/* The command's status; or -1 and errno, and it is ended. */
static int status_of(verd_process *process)
{
    int status;
    if (verd_process_wait(process, &status) == 0)
        return status;
    end_command(process);
    return -1;
}

/* ---- system ---- */

/* What a terminal's keys send to the command as to its caller, who ignores it meanwhile. */
static const int keys[] = {SIGINT, SIGQUIT};
#define KEYS (sizeof keys / sizeof keys[0])

/* Of all OS threads; the lock is held for no more than that. */
static struct {
    pthread_mutex_t lock;
    unsigned count; /* of calls of system */
    struct sigaction before[KEYS];
} ignored = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Returns in *defaults those of which the caller had not ignored them before, so that the command does not. */
static void ignore_keys(sigset_t *defaults)
{
    struct sigaction ignore = {0};
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    sigemptyset(defaults);
    pthread_mutex_lock(&ignored.lock);
    bool first = ignored.count++ == 0;
    for (size_t i = 0; i < KEYS; i++) {
        if (first)
            sigaction(keys[i], &ignore, &ignored.before[i]);
        if (ignored.before[i].sa_handler != SIG_IGN)
            sigaddset(defaults, keys[i]);
    }
    pthread_mutex_unlock(&ignored.lock);
}

static void heed_keys(void)
{
    pthread_mutex_lock(&ignored.lock);
    bool last = --ignored.count == 0;
    for (size_t i = 0; i < KEYS && last; i++)
        sigaction(keys[i], &ignored.before[i], NULL);
    pthread_mutex_unlock(&ignored.lock);
}

static void settle(struct verd__obligation *obligation)
{
    int error = errno;
    (void)obligation;
    heed_keys();
    verd__child_signals_release();
    errno = error;
}

/* A handler that waits for whatever child has ended would take the command's status. */
static int run_shell(const char *command)
{
    struct verd__obligation obligation;
    verd_process process;
    sigset_t defaults;
    ignore_keys(&defaults);
    verd__child_signals_hold();
    verd__obligation_begin(verd__current, &obligation, settle);
    int status = start_shell(&process, command, -1, &defaults) == 0 ? status_of(&process) : -1;
    verd__obligation_settle(verd__current, &obligation);
    return status;
}

VERD__POINT(int, system, (const char *command), (command))
{
    if (!verd__is_green() || command == NULL)
        return system(command); /* NOLINT(cert-env33-c) */
    return run_shell(command);
}

/* ---- streams ---- */

/* A stream of popen. */
struct stream {
    struct stream *next;
    FILE *file;
    int fd;
    verd_process process;
};

/* Of all OS threads; a lock is held for no more than a look. */
static struct {
    pthread_mutex_t lock;
    struct stream *first;
} streams = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void add_stream(struct stream *stream)
{
    pthread_mutex_lock(&streams.lock);
    stream->next = streams.first;
    streams.first = stream;
    pthread_mutex_unlock(&streams.lock);
}

/* NULL: the file is none of ours. */
static struct stream *take_stream(const FILE *file)
{
    pthread_mutex_lock(&streams.lock);
    struct stream **link = &streams.first;
    while (*link != NULL && (*link)->file != file)
        link = &(*link)->next;
    struct stream *stream = *link;
    if (stream != NULL)
        *link = stream->next;
    pthread_mutex_unlock(&streams.lock);
    return stream;
}

static ssize_t read_stream(void *cookie, char *buffer, size_t size)
{
    return verd_read(((struct stream *)cookie)->fd, buffer, size);
}

static ssize_t write_stream(void *cookie, const char *data, size_t size)
{
    return verd_write_full(((struct stream *)cookie)->fd, data, size, NULL);
}

static int close_stream(void *cookie)
{
    return verd_close(((struct stream *)cookie)->fd);
}

static FILE *open_stream(struct stream *stream, const char *command, bool reads)
{
    static const cookie_io_functions_t functions = {
        .read = read_stream, .write = write_stream, .close = close_stream};
    if (start_shell(&stream->process, command, reads ? STDOUT_FILENO : STDIN_FILENO, NULL) != 0)
        return NULL;
    stream->fd = reads ? stream->process.output : stream->process.input;
    stream->file = fopencookie(stream, reads ? "r" : "w", functions);
    if (stream->file != NULL)
        return stream->file;
    verd_process_close(&stream->process);
    end_command(&stream->process);
    errno = ENOMEM;
    return NULL;
}

VERD__POINT_IF(outcome == NULL, FILE *, popen, (const char *command, const char *mode),
               (command, mode))
{
    if (!verd__is_green())
        return popen(command, mode); /* NOLINT(cert-env33-c) */
    if ((mode[0] != 'r' && mode[0] != 'w') || strspn(mode + 1, "e") != strlen(mode + 1)) {
        errno = EINVAL;
        return NULL;
    }
    struct stream *stream = malloc(sizeof *stream);
    if (stream == NULL)
        return NULL;
    if (open_stream(stream, command, mode[0] == 'r') != NULL) {
        add_stream(stream);
        return stream->file;
    }
    free(stream);
    return NULL;
}

int verd_posix_pclose(FILE *file)
{
    struct stream *stream = take_stream(file);
    if (stream == NULL)
        return pclose(file);
    fclose(file);
    int status = status_of(&stream->process);
    free(stream);
    if (status < 0)
        verd__point();
    return status;
}
