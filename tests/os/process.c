/* SPDX-License-Identifier: MIT */

/* Starting programs. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "caller.h"
#include "process.h"

#define SH(script)               \
    (const char *const[])        \
    {                            \
        "sh", "-c", script, NULL \
    }

static verd_process process;
static char text[4096];

/* Starts a program with pipes to its standard output and error. */
static void start(const char *const *arguments)
{
    verd_process_options options = {
        .arguments = arguments,
        .input = VERD_PROCESS_NULL,
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
}

static const char *read_all(int fd)
{
    size_t done = 0;
    verd_read_full(fd, text, sizeof text - 1, &done);
    text[done] = '\0';
    return text;
}

static int end(void)
{
    int status = -1;
    verd_process_close(&process);
    verd_process_wait(&process, &status);
    return status;
}

Test(os, closing_a_process_closes_the_ends_of_its_pipes)
{
    verd_process_options options = {
        .arguments = SH("cat"),
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    const int ends[] = {process.input, process.output, process.error};
    cr_assert_eq(end(), 0);
    for (int i = 0; i < 3; i++)
        cr_expect(ends[i] >= 0 && fcntl(ends[i], F_GETFD) == -1, "%d", ends[i]);
}

/* Whatever was in the struct before. */
Test(os, what_was_not_started_may_be_closed)
{
    verd_process_options options = {.arguments = SH("true"), .directory = "/no/such/directory"};
    int other = dup(STDERR_FILENO);
    process = (verd_process){.input = other, .output = other, .error = other};
    int result = verd_spawn_process(&process, &options);
    if (result == 0 && process_is_translated())
        cr_skip_test("it is not told why a program was not executed");
    cr_assert_eq(result, -1);
    verd_process_close(&process);
    cr_assert_neq(fcntl(other, F_GETFD), -1);
}

Test(os, what_a_program_writes_is_read)
{
    start(SH("echo hello"));
    cr_assert_str_eq(read_all(process.output), "hello\n");
    cr_assert_eq(end(), 0);
}

Test(os, standard_error_is_apart_from_standard_output)
{
    start(SH("echo out; echo error >&2"));
    cr_assert_str_eq(read_all(process.error), "error\n");
    cr_assert_str_eq(read_all(process.output), "out\n");
}

Test(os, standard_error_may_go_where_standard_output_goes)
{
    verd_process_options options = {
        .arguments = SH("echo out; echo error >&2"),
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_OUTPUT,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    cr_assert_str_eq(read_all(process.output), "out\nerror\n");
}

/* More than a pipe holds, so that reading and writing have to take turns. */
#define MUCH ((size_t)1 << 20)

static int write_much(struct caller *self)
{
    static char bytes[MUCH];
    (void)self;
    bool failed = verd_write_full(process.input, bytes, MUCH, NULL) != (ssize_t)MUCH;
    verd_close(process.input);
    process.input = -1;
    return -failed;
}

Test(os, cat_gives_back_what_it_gets)
{
    struct caller writer;
    char *bytes = malloc(MUCH + 1);
    verd_process_options options = {
        .arguments = (const char *const[]){"cat", NULL},
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    caller_start(&writer, write_much, NULL, NULL);
    cr_assert_eq(verd_read_full(process.output, bytes, MUCH + 1, NULL), MUCH);
    cr_assert_eq(caller_end(&writer), 0);
    cr_assert_eq(end(), 0);
    free(bytes);
}

Test(os, a_program_may_write_to_a_descriptor_of_the_callers)
{
    int fds[2];
    cr_assert_eq(verd_pipe(fds), 0);
    verd_process_options options = {.arguments = SH("echo hello"), .output = fds[1]};
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    verd_close(fds[1]);
    cr_assert_str_eq(read_all(fds[0]), "hello\n");
}

Test(os, the_standard_descriptors_of_the_caller_can_be_given_crosswise)
{
    int fds[2];
    cr_assert_eq(verd_pipe(fds), 0);
    dup2(fds[1], STDERR_FILENO);
    verd_process_options options = {
        .arguments = SH("echo out; echo error >&2"),
        .output = STDERR_FILENO,
        .error = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    cr_assert_str_eq(read_all(process.error), "error\n");
    cr_assert_eq(verd_read(fds[0], text, sizeof text), 4);
}

/* What the process has open once a program has run whose pipes got the lowest numbers. */
static size_t descriptors_after_a_program(void)
{
    verd_process_options options = {
        .arguments = SH("cat"),
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    verd_close(process.input);
    verd_close(process.output);
    verd_close(process.error);
    cr_assert_eq(verd_process_wait(&process, NULL), 0);
    return process_descriptors();
}

Test(os, a_caller_without_standard_descriptors_keeps_no_ends_of_pipes)
{
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    size_t before = descriptors_after_a_program();
    cr_expect_eq(descriptors_after_a_program(), before);
    close(STDERR_FILENO);
    cr_expect_eq(descriptors_after_a_program(), before - 1);
}

Test(os, a_caller_without_standard_descriptors_starts_programs)
{
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    verd_process_options options = {
        .arguments = SH("cat; echo error >&2"),
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    verd_write(process.input, "hello", 5);
    verd_close(process.input);
    cr_assert_str_eq(read_all(process.output), "hello");
    cr_assert_str_eq(read_all(process.error), "error\n");
}

Test(os, a_program_starts_where_it_is_told)
{
    verd_process_options options = {
        .arguments = SH("pwd"),
        .directory = "/",
        .output = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    cr_assert_str_eq(read_all(process.output), "/\n");
}

Test(os, a_program_gets_the_environment_that_it_is_given)
{
    verd_process_options options = {
        .arguments = SH("echo $GREETING"),
        .environment = (const char *const[]){"GREETING=hello", NULL},
        .output = VERD_PROCESS_PIPE,
    };
    cr_assert_eq(verd_spawn_process(&process, &options), 0);
    cr_assert_str_eq(read_all(process.output), "hello\n");
}

Test(os, a_program_gets_the_callers_environment_otherwise)
{
    setenv("GREETING", "hello", 1);
    start(SH("echo $GREETING"));
    cr_assert_str_eq(read_all(process.output), "hello\n");
}

/* Where it is translated, vfork is fork, and the child cannot tell its parent what went wrong. */
static void skip_if_translated(void)
{
    if (process_is_translated())
        cr_skip_test("it is not told why a program was not executed");
}

Test(os, a_program_that_does_not_exist_is_ENOENT)
{
    skip_if_translated();
    verd_process_options options = {.arguments = (const char *const[]){"no-such-program", NULL}};
    cr_assert(verd_spawn_process(&process, &options) == -1 && errno == ENOENT);
}

Test(os, a_program_that_may_not_be_executed_is_EACCES)
{
    skip_if_translated();
    verd_process_options options = {.arguments = (const char *const[]){"/dev/null", NULL}};
    cr_assert(verd_spawn_process(&process, &options) == -1 && errno == EACCES);
}

Test(os, a_script_that_does_not_say_what_runs_it_is_ENOEXEC)
{
    skip_if_translated();
    char script[] = "/tmp/verd-os-XXXXXX";
    int fd = mkstemp(script);
    cr_assert(write(fd, "exit 0\n", 7) == 7 && fchmod(fd, 0700) == 0 && close(fd) == 0);
    verd_process_options options = {.arguments = (const char *const[]){script, NULL}};
    int result = verd_spawn_process(&process, &options);
    int error = errno;
    unlink(script);
    cr_assert(result == -1 && error == ENOEXEC);
}

Test(os, a_program_that_cannot_be_started_leaves_no_descriptor)
{
    skip_if_translated();
    verd_process_options options = {
        .arguments = (const char *const[]){"no-such-program", NULL},
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_PIPE,
    };
    verd_spawn_process(&process, &options);
    size_t before = process_descriptors();
    verd_spawn_process(&process, &options);
    cr_assert_eq(process_descriptors(), before);
}

Test(os, a_program_without_arguments_is_EINVAL)
{
    verd_process_options options = {.arguments = (const char *const[]){NULL}};
    cr_assert(verd_spawn_process(&process, &options) == -1 && errno == EINVAL);
}

Test(os, an_unknown_place_for_a_standard_descriptor_is_EINVAL)
{
    verd_process_options options = {.arguments = SH(""), .input = VERD_PROCESS_OUTPUT};
    cr_assert(verd_spawn_process(&process, &options) == -1 && errno == EINVAL);
}

Test(os, a_descriptor_that_is_not_open_is_EBADF)
{
    verd_process_options options = {.arguments = SH(""), .output = 1000};
    cr_assert(verd_spawn_process(&process, &options) == -1 && errno == EBADF);
}

/* The numbers in the listing of the child's own descriptors. */
Test(os, a_program_gets_no_descriptor_but_the_standard_ones)
{
    int fds[2];
    verd_process others[3];
    verd_process_options options = {
        .arguments = (const char *const[]){"cat", NULL},
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
        .error = VERD_PROCESS_PIPE,
    };
    verd_pipe(fds);
    for (int fd = 3; fd < 256; fd++) /* what the test's own world has left open */
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < 3; i++)
        verd_spawn_process(&others[i], &options);
    start(SH("for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done"));
    long highest = 0;
    for (const char *at = read_all(process.output); *at != '\0'; at = strchr(at, '\n') + 1)
        highest = strtol(at, NULL, 10) > highest ? strtol(at, NULL, 10) : highest;
    cr_assert_leq(highest, 2, "%s", text);
}

Test(os, a_program_has_no_signals_blocked)
{
    int status = -1;
    sigset_t set;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    start(SH("kill -TERM $$; exit 3"));
    cr_assert_eq(verd_process_wait(&process, &status), 0);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

Test(os, a_program_dies_of_SIGPIPE_even_if_the_caller_ignores_it)
{
    int status = -1;
    signal(SIGPIPE, SIG_IGN);
    start(SH("kill -PIPE $$; exit 3"));
    cr_assert_eq(verd_process_wait(&process, &status), 0);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

Test(os, a_process_that_is_killed_is_over)
{
    int status = -1;
    start(SH("sleep 1000"));
    cr_assert_eq(verd_process_kill(&process, SIGKILL), 0);
    cr_assert_eq(verd_process_wait(&process, &status), 0);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(os, a_process_that_was_waited_for_gets_no_signal)
{
    start(SH("exit 0"));
    verd_process_wait(&process, NULL);
    cr_assert(verd_process_kill(&process, SIGKILL) == -1 && errno == ESRCH);
}

/* Of the pids that a process may have got after another, its parent's is sure to be there. */
Test(os, a_stranger_that_has_got_the_pid_of_a_process_gets_no_signal)
{
    verd_process process = {.pid = getppid(), .input = -1, .output = -1, .error = -1};
    cr_assert_eq(verd_process_kill(&process, 0), -1);
    cr_assert_eq(errno, ESRCH);
}

Test(os, a_process_is_waited_for_once)
{
    start(SH("exit 0"));
    verd_process_wait(&process, NULL);
    cr_assert(verd_process_wait(&process, NULL) == -1 && errno == ECHILD);
}

static int wait_process(struct caller *self)
{
    return verd_process_wait(&process, self->object);
}

Test(os, waiting_for_a_process_that_timed_out_can_be_tried_again)
{
    int status = -1;
    start(SH("sleep 1000"));
    cr_assert_eq(caller_within(VERD_MS, wait_process, NULL, NULL), -ETIMEDOUT);
    verd_process_kill(&process, SIGTERM);
    cr_assert_eq(verd_process_wait(&process, &status), 0);
    cr_assert_eq(WTERMSIG(status), SIGTERM);
}

Test(os, closing_the_pipes_of_a_process_twice_does_nothing)
{
    size_t before = process_descriptors();
    start(SH("exit 0"));
    verd_process_close(&process);
    verd_process_close(&process);
    cr_assert(process.output == -1 && process_descriptors() <= before + 1);
}
