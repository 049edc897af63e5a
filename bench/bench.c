/* SPDX-License-Identifier: MIT */

/* The list of questions, and the process that each is asked in.
 *
 *     bench                    every row
 *     bench echo_1             the rows whose names begin with echo_1, as does BENCH=echo_1 bench
 *     BENCH_QUICK=1 bench      a smoke run: every row, no number worth reading
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table.h"

static const struct question {
    const char *rows; /* the names of its rows */
    void (*ask)(void);
} questions[] = {
    {"call", bench_call},
    {"switch switch_deep switch_sites switch_flags", bench_switch},
    {"yield_2 yield_1000 yield_100k", bench_yield},
    {"yield_2_sites", bench_yield_sites},
    {"yield_flags", bench_yield_flags},
    {"yield_2_io", bench_yield_io},
    {"yield_watched", bench_yield_watched},
    {"yield_traced", bench_yield_traced},
    {"yield_watchdog", bench_yield_watchdog},
    {"spawn_one spawn_join spawn_batch", bench_spawn},
    {"spawn_one_io", bench_spawn_io},
    {"park", bench_park},
    {"park_io", bench_park_io},
    {"event_pingpong", bench_event},
    {"timer", bench_timer},
    {"timeout_scope", bench_timeout},
    {"queue_rendezvous", bench_queue_rendezvous},
    {"queue_rendezvous_io", bench_queue_rendezvous_io},
    {"queue_buffered", bench_queue_buffered},
    {"semaphore", bench_semaphore},
    {"pthread_mutex", bench_pthread_mutex},
    {"patched_read posix_read", bench_posix_read},
    {"post", bench_post},
    {"offload", bench_offload},
    {"parked_bytes parked_tables parked_create", bench_parked},
    {"echo_1 echo_50 echo_1000 echo_10000 echo_10000_4k", bench_echo},
    {"echo_syscalls", bench_syscalls},
    {"accept_10000", bench_accept},
    {"idle_bytes", bench_idle},
    {"idle_deep_bytes", bench_idle_deep},
    {"rss_after_peak", bench_peak},
    {"longest_hold", bench_hold},
    {"http_hello_50 http_hello_1000", bench_http},
    {"http_parse", bench_http_parse},
};

#define QUESTIONS (sizeof questions / sizeof *questions)

static const char *wanted = ""; /* what the names of the rows asked for begin with */

bool bench_wanted(const char *name)
{
    return strncmp(name, wanted, strlen(wanted)) == 0;
}

long bench_size(long full, long quick)
{
    const char *value = getenv("BENCH_QUICK");
    return value && *value && strcmp(value, "0") != 0 ? quick : full;
}

static bool any_wanted(const char *rows)
{
    char names[128];
    snprintf(names, sizeof names, "%s", rows);
    for (char *rest = names, *name; (name = strtok_r(NULL, " ", &rest));)
        if (bench_wanted(name))
            return true;
    return false;
}

/* Asks in a child, so that a question starts with a small memory and ends with nothing left. */
static bool ask(const struct question *question)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        bench_fail("fork");
    if (child == 0) {
        question->ask();
        fflush(NULL);
        _exit(0);
    }

    int status;
    if (waitpid(child, &status, 0) != child)
        bench_fail("waitpid");
    if (status == 0)
        return true;
    fprintf(stderr, "bench: no answer to %s: %s %d\n", question->rows,
            WIFSIGNALED(status) ? "signal" : "exit status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return false;
}

static int no_such_row(void)
{
    fprintf(stderr, "bench: no row begins with \"%s\"; there are", wanted);
    for (size_t i = 0; i < QUESTIONS; i++)
        fprintf(stderr, " %s", questions[i].rows);
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv)
{
    int asked = 0, failed = 0;

    if (getenv("BENCH"))
        wanted = getenv("BENCH");
    if (argc > 1)
        wanted = argv[1];
    for (size_t i = 0; i < QUESTIONS; i++)
        asked += any_wanted(questions[i].rows);
    if (asked == 0)
        return no_such_row();

    table_begin();
    for (size_t i = 0; i < QUESTIONS; i++)
        if (any_wanted(questions[i].rows))
            failed += !ask(&questions[i]);
    table_end();
    return failed > 0;
}
