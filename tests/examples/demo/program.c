/* SPDX-License-Identifier: MIT */
#include "demo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS 64

void fail(const char *what)
{
    fprintf(stderr, "demo: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* The path of a program that lies beside this one. */
static void find_beside(const char *name, char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length < 0)
        fail("/proc/self/exe");
    path[length] = '\0';
    char *end = strrchr(path, '/') + 1;
    snprintf(end, (size_t)(path + PATH_MAX - end), "%s", name);
}

/* The child: does not outlive the demo. */
static _Noreturn void become(const char *name, const char *const *arguments, int input, int output)
{
    char path[PATH_MAX];
    union {
        const char *given[ARGUMENTS];
        char *taken[ARGUMENTS];
    } argv = {{path}};
    find_beside(name, path);
    for (size_t i = 0; arguments[i] != NULL && i + 2 < ARGUMENTS; i++)
        argv.given[i + 1] = arguments[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execv(path, argv.taken);
    fail(path);
}

static void start(struct program *program, const char *name, const char *const *arguments)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        fail("pipe");
    fflush(NULL);
    program->pid = fork();
    if (program->pid < 0)
        fail("fork");
    if (program->pid == 0)
        become(name, arguments, in[0], out[1]);
    verd_close(in[0]);
    verd_close(out[1]);
    program->input = in[1];
    program->output = out[0];
    program->port = 0;
}

void start_program(struct program *program, const char *name)
{
    static const char *const none[] = {NULL};
    start(program, name, none);
}

void start_server(struct program *program, const char *name, const char *const *arguments)
{
    char line[128] = "";
    start(program, name, arguments);
    verd_close(program->input);
    program->input = -1;
    for (size_t i = 0; i + 1 < sizeof line && strchr(line, '\n') == NULL; i++) {
        if (verd_read(program->output, line + i, 1) != 1)
            exit(EXIT_FAILURE); /* the server has said why */
    }
    if (sscanf(line, "%*[^:]: listening on port %d", &program->port) != 1)
        fail(line);
}

void stop_server(struct program *program)
{
    kill(program->pid, SIGTERM);
    wait_program(program);
}

bool wait_program(struct program *program)
{
    int status = -1;
    if (program->input >= 0)
        verd_close(program->input);
    verd_close(program->output);
    return verd_waitpid(program->pid, &status, 0) == program->pid && status == 0;
}

long memory_of(const struct program *program)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)program->pid);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        fail(path);
    while (fgets(line, sizeof line, status) != NULL && sscanf(line, "VmRSS: %ld kB", &kib) != 1)
        ;
    fclose(status);
    return kib;
}
