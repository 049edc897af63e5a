/* SPDX-License-Identifier: MIT */
/* Starting programs. */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd/net.h>

#include "hub/hub.h"
#include "io/descriptor.h"
#include "sched/wait.h"

/* What posix_spawn needs. The child's descriptors are above the standard ones, so that putting one in
 * its place does not overwrite another. */
struct start {
    const verd_process_options *options;
    const sigset_t *defaults; /* signals that have their defaults, beside SIGPIPE; NULL: none */
    int wanted[3];            /* of the options, in the order of their numbers */
    int child[3];             /* -1: inherited */
    int ours[3];              /* the other ends of pipes; -1: none */
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
};

/* Closes what is open, and keeps errno. */
static void drop(int *fd)
{
    int error = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = error;
}

/* The descriptor, or a copy of it above the standard ones; -1 as it is. */
static int move_up(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    drop(&fd);
    return moved;
}

/* A pipe of which only our end does not block. */
static int open_pipe(struct start *start, int number)
{
    int fds[2];
    int child_end = number == STDIN_FILENO ? 0 : 1;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    start->ours[number] = fds[!child_end];
    fcntl(fds[!child_end], F_SETFL, O_NONBLOCK);
    return move_up(fds[child_end]);
}

/* Opens what the child is to have under a number of 0 to 2; the numbers below come first. */
static int open_end(struct start *start, int number)
{
    int wanted = start->wanted[number];
    if (wanted == VERD_PROCESS_PIPE)
        return open_pipe(start, number);
    if (wanted == VERD_PROCESS_NULL)
        return move_up(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (wanted > 0)
        return fcntl(wanted, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (wanted == VERD_PROCESS_OUTPUT && number == STDERR_FILENO) {
        int output = start->child[STDOUT_FILENO];
        return fcntl(output >= 0 ? output : STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
    errno = EINVAL;
    return -1;
}

static int open_ends(struct start *start)
{
    for (int number = 0; number <= STDERR_FILENO; number++) {
        if (start->wanted[number] == VERD_PROCESS_INHERIT)
            continue;
        start->child[number] = open_end(start, number);
        if (start->child[number] < 0)
            return -1;
    }
    return 0;
}

static void close_ends(struct start *start)
{
    for (int number = 0; number <= STDERR_FILENO; number++)
        drop(&start->child[number]);
}

/* The child begins as if nobody had ever touched its signals. Returns 0 or an errno. */
static int set_signals(posix_spawnattr_t *attr, const sigset_t *more)
{
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    if (more != NULL)
        defaults = *more;
    sigaddset(&defaults, SIGPIPE);
    int error = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attr, &none);
    return error != 0 ? error : posix_spawnattr_setsigdefault(attr, &defaults);
}

/* Returns 0 or an errno. */
static int set_actions(struct start *start)
{
    const char *directory = start->options->directory;
    int error = 0;
    for (int number = 0; number <= STDERR_FILENO && error == 0; number++) {
        if (start->child[number] >= 0)
            error = posix_spawn_file_actions_adddup2(&start->actions, start->child[number], number);
    }
    if (error == 0 && directory != NULL)
        error = posix_spawn_file_actions_addchdir_np(&start->actions, directory);
    return error;
}

/* posix_spawn's strings are const for all but the compiler. */
static char *const *strings(const char *const *given)
{
    union {
        const char *const *given;
        char *const *taken;
    } list = {given};
    return list.taken;
}

/* Returns 0 or an errno. */
static int spawn(struct start *start, pid_t *pid)
{
    const verd_process_options *options = start->options;
    char *const *environment =
        options->environment != NULL ? strings(options->environment) : environ;
    int error = posix_spawn_file_actions_init(&start->actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&start->attr);
    if (error != 0)
        goto no_attr;
    error = set_signals(&start->attr, start->defaults);
    if (error == 0)
        error = set_actions(start);
    if (error == 0)
        error = posix_spawnp(pid, options->arguments[0], &start->actions, &start->attr,
                             strings(options->arguments), environment);
    posix_spawnattr_destroy(&start->attr);
no_attr:
    posix_spawn_file_actions_destroy(&start->actions);
    return error;
}

/* Makes our ends known to the hub. */
static int adopt_ours(struct start *start)
{
    int result = 0;
    for (int number = 0; number <= STDERR_FILENO; number++) {
        int fd = start->ours[number];
        if (fd < 0)
            continue;
        start->ours[number] = verd__descriptor_new(fd, 0);
        if (start->ours[number] < 0)
            result = -1;
    }
    return result;
}

static void drop_ours(struct start *start)
{
    for (int number = 0; number <= STDERR_FILENO; number++)
        verd__descriptor_drop(start->ours[number]);
}

/* Opens the descriptors, starts the process, and keeps what is ours. */
static int start_process(struct start *start, pid_t *pid)
{
    int error = 0;
    if (open_ends(start) != 0 || adopt_ours(start) != 0)
        error = errno;
    if (error == 0)
        error = spawn(start, pid);
    close_ends(start);
    if (error == 0)
        return 0;
    drop_ours(start);
    errno = error;
    return -1;
}

static int spawn_process(verd_process *process, const verd_process_options *options,
                         const sigset_t *defaults)
{
    if (process == NULL || options == NULL || options->arguments == NULL ||
        options->arguments[0] == NULL) {
        errno = EINVAL;
        return -1;
    }
    *process = (verd_process){.input = -1, .output = -1, .error = -1};
    if (verd__begin() == NULL)
        return -1;
    struct start start = {
        .options = options,
        .defaults = defaults,
        .wanted = {options->input, options->output, options->error},
        .child = {-1, -1, -1},
        .ours = {-1, -1, -1},
    };
    if (start_process(&start, &process->pid) != 0)
        return -1;
    process->input = start.ours[STDIN_FILENO];
    process->output = start.ours[STDOUT_FILENO];
    process->error = start.ours[STDERR_FILENO];
    return 0;
}

int verd__spawn_process(verd_process *process, const verd_process_options *options,
                        const sigset_t *defaults)
{
    int result = spawn_process(process, options, defaults);
    verd__spend();
    return result;
}

int verd_spawn_process(verd_process *process, const verd_process_options *options)
{
    return verd__spawn_process(process, options, NULL);
}

int verd_process_wait(verd_process *process, int *status)
{
    if (process == NULL || process->pid == 0) {
        errno = ECHILD;
        return -1;
    }
    if (verd_waitpid(process->pid, status, 0) < 0)
        return -1;
    process->pid = 0;
    return 0;
}

/* Whether the pid is still that of a child: others may have waited for it, with other calls. */
static bool is_child(pid_t pid)
{
    siginfo_t info;
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int verd_process_kill(const verd_process *process, int signal)
{
    if (process == NULL || process->pid == 0 || !is_child(process->pid)) {
        errno = ESRCH;
        return -1;
    }
    return kill(process->pid, signal);
}

void verd_process_close(verd_process *process)
{
    if (process == NULL)
        return;
    verd__descriptor_drop(process->input);
    verd__descriptor_drop(process->output);
    verd__descriptor_drop(process->error);
    process->input = process->output = process->error = -1;
}
