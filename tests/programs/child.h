/* SPDX-License-Identifier: MIT */
/* For programs that test how a process dies: a scene is played in a child process, and its end and
 * what it wrote on stderr are compared with what is expected. Each problem is printed. */
#ifndef TESTS_PROGRAMS_CHILD_H
#define TESTS_PROGRAMS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    const char *name;
    void (*play)(void);
    int signal; /* that it dies of; 0: it exits with `status` */
    int status;
    const char *contained[4]; /* in what it writes */
    const char *absent;       /* from it; NULL: nothing is */
    size_t lines;             /* that it writes; 0: any number */
};

/* Sanitizers catch SIGSEGV themselves: they have a handler before main. */
static inline bool faults_are_caught(void)
{
    struct sigaction action;
    return sigaction(SIGSEGV, NULL, &action) == 0 && action.sa_handler != SIG_DFL;
}

static inline int skip(const char *why)
{
    puts(why);
    return 77;
}

static inline _Noreturn void play_in_child(const struct scene *scene, const int ends[2])
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    alarm(60);
    scene->play();
    _exit(0);
}

/* An emulator says in a line of its own that a program has crashed. */
static inline void drop_emulators_line(char *text)
{
    char *line = strstr(text, "qemu: ");
    char *end = line != NULL ? strchr(line, '\n') : NULL;
    if (end != NULL)
        memmove(line, end + 1, strlen(end + 1) + 1);
}

static inline int play(const struct scene *scene, char *text, size_t size)
{
    int ends[2], status = -1;
    size_t length = 0;
    ssize_t n;
    char rest[1024];
    if (pipe(ends) != 0)
        exit(1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        play_in_child(scene, ends);
    close(ends[1]);
    while (length < size - 1 && (n = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    while (read(ends[0], rest, sizeof rest) > 0)
        ;
    close(ends[0]);
    waitpid(child, &status, 0);
    drop_emulators_line(text);
    return status;
}

static inline bool ended_as_expected(const struct scene *scene, int status)
{
    if (scene->signal != 0)
        return WIFSIGNALED(status) && WTERMSIG(status) == scene->signal;
    return WIFEXITED(status) && WEXITSTATUS(status) == scene->status;
}

static inline bool wrote_as_expected(const struct scene *scene, const char *text)
{
    size_t lines = 0;
    for (const char *at = strchr(text, '\n'); at != NULL; at = strchr(at + 1, '\n'))
        lines++;
    for (size_t i = 0; i < sizeof scene->contained / sizeof *scene->contained; i++) {
        if (scene->contained[i] != NULL && strstr(text, scene->contained[i]) == NULL)
            return false;
    }
    return (scene->absent == NULL || strstr(text, scene->absent) == NULL) &&
           (scene->lines == 0 || scene->lines == lines);
}

/* Plays all scenes; 0 if each ended and wrote as expected, else 1. */
static inline int play_all(const struct scene *scenes, size_t count)
{
    static char text[65536];
    int result = 0;
    for (const struct scene *scene = scenes; scene < scenes + count; scene++) {
        int status = play(scene, text, sizeof text);
        if (ended_as_expected(scene, status) && wrote_as_expected(scene, text))
            continue;
        printf("%s: wait status %#x, wrote:\n%s\n", scene->name, (unsigned)status, text);
        result = 1;
    }
    return result;
}

#endif
