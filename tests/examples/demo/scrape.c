/* SPDX-License-Identifier: MIT */
/* The dispatch pattern: two requests to feed_scraper, which share its pool; and the same left running. */
#include "demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEEDS 50 /* of the origin */
#define POOL 20  /* of the scraper */
#define SAMPLES 5
#define REQUESTS 2
#define SHOWN 3 /* titles of each request */

static struct program scraper;

/* One that asks for the titles of all feeds. */
struct request {
    const char *list;
    const char *name;
    long titles; /* that were right */
    verd_thread *thread;
};

/* The title that the origin's feeds have. */
static bool is_right(const char *title, long number)
{
    static const char *const kinds[] = {"\xe2\x80\x94 RSS 2.0", "& RSS 1.0", "<Atom>"};
    char expected[64];
    snprintf(expected, sizeof expected, "Feed %ld %s", number, kinds[number % 3]);
    return strcmp(title, expected) == 0;
}

static void take_title(struct request *request, const char *title)
{
    request->titles += is_right(title, request->titles);
    if (request->titles <= SHOWN)
        printf("  request %s: %s\n", request->name, title);
    else if (request->titles == FEEDS)
        printf("  request %s: and %d more\n", request->name, FEEDS - SHOWN);
    fflush(stdout);
}

static void *ask(void *arg)
{
    struct request *request = arg;
    char url[64], text[4096];
    size_t size = 0;
    ssize_t got;
    verd_http_request_options options = {.body = request->list, .size = strlen(request->list)};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", scraper.port);
    verd_http_response *response = verd_http_request("POST", url, &options);
    if (response == NULL)
        fail(url);
    while ((got = verd_http_response_read(response, text + size, sizeof text - 1 - size)) > 0) {
        char *line = text, *end;
        text[size += (size_t)got] = '\0';
        for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            *end = '\0';
            take_title(request, line);
        }
        size = strlen(line);
        memmove(text, line, size + 1);
    }
    verd_http_response_free(response);
    return NULL;
}

bool demo_scrape(const struct program *origin, struct row *row)
{
    static const char *const arguments[] = {"0", NULL};
    struct request requests[REQUESTS] = {{.name = "A"}, {.name = "B"}};
    long titles = 0;
    printf("Dispatch: the titles of %d feeds, asked for twice at the same time.\n\n", FEEDS);
    start_server(&scraper, "feed_scraper", arguments);
    char *list = get_page(origin, "/feeds");
    double alone =
        (double)time_alone(origin, "/feed/", SAMPLES) * FEEDS * REQUESTS / (double)VERD_SEC;
    free(get_page(origin, "/most"));

    verd_duration since = verd_now();
    for (int i = 0; i < REQUESTS; i++) {
        requests[i].list = list;
        requests[i].thread = verd_spawn(ask, &requests[i]);
    }
    for (int i = 0; i < REQUESTS; i++) {
        verd_join(requests[i].thread, NULL);
        titles += requests[i].titles;
    }
    double here = seconds_since(since);
    char *most = get_page(origin, "/most");
    long together = atol(most);
    printf("\n  one by one: %.1f s (%d measured, times %d); here: %.1f s\n"
           "  the origin was asked for %ld feeds at a time, and never more: one pool of %d\n\n",
           alone, SAMPLES, FEEDS * REQUESTS / SAMPLES, here, together, POOL);
    free(most);
    free(list);
    stop_server(&scraper);

    *row = (struct row){.pattern = "dispatch", .program = "feed_scraper"};
    snprintf(row->work, sizeof row->work, "%ld titles, %ld at a time", titles, together);
    snprintf(row->alone, sizeof row->alone, "%.1f s", alone);
    snprintf(row->here, sizeof row->here, "%.2f s", here);
    return titles == FEEDS * REQUESTS && together <= POOL;
}

int demo_serve(int port)
{
    struct program origin;
    const char *arguments[FEEDS + 2] = {NULL}, *none[] = {"0", NULL};
    char number[16], *rest = NULL;
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGINT);
    sigaddset(&terminate, SIGTERM);

    start_server(&origin, "origin", none);
    char *list = get_page(&origin, "/feeds");
    snprintf(number, sizeof number, "%d", port);
    arguments[0] = number;
    for (int i = 1; i <= FEEDS; i++)
        arguments[i] = strtok_r(i == 1 ? list : NULL, "\n", &rest);
    start_server(&scraper, "feed_scraper", arguments);
    free(list);

    printf("The feed scraper is at http://127.0.0.1:%d/ with 50 feeds of the origin, which is at\n"
           "http://127.0.0.1:%d/ (/page/1, /feed/1, /feeds, /most). Ctrl-C ends both.\n",
           scraper.port, origin.port);
    fflush(stdout);
    verd_signal_wait(&terminate, NULL);
    stop_server(&scraper);
    stop_server(&origin);
    return EXIT_SUCCESS;
}
