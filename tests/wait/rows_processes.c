/* SPDX-License-Identifier: MIT */
/* Child processes and signals. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "caller.h"
#include "table.h"

static pid_t child;
static int way_out;
static verd_process process;

/* ---- a child that ends when it is told ---- */

static void fork_child(void)
{
    int ends[2];
    char byte;
    must(pipe(ends) == 0, "pipe");
    child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        close(ends[1]);
        (void)!read(ends[0], &byte, 1);
        _exit(3);
    }
    way_out = ends[1];
}

static void end_child(void)
{
    close(way_out);
}

static void await_child(void)
{
    siginfo_t info;
    must(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0, "waitid");
}

static intptr_t wait_for(pid_t pid)
{
    int status = 0;
    pid_t found = verd_waitpid(pid, &status, 0);
    if (found < 0)
        return -errno;
    return found == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1000;
}

static intptr_t wait_for_child(void)
{
    return wait_for(child);
}

static intptr_t wait_for_any_child(void)
{
    return wait_for(-1);
}

static bool child_is_there(void)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == 0;
}

static bool child_is_gone(void)
{
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

/* ---- a program that ends when its input does ---- */

static void start_program(void)
{
    static const char *const arguments[] = {"cat", NULL};
    verd_process_options options = {.arguments = arguments, .input = VERD_PROCESS_PIPE};
    must(verd_spawn_process(&process, &options) == 0, "cat");
    child = process.pid;
}

static void end_program(void)
{
    verd_process_close(&process);
}

static intptr_t wait_for_program(void)
{
    int status = -1;
    return verd_process_wait(&process, &status) == 0 ? status : -errno;
}

/* ---- signals ---- */

static sigset_t wanted;

static void block_signal(void)
{
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &wanted, NULL);
}

static intptr_t wait_for_signal(void)
{
    siginfo_t info;
    int number = verd_signal_wait(&wanted, &info);
    return number > 0 ? (info.si_pid == getpid() ? number : -1000) : result_of(number);
}

static void raise_signal(void)
{
    kill(getpid(), SIGUSR1);
}

static bool none_is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 0;
}

static const struct row rows[] = {
    {.call = "verd_waitpid",
     .when = "the end of a child",
     .setup = fork_child,
     .make = wait_for_child,
     .right = 3,
     .provoke = end_child,
     .arrive = await_child,
     .untouched = child_is_there,
     .whole = child_is_gone,
     .traits = ORPHANED,
     .orphaned = -ECHILD},
    {.call = "verd_waitpid",
     .when = "the end of any child",
     .setup = fork_child,
     .make = wait_for_any_child,
     .right = 3,
     .provoke = end_child,
     .arrive = await_child,
     .untouched = child_is_there,
     .whole = child_is_gone,
     .traits = EITHER | ORPHANED,
     .orphaned = -ECHILD},
    {.call = "verd_process_wait",
     .when = "the end of a process",
     .setup = start_program,
     .make = wait_for_program,
     .provoke = end_program,
     .arrive = await_child,
     .untouched = child_is_there,
     .whole = child_is_gone,
     .traits = ORPHANED,
     .orphaned = -ECHILD},
    {.call = "verd_signal_wait",
     .when = "a signal",
     .setup = block_signal,
     .make = wait_for_signal,
     .right = SIGUSR1,
     .provoke = raise_signal,
     .untouched = none_is_pending,
     .whole = none_is_pending},
};

const struct rows rows_of_processes = ROWS(rows);
