/* SPDX-License-Identifier: MIT */
/*
 * What others do, in time of their own: OS threads that run what is offloaded, child processes, and the system's
 * TCP. Each offloaded argument has one owner in the end, and nothing that was said is lost.
 *
 * Nobody here knows when they are through: so with this part a seed does not decide all, and its trace is its run's.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/wait.h>

#include "fuzz.h"

#define SIZE 20000    /* bytes, at most, that are said over a connection */
#define PATIENCE 1000 /* milliseconds, and more, that others get in the end */

bool outside;
unsigned outside_waits;

/* ---- offloaded functions ---- */

struct work {
    unsigned world;
    unsigned turns;
    _Atomic(bool) done;
};

static unsigned world; /* work of one before, or of a parent, does not count */
static unsigned given_up;
static _Atomic(unsigned) released;
static _Atomic(unsigned) current; /* world, for other OS threads */

static void *work_on(void *arg)
{
    struct work *work = arg;
    for (unsigned i = 0; i < work->turns; i++)
        sched_yield();
    work->done = true;
    return work;
}

/* On whatever OS thread. In place of the function, or behind it. */
static void release(void *arg, void *result)
{
    struct work *work = arg;
    if (result != (work->done ? work : NULL))
        abort();
    if (work->world == current)
        released++;
    free(work);
}

static void offload(void)
{
    void *result = NULL;
    struct work *work = malloc(sizeof *work);
    expect(work != NULL, "no memory");
    *work = (struct work){.world = world, .turns = chance(20)};
    int expected = due();
    bool taken = verd_offload_with(work_on, work, release, &result) == 0;
    if (judged("verd_offload_with", expected, taken, 0)) {
        expect(result == work && work->done, "another result of an offloaded function");
        free(work);
    } else {
        given_up++;
    }
}

/* ---- what is said through a descriptor ---- */

static char said[SIZE];

/* Reads to the end: as far as it gets, and then the rest. */
static void hear(int fd, size_t size)
{
    char heard[SIZE];
    size_t first = 0, rest = 0;
    int expected = due();
    ssize_t got = verd_read_full(fd, heard, size, &first);
    judged("verd_read_full", expected, got == (ssize_t)size, 0);
    shield_begin();
    verd_read_full(fd, heard + first, size - first, &rest);
    expect(verd_read(fd, heard, 0) == 0, "verd_read of nothing");
    char more;
    expect(verd_read(fd, &more, 1) == 0, "more was heard than was said");
    shield_end();
    expect(first + rest == size && memcmp(heard, said, size) == 0, "not all was heard");
}

/* ---- child processes ---- */

static void run_process(void)
{
    static const char *const arguments[] = {"echo", "said by a process", NULL};
    static const verd_process_options options = {.arguments = arguments,
                                                 .output = VERD_PROCESS_PIPE};
    verd_process process;
    int status = -1, expected = due();
    bool runs = verd_spawn_process(&process, &options) == 0;
    if (!judged("verd_spawn_process", expected, runs, 0))
        return;
    char heard[64];
    size_t first = 0, rest = 0;
    expected = due();
    ssize_t got = verd_read_full(process.output, heard, sizeof heard, &first);
    judged("verd_read_full", expected, got >= 0, 0);
    shield_begin();
    verd_read_full(process.output, heard + first, sizeof heard - first, &rest);
    shield_end();
    expect(first + rest == strlen(arguments[1]) + 1 &&
               memcmp(heard, arguments[1], first + rest - 1) == 0,
           "not all was heard of a process");
    expected = due();
    bool waited = verd_process_wait(&process, &status) == 0;
    if (!judged("verd_process_wait", expected, waited, 0)) {
        shield_begin();
        expect(verd_process_wait(&process, &status) == 0, "an end of a process was lost");
        shield_end();
    }
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "another end of a process");
    verd_process_close(&process);
}

/* ---- TCP ---- */

struct talk {
    int port;
    size_t size;
};

static void *say(void *arg)
{
    const struct talk *talk = arg;
    linger();
    int fd = verd_connect("127.0.0.1", talk->port);
    expect(fd >= 0, "verd_connect");
    expect(verd_write_full(fd, said, talk->size, NULL) == (ssize_t)talk->size, "verd_write_full");
    verd_close(fd);
    return arg;
}

static void listen_to_one(void)
{
    struct talk talk = {.size = 1 + chance(SIZE)};
    shield_begin();
    int listener = verd_listen("127.0.0.1", 0, 0);
    shield_end();
    expect(listener >= 0, "verd_listen");
    talk.port = verd_port(listener);
    verd_thread *helper = hire(say, &talk);
    int client = accept_one(listener);
    expect(client >= 0, "a connection was lost");
    hear(client, talk.size);
    dismiss(helper);
    verd_close(client);
    verd_close(listener);
}

static void scene(void)
{
    static void (*const scenes[])(void) = {offload, offload, offload, listen_to_one, run_process};
    outside_waits++;
    scenes[chance(sizeof scenes / sizeof *scenes)]();
    outside_waits--;
}

/* ---- accounts ---- */

static void begin(void)
{
    for (size_t i = 0; i < SIZE; i++)
        said[i] = (char)(i * 13 + i / 241);
    current = ++world;
    given_up = 0;
    released = 0;
    outside_waits = 0;
}

static void end(void)
{
    struct timespec pause = {0, 1000000};
    for (int i = 0; i < PATIENCE && released < given_up; i++)
        nanosleep(&pause, NULL);
    expect(released == given_up, "what was offloaded and given up was not released once");
}

const struct part fuzz_outside = {.begin = begin, .scene = scene, .end = end, .forked = begin};
