/* SPDX-License-Identifier: MIT */
/* The client pattern: a thousand pages, one by one and by web_crawler. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 1000
#define SAMPLES 20

char *get_page(const struct program *server, const char *path)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server->port, path);
    verd_http_response *response = verd_http_get(url, NULL);
    char *body = response != NULL ? verd_http_response_body(response, 1 << 20, NULL) : NULL;
    if (body == NULL || verd_http_response_status(response) != 200)
        fail(url);
    body = strdup(body);
    verd_http_response_free(response);
    return body;
}

verd_duration time_alone(const struct program *origin, const char *path, int samples)
{
    char number[64];
    verd_duration since = verd_now();
    for (int i = 0; i < samples; i++) {
        snprintf(number, sizeof number, "%s%d", path, i);
        free(get_page(origin, number));
    }
    return (verd_now() - since) / samples;
}

struct crawl {
    struct program crawler;
    int port;
};

static void write_urls(void *arg)
{
    struct crawl *crawl = arg;
    char line[64];
    for (int i = 0; i < PAGES; i++) {
        int size = snprintf(line, sizeof line, "http://127.0.0.1:%d/page/%d\n", crawl->port, i);
        if (verd_write_full(crawl->crawler.input, line, (size_t)size, NULL) < 0)
            fail("web_crawler");
    }
    verd_close(crawl->crawler.input);
    crawl->crawler.input = -1;
}

/* Its pages, in order: so many lines. */
static long read_pages(struct crawl *crawl)
{
    static char text[PAGES * 64];
    ssize_t size = verd_read_full(crawl->crawler.output, text, sizeof text - 1, NULL);
    long count = 0;
    if (size < 0)
        fail("web_crawler");
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char expected[64];
        *end = '\0';
        snprintf(expected, sizeof expected, "200     2048  http://127.0.0.1:%d/page/%ld",
                 crawl->port, count);
        count += strcmp(line, expected) == 0;
    }
    return count;
}

bool demo_crawl(const struct program *origin, struct row *row)
{
    struct crawl crawl = {.port = origin->port};
    printf("Client: %s pages of a server that takes 50 ms for each.\n\n", grouped(PAGES));
    fflush(stdout);
    double alone = (double)time_alone(origin, "/page/", SAMPLES) * PAGES / (double)VERD_SEC;
    printf("  one by one: %.0f s (%d measured, times %d)\n", alone, SAMPLES, PAGES / SAMPLES);
    fflush(stdout);

    verd_duration since = verd_now();
    start_program(&crawl.crawler, "web_crawler"); /* which shows its progress */
    verd_spawn_n(write_urls, &crawl);
    long count = read_pages(&crawl);
    double here = seconds_since(since);
    bool well = wait_program(&crawl.crawler) && count == PAGES;
    printf("\n  %s pages in the order of their URLs; one by one: %.0f s; here: %.1f s\n\n",
           grouped(count), alone, here);

    *row = (struct row){.pattern = "client", .program = "web_crawler"};
    snprintf(row->work, sizeof row->work, "%s pages of 50 ms", grouped(count));
    snprintf(row->alone, sizeof row->alone, "%.1f s", alone);
    snprintf(row->here, sizeof row->here, "%.2f s", here);
    return well;
}
