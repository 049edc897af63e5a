/* SPDX-License-Identifier: MIT */

/* Time in which the process was stopped is not held against anybody. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "process.h"
#include "told.h"

#define LIMIT (400 * VERD_MS)
#define LOOK (LIMIT / 4)

/* How the process is stopped: by another one, while a thread holds its OS thread. */
struct stops {
    verd_duration after; /* the beginning of that */
    int count;
    verd_duration length; /* of each */
};

static int order[2], report[2]; /* the holder's to that process, and how long it was stopped */
static verd_duration ran;       /* the holder, at most */

static char state_of(pid_t process)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    size_t n = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end != NULL ? name_end[2] : '\0';
}

/* Returns for how long, at least. */
static verd_duration stop(pid_t process, verd_duration length)
{
    kill(process, SIGSTOP);
    while (state_of(process) != 'T')
        usleep(100);
    verd_duration begin = verd_now();
    usleep((useconds_t)(length / VERD_US));
    verd_duration stopped = verd_now() - begin;
    kill(process, SIGCONT);
    return stopped;
}

static void stop_when_asked(pid_t process, const struct stops *stops)
{
    char byte;
    verd_duration stopped = 0;
    if (read(order[0], &byte, 1) != 1)
        return;
    usleep((useconds_t)(stops->after / VERD_US));
    for (int i = 0; i < stops->count; i++)
        stopped += stop(process, stops->length);
    if (write(report[1], &stopped, sizeof stopped) != sizeof stopped)
        _exit(1);
}

static void *hold(void *arg)
{
    verd_duration stopped = 0, begin = verd_now();
    struct pollfd reported = {.fd = report[0], .events = POLLIN};
    if (write(order[1], "", 1) != 1)
        _exit(1);
    while (poll(&reported, 1, 0) == 0 || !is_told(0)) {
    }
    if (read(report[0], &stopped, sizeof stopped) < 0)
        _exit(1);
    ran = verd_now() - begin - stopped;
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void watch_who_is_stopped(void *stops)
{
    const verd_attr attr = {.name = "holder"};
    pid_t self = getpid();
    if (pipe(order) != 0 || pipe(report) != 0)
        _exit(1);
    pid_t stopper = fork();
    if (stopper == 0) {
        stop_when_asked(self, stops);
        _exit(0);
    }
    told_begin();
    if (verd_watchdog(LIMIT) != 0)
        _exit(1);
    verd_spawn(park, NULL);
    verd_join(verd_spawn_with(&attr, hold, NULL), NULL);
    verd_watchdog(0);
    waitpid(stopper, NULL, 0);
    told_end();
}

static void expect_no_more_than_it_ran(struct stops stops)
{
    struct process_end end = process_capture(watch_who_is_stopped, &stops);
    double seconds = told_seconds(end.text, "thread 2 \"holder\"");
    cr_assert(seconds + 0.001 >= (double)LIMIT / VERD_SEC, "%s", end.text);
    cr_assert(seconds <= (double)ran / VERD_SEC, "%g: %s", (double)ran / VERD_SEC, end.text);
}

Test(debug, a_stop_of_the_process_is_not_held_against_who_was_suspected)
{
    expect_no_more_than_it_ran((struct stops){3 * LOOK + LOOK / 2, 1, LIMIT});
}

Test(debug, a_stop_shorter_than_a_look_is_not_held_against_anybody)
{
    expect_no_more_than_it_ran((struct stops){0, 30, LOOK / 4});
}
