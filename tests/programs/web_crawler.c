/* SPDX-License-Identifier: MIT */

/* The web crawler: pages in the order of their URLs, from arguments and from standard input, many at a
 * time but no more than 200; those that fail beside those that come. */
#include "../support/process.h"
#include "example.h"

#define PAGES 500

static char origin[64];
static int in_flight, most_in_flight;

/* /SIZE gives so many bytes, the later the smaller; /fail gives less than it says. */
static int answer(verd_http_exchange *x, void *ctx)
{
    static const char bytes[PAGES];
    const char *path = verd_http_path(x);
    size_t size = strtoul(path + 1, NULL, 10);
    int result;
    (void)ctx;
    if (++in_flight > most_in_flight)
        most_in_flight = in_flight;
    verd_sleep((verd_duration)(PAGES - size) * VERD_MS / 10);
    if (strcmp(path, "/fail") == 0)
        result =
            verd_http_begin(x, 200, 10) + verd_http_write(x, "half", 4) + verd_http_flush(x) - 1;
    else if (strcmp(path, "/nothing") == 0)
        result = verd_http_reply(x, 404, NULL, "no", 2);
    else
        result = verd_http_reply(x, 200, NULL, bytes, size);
    in_flight--;
    return result;
}

static bool reads_page(const char *status, int size, const char *path)
{
    char expected[LINE];
    snprintf(expected, sizeof expected, "%s %8d  %s%s", status, size, origin, path);
    return reads(example.output, expected);
}

static void from_arguments(void)
{
    char urls[5][128], expected[LINE];
    static const char *const paths[] = {"/7", "/nothing", "/fail", "/8", "/9"};
    for (int i = 0; i < 5; i++)
        snprintf(urls[i], sizeof urls[i], "%s%s", origin, paths[i]);
    const char *const arguments[] = {urls[0], urls[1], urls[2], "nonsense", urls[3], NULL};
    example_start("web_crawler", arguments);
    CHECK(reads_page("200", 7, "/7"));
    CHECK(reads_page("404", 2, "/nothing"));
    snprintf(expected, sizeof expected, "  - %8s  %s (Connection reset by peer)", "-", urls[2]);
    CHECK(reads(example.output, expected));
    snprintf(expected, sizeof expected, "  - %8s  nonsense (Invalid argument)", "-");
    CHECK(reads(example.output, expected));
    CHECK(reads_page("200", 8, "/8"));
    CHECK(at_end(example.output));
    CHECK(example_exits(1, 0));
}

static void write_urls(void *arg)
{
    char line[128];
    (void)arg;
    for (int i = 0; i < PAGES; i++) {
        snprintf(line, sizeof line, "%s/%d%s", origin, i, i % 3 ? "\n" : " \r\n\n");
        if (i == PAGES - 1)
            line[strcspn(line, "\n")] = '\0'; /* a last line without its end */
        say(example.input, line);
    }
    verd_close(example.input);
    example.input = -1;
}

static void from_input(void)
{
    const char *const arguments[] = {NULL};
    char path[16];
    example_start("web_crawler", arguments);
    verd_spawn_n(write_urls, NULL);
    for (int i = 0; i < PAGES; i++) {
        snprintf(path, sizeof path, "/%d", i);
        CHECK(reads_page("200", i, path));
    }
    CHECK(at_end(example.output));
    CHECK(example_exits(0, 0));
    CHECK(most_in_flight > 1 && most_in_flight <= 200);
}

int main(void)
{
    if (process_descriptors_up_to(2 * PAGES) < 2 * PAGES) {
        puts("web_crawler: skipped: the limit of descriptors is too low");
        return 77;
    }
    int listener = verd_listen("127.0.0.1", 0, 0);
    snprintf(origin, sizeof origin, "http://127.0.0.1:%d", verd_port(listener));
    CHECK(verd_http_serve(listener, answer, NULL, NULL) != NULL);
    from_arguments();
    from_input();
    return 0;
}
