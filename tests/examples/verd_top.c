/* SPDX-License-Identifier: MIT */
/*
 * What the green threads of a process do, in the style of top: it asks at the process's backdoor
 * (<verd/backdoor.h>), and shows it again each second.
 *
 *     verd_top PATH [TIMES]        (of the backdoor; TIMES: how often, else until it is interrupted)
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <verd.h>

#define LINE_MAX 1024 /* of an answer's */
#define WHO_MAX 48
#define WHAT_MAX 96
#define GROUPS_MAX 512
#define PERIOD VERD_SEC

/* Threads that are called alike and do the same. */
struct group {
    char who[WHO_MAX];
    char what[WHAT_MAX];
    size_t count;
    double longest; /* s, that one has waited */
};

static struct group groups[GROUPS_MAX];
static size_t group_count;

/* What is shown by its growth in a second. */
static struct figures {
    unsigned long long made, turns, wakeups, events, fired, jobs, switches;
} before, now;

/* What is shown as it is. */
static struct state {
    unsigned long long alive, kept, peak, used, cached, bytes, timers, descriptors, waits;
    unsigned long long waiting, running, lag, hold;
    char holder[WHO_MAX];
} state;

/* ---- threads ---- */

static struct group *group_of(const char *who, const char *what)
{
    for (size_t i = 0; i < group_count; i++) {
        if (strcmp(groups[i].who, who) == 0 && strcmp(groups[i].what, what) == 0)
            return &groups[i];
    }
    struct group *group = &groups[group_count < GROUPS_MAX ? group_count++ : GROUPS_MAX - 1];
    snprintf(group->who, sizeof group->who, "%s", who);
    snprintf(group->what, sizeof group->what, "%s", what);
    group->count = 0;
    group->longest = 0;
    return group;
}

/* "client#17" is one of many: numbers do not tell them apart. */
static void copy_without_numbers(char *to, size_t size, const char *from, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length && n + 1 < size; i++) {
        bool is_number =
            isdigit((unsigned char)from[i]) && i > 0 && strchr("# 0123456789", from[i - 1]);
        if (!is_number)
            to[n++] = from[i];
    }
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

/* "thread 12 \"client#12\" waits for input from descriptor 7, for 2.1 s" */
static void count_thread(const char *line)
{
    char who[WHO_MAX], what[WHAT_MAX];
    int skipped = 0;
    if (sscanf(line, "thread %*u %n", &skipped) != 0 || skipped == 0)
        return;
    const char *name = line + skipped;
    bool is_named = *name == '"' || *name == '(';
    const char *end = is_named ? strpbrk(name + 1, "\")") : name;
    if (end == NULL)
        return;
    copy_without_numbers(who, sizeof who, name + is_named, (size_t)(end - name) - is_named);
    const char *rest = end + is_named + (end[is_named] == ' ');
    const char *span = strstr(rest, ", for ");
    copy_without_numbers(what, sizeof what, rest,
                         span != NULL ? (size_t)(span - rest) : strlen(rest));
    struct group *group = group_of(who, what);
    double seconds = span != NULL ? strtod(span + 6, NULL) : 0;
    group->count++;
    if (group->longest < seconds)
        group->longest = seconds;
}

static int by_count(const void *a, const void *b)
{
    const struct group *first = a, *second = b;
    return (first->count < second->count) - (first->count > second->count);
}

/* ---- figures ---- */

