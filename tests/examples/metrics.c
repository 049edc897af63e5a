/* SPDX-License-Identifier: MIT */
/*
 * Figures of the hub, for Prometheus to scrape: http://127.0.0.1:9102/metrics, in its text format.
 * Beside it, any path is answered after as many milliseconds as it says (/5), so that there is
 * something to see.
 *
 *     metrics [PORT] [watch]       (PORT 0: any; watch: each switch is noted, too)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd.h>

#define PORT 9102

static void add(FILE *text, const char *name, const char *type, const char *help, uint64_t value)
{
    fprintf(text, "# HELP verd_%s %s\n# TYPE verd_%s %s\nverd_%s %llu\n", name, help, name, type,
            name, (unsigned long long)value);
}

static void add_gauge(FILE *text, const char *name, const char *help, size_t value)
{
    add(text, name, "gauge", help, value);
}

static void add_counter(FILE *text, const char *name, const char *help, uint64_t value)
{
    add(text, name, "counter", help, value);
}

/* Prometheus adds up: each bucket has all that are shorter, too. */
static void add_histogram(FILE *text, const char *name, const char *help, const uint64_t *counts,
                          verd_duration sum)
{
    uint64_t count = 0;
    fprintf(text, "# HELP verd_%s_seconds %s\n# TYPE verd_%s_seconds histogram\n", name, help,
            name);
    for (int i = 0; i < VERD_STATS_BUCKETS - 1; i++) {
        count += counts[i];
        fprintf(text, "verd_%s_seconds_bucket{le=\"%.6f\"} %llu\n", name, (double)(1L << i) / 1e6,
                (unsigned long long)count);
    }
    count += counts[VERD_STATS_BUCKETS - 1];
    fprintf(text, "verd_%s_seconds_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)count);
    fprintf(text, "verd_%s_seconds_sum %.9f\nverd_%s_seconds_count %llu\n", name, (double)sum / 1e9,
            name, (unsigned long long)count);
}

/* A label's value has its backslashes and quotes escaped. */
static void add_longest(FILE *text, const struct verd_stats *stats)
{
    fprintf(text,
            "# HELP verd_longest_hold_seconds Who held the OS thread longest.\n"
            "# TYPE verd_longest_hold_seconds gauge\n"
            "verd_longest_hold_seconds{thread=\"%zu\",name=\"",
            stats->hold_number);
    for (const char *at = stats->hold_name; *at != '\0'; at++) {
        if (*at == '\\' || *at == '"')
            fputc('\\', text);
        fputc(*at == '\n' ? ' ' : *at, text);
    }
    fprintf(text, "\"} %.9f\n", (double)stats->hold_longest / 1e9);
}

static void add_all(FILE *text, const struct verd_stats *stats)
{
    add_counter(text, "threads_made_total", "Green threads, ever.", stats->threads_made);
    add_gauge(text, "threads_alive", "Green threads that have not ended.", stats->threads_alive);
    add_gauge(text, "threads_kept", "Ended, and not yet joined.", stats->threads_kept);
    add_gauge(text, "threads_peak", "The most at a time.", stats->threads_peak);
    add_gauge(text, "stacks_used", "Stacks that threads have.", stats->stacks_used);
    add_gauge(text, "stacks_cached", "Stacks kept for the next.", stats->stacks_cached);
    add_gauge(text, "stacks_bytes", "Address space of both.", stats->stacks_bytes);
    add_gauge(text, "stacks_peak_bytes", "The most of that.", stats->stacks_peak_bytes);
    add_counter(text, "hub_turns_total", "Looks at time and descriptors.", stats->hub_turns);
    add_counter(text, "wakeups_total", "Looks when nobody could run.", stats->wakeups);
    add_counter(text, "events_total", "Events of descriptors.", stats->events);
    add_gauge(text, "timers", "Timers armed.", stats->timers);
    add_counter(text, "timers_fired_total", "Timers fired.", stats->timers_fired);
    add_gauge(text, "descriptors", "Descriptors of the library's.", stats->descriptors);
    add_gauge(text, "descriptor_waits", "Waits for descriptors.", stats->descriptor_waits);
    add_counter(text, "offload_jobs_total", "Functions offloaded, ever.", stats->offload_jobs);
    add_gauge(text, "offload_waiting", "Functions in line.", stats->offload_waiting);
    add_gauge(text, "offload_running", "OS threads at work.", stats->offload_running);
    add_histogram(text, "lag", "Between two turns of the hub.", stats->lags, stats->lag_sum);
    if (!stats->watched)
        return;
    add_counter(text, "switches_total", "Turns of threads.", stats->switches);
    add_histogram(text, "hold", "How long a turn lasted.", stats->holds, stats->hold_sum);
    add_histogram(text, "latency", "From when a thread could run.", stats->latencies,
                  stats->latency_sum);
    add_longest(text, stats);
}

static int reply_metrics(verd_http_exchange *x)
{
    struct verd_stats stats;
    char *body = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&body, &size);
    if (text == NULL || verd_stats(&stats) != 0)
        return -1;
    add_all(text, &stats);
    fclose(text);
    int result = verd_http_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", body, size);
    free(body);
    return result;
}

static int answer(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    if (strcmp(verd_http_path(x), "/metrics") == 0)
        return reply_metrics(x);
    verd_sleep(strtol(verd_http_path(x) + 1, NULL, 10) * VERD_MS);
    return verd_http_reply(x, 200, "text/plain", "Done\n", 5);
}

int main(int argc, char **argv)
{
    int listener = verd_listen("127.0.0.1", argc > 1 ? atoi(argv[1]) : PORT, 0);
    if (argc > 2 && strcmp(argv[2], "watch") == 0)
        verd_stats_watch(true);
    verd_http_server *server = listener >= 0 ? verd_http_serve(listener, answer, NULL, NULL) : NULL;
    if (server == NULL) {
        perror("metrics");
        return EXIT_FAILURE;
    }
    printf("metrics: listening on port %d\n", verd_port(listener));
    fflush(stdout);
    return verd_http_wait(server);
}
