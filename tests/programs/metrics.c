/* SPDX-License-Identifier: MIT */

/* The example that serves the hub's figures: each line is of Prometheus' text format, and they tell what has been. */
#include "example.h"

#include <ctype.h>
#include <signal.h>

static int port;

static verd_http_response *get(const char *path)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    verd_http_response *response = verd_http_get(url, NULL);
    CHECK(response != NULL && verd_http_response_status(response) == 200);
    return response;
}

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* Whether a line is a name, perhaps labels, and a number. */
static bool is_sample(const char *line)
{
    char *end;
    size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    const char *at = line + name;
    if (name == 0 || (*at == '{' && (at = strstr(at, "\"} ")) == NULL))
        return false;
    at = strchr(at, ' ');
    if (at == NULL || !isdigit((unsigned char)at[1]))
        return false;
    strtod(at + 1, &end);
    return *end == '\0';
}

/* Each sample is of the name that the lines before it have announced. */
static void check_format(char *text)
{
    char type[64] = "", *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && (*line != '\0' || rest != NULL)) {
        if (starts(line, "# HELP verd_"))
            continue;
        if (starts(line, "# TYPE verd_"))
            CHECK(sscanf(line, "# TYPE %63s", type) == 1);
        else
            CHECK(is_sample(line) && starts(line, type));
    }
    CHECK(type[0] != '\0');
}

/* The number of a sample of the text; -1: there is none. */
static double sample(const char *text, const char *name)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\n%s ", name);
    const char *at = strstr(text, wanted);
    return at != NULL ? strtod(at + strlen(wanted), NULL) : -1;
}

static char *metrics(void)
{
    verd_http_response *response = get("/metrics");
    char *text = strdup(verd_http_response_body(response, 1 << 20, NULL));
    verd_http_response_free(response);
    CHECK(text != NULL);
    return text;
}

static void play(void)
{
    char *before = metrics();
    for (int i = 0; i < 3; i++)
        verd_http_response_free(get("/1"));
    char *after = metrics();
    CHECK(sample(after, "verd_timers_fired_total") >=
          sample(before, "verd_timers_fired_total") + 3);
    CHECK(sample(after, "verd_switches_total") > sample(before, "verd_switches_total"));
    CHECK(sample(after, "verd_threads_alive") >= 2);
    CHECK(sample(after, "verd_descriptors") >= 1);
    CHECK(sample(after, "verd_latency_seconds_bucket{le=\"+Inf\"}") ==
          sample(after, "verd_latency_seconds_count"));
    CHECK(sample(after, "verd_hold_seconds_count") == sample(after, "verd_switches_total"));
    CHECK(strstr(after, "\nverd_longest_hold_seconds{thread=\"") != NULL);
    check_format(after);
    free(before);
    free(after);
}

int main(void)
{
    static const char *const arguments[] = {"0", "watch", NULL};
    const char *line;
    example_start("metrics", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "metrics: listening on port %d", &port) == 1);
    play();
    verd_process_kill(&example, SIGTERM);
    CHECK(verd_process_wait(&example, NULL) == 0);
    return 0;
}