/* In place of figures it may be told who keeps the hub from them: that is shown at once. */
static void take_figure(const char *line)
{
    static const struct {
        const char *name;
        unsigned long long *value;
    } known[] = {
        {"threads_made", &now.made},         {"hub_turns", &now.turns},
        {"wakeups", &now.wakeups},           {"events", &now.events},
        {"timers_fired", &now.fired},        {"offload_jobs", &now.jobs},
        {"switches", &now.switches},         {"threads_alive", &state.alive},
        {"threads_kept", &state.kept},       {"threads_peak", &state.peak},
        {"stacks_used", &state.used},        {"stacks_cached", &state.cached},
        {"stacks_bytes", &state.bytes},      {"timers", &state.timers},
        {"descriptors", &state.descriptors}, {"descriptor_waits", &state.waits},
        {"offload_waiting", &state.waiting}, {"offload_running", &state.running},
        {"lag_longest", &state.lag},         {"hold_longest", &state.hold},
    };
    size_t length = strcspn(line, " ");
    if (length == 6 && strncmp(line, "thread", 6) == 0) {
        puts(line);
        fflush(stdout);
    }
    if (length == 9 && strncmp(line, "hold_name", 9) == 0)
        snprintf(state.holder, sizeof state.holder, "%s", line[9] == ' ' ? line + 10 : "");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) == length && strncmp(line, known[i].name, length) == 0)
            *known[i].value = strtoull(line + length, NULL, 10);
    }
}

/* ---- asking ---- */

/* Gives each line of the answer to `take`. false: the process is gone. */
static bool ask(int fd, verd_reader *reader, const char *question, void (*take)(const char *line))
{
    char *line;
    size_t size;
    if (verd_write_full(fd, question, strlen(question), NULL) < 0)
        return false;
    while (verd_reader_line(reader, &line, &size) == 1) {
        if (size == 0)
            return true;
        take(line);
    }
    return false;
}

/* ---- showing ---- */

static unsigned long rows_of_terminal(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 10 ? size.ws_row - 9
                                                                            : 1000;
}

static void show_figures(void)
{
    printf("threads   %llu alive, %llu kept, %llu at most; %llu made in the last second\n",
           state.alive, state.kept, state.peak, now.made - before.made);
    printf("stacks    %llu used, %llu cached: %.1f MiB of address space\n", state.used,
           state.cached, (double)state.bytes / (1 << 20));
    printf("hub       %llu turns, %llu wake-ups, %llu events in the last second; longest lag %.3f "
           "ms\n",
           now.turns - before.turns, now.wakeups - before.wakeups, now.events - before.events,
           (double)state.lag / VERD_MS);
    printf("waits     for descriptors %llu (of %llu); timers %llu, fired %llu\n", state.waits,
           state.descriptors, state.timers, now.fired - before.fired);
    printf("offload   %llu run, %llu in line, %llu begun\n", state.running, state.waiting,
           now.jobs - before.jobs);
    if (state.hold != 0)
        printf("switches  %llu; %.3f ms at most, by %s\n", now.switches - before.switches,
               (double)state.hold / VERD_MS, state.holder);
}

static void show(const char *path)
{
    unsigned long rows = rows_of_terminal();
    qsort(groups, group_count, sizeof *groups, by_count);
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[J", stdout);
    printf("verd_top  %s\n", path);
    show_figures();
    printf("\n%8s %9s  %-24s %s\n", "THREADS", "LONGEST s", "NAME", "WHAT");
    for (size_t i = 0; i < group_count && i < rows; i++)
        printf("%8zu %9.1f  %-24s %s\n", groups[i].count, groups[i].longest, groups[i].who,
               groups[i].what);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    long times = argc > 2 ? atol(argv[2]) : -1;
    int fd = argc > 1 ? verd_connect_unix(argv[1]) : -1;
    verd_reader *reader = fd >= 0 ? verd_reader_new(verd_stream_of(fd), LINE_MAX) : NULL;
    if (reader == NULL) {
        if (argc > 1)
            perror(argv[1]);
        else
            fputs("verd_top PATH [TIMES]\n", stderr);
        return EXIT_FAILURE;
    }
    for (; times != 0; times -= times > 0) {
        group_count = 0;
        if (!ask(fd, reader, "stats\n", take_figure) || !ask(fd, reader, "threads\n", count_thread))
            break;
        if (before.turns == 0) /* the first time there is no growth to be shown */
            before = now;
        show(argv[1]);
        before = now;
        if (times != 1)
            verd_sleep(PERIOD);
    }
    verd_reader_free(reader);
    verd_close(fd);
    return times != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
