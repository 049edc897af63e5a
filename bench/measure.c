/* SPDX-License-Identifier: MIT */

/* Slices that take turns, and what is measured with. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 41
#define PAIRS_QUICK 3
#define QUICK_FRACTION 20

void bench_add(struct bench_samples *samples, double value, double floor)
{
    if (samples->pairs == BENCH_PAIRS_MAX)
        return;
    samples->value[samples->pairs] = value;
    samples->floor[samples->pairs] = floor;
    samples->pairs++;
}

/* The order within a pair alternates, so that a drift favours neither side. */
static void measure_pair(const struct bench_pair *pair, long count, bool value_first, double *value,
                         double *floor)
{
    if (value_first)
        *value = pair->value(pair->state, count);
    *floor = pair->floor(pair->state, count);
    if (!value_first)
        *value = pair->value(pair->state, count);
}

void bench_measure(const struct bench_pair *pair)
{
    if (!bench_wanted(pair->name))
        return;

    struct bench_samples samples = {
        .name = pair->name, .unit = pair->unit, .floor_name = pair->floor_name};
    int pairs = (int)bench_size(pair->pairs ? pair->pairs : PAIRS, PAIRS_QUICK);
    long count = bench_size(pair->count, (pair->count + QUICK_FRACTION - 1) / QUICK_FRACTION);
    double value, floor;

    measure_pair(pair, count, true, &value, &floor); /* warms up and counts for nothing */
    for (int i = 0; i < pairs; i++) {
        measure_pair(pair, count, i % 2 == 0, &value, &floor);
        bench_add(&samples, value, floor);
    }
    bench_report(&samples);
}

double bench_time(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

void bench_pin(int which)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        bench_fail("sched_getaffinity");

    size_t chosen = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && which >= 0; cpu++)
        if (CPU_ISSET(cpu, &allowed)) {
            chosen = cpu;
            which--;
        }
    CPU_ZERO(&one);
    CPU_SET(chosen, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        bench_fail("sched_setaffinity");
}

double bench_memory(int pid, const char *line)
{
    char path[64], text[256];
    double kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        bench_fail(path);
    while (kib < 0 && fgets(text, sizeof text, status))
        if (strncmp(text, line, strlen(line)) == 0 && text[strlen(line)] == ':')
            kib = strtod(text + strlen(line) + 1, NULL);
    fclose(status);
    if (kib < 0) {
        errno = ENOENT;
        bench_fail(line);
    }
    return kib * 1024;
}

void bench_apart(void (*work)(void *result), void *result, size_t size)
{
    int answer[2];
    if (pipe(answer) != 0)
        bench_fail("pipe");
    pid_t child = fork();
    if (child < 0)
        bench_fail("fork");
    if (child == 0) {
        work(result);
        _exit(write(answer[1], result, size) != (ssize_t)size);
    }
    close(answer[1]);
    if (read(answer[0], result, size) != (ssize_t)size)
        bench_fail("the answer of a child");
    close(answer[0]);
    waitpid(child, NULL, 0);
}

void bench_fail(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}
