/* SPDX-License-Identifier: MIT */

/* The recursive crawler: finds each page below the first one, once, with more links than its pool has
 * slots, and however deep they link; leaves others alone. */
#include "example.h"

#define PAGES 400
#define LINKS 7

/* A chain of pages, found while all workers but one wait for pages that are slow. */
#define CHAIN 3000
#define SLOW 49

static char origin[64];
static int asked[PAGES], in_flight, most_in_flight, strangers;
static size_t chain_asked;
static verd_event chain_is_over = VERD_EVENT_INIT;

static int answer_chain(verd_http_exchange *x, size_t number)
{
    char page[64 * SLOW];
    int size = 0;
    chain_asked++;
    for (int i = 0; number == 0 && i < SLOW; i++)
        size += snprintf(page + size, sizeof page - (size_t)size, "<a href='slow/%d'>slow</a>", i);
    if (number + 1 < CHAIN)
        size += snprintf(page + size, sizeof page - (size_t)size, "<a href='/chain/%zu'>next</a>",
                         number + 1);
    else
        verd_event_set(&chain_is_over, NULL);
    return verd_http_reply(x, 200, "text/html", page, (size_t)size);
}

/* /p/N links to N * 7 + 1 and so on, back, to itself, and to where the crawler must not go. */
static int answer(verd_http_exchange *x, void *ctx)
{
    char page[2048];
    const char *path = verd_http_path(x);
    size_t number = strtoul(path + 3, NULL, 10);
    (void)ctx;
    if (strncmp(path, "/chain/slow/", 12) == 0)
        return verd_event_wait(&chain_is_over, NULL) != 0 ? -1
                                                          : verd_http_reply(x, 200, NULL, "", 0);
    if (strncmp(path, "/chain/", 7) == 0)
        return answer_chain(x, strtoul(path + 7, NULL, 10));
    if (strcmp(path, "/old") == 0) {
        verd_http_add(x, "Location", "/p/");
        return verd_http_reply(x, 301, NULL, "", 0);
    }
    if (strncmp(path, "/p/", 3) != 0 || number >= PAGES) {
        strangers++;
        return verd_http_reply(x, 404, NULL, "", 0);
    }
    if (++in_flight > most_in_flight)
        most_in_flight = in_flight;
    asked[number]++;
    int size = snprintf(page, sizeof page,
                        "<a href='%s/p/'>first</a> <A HREF = \"#here\">here</A> <a href=%zu>bad</a>"
                        "<a href=\"http://127.0.0.1:1/\">away</a> <a href='/q'>up</a>"
                        "<a href='mailto:me'>me</a> <a href='../old'></a> <a href=\"",
                        origin, number);
    for (size_t i = number * LINKS + 1; i <= number * LINKS + LINKS && i < PAGES; i++)
        size += snprintf(page + size, sizeof page - (size_t)size, "%zu#x\">next</a><a href=\"", i);
    verd_sleep(5 * VERD_MS);
    in_flight--;
    return verd_http_reply(x, 200, "text/html", page, (size_t)size);
}

static void start(const char *path, const char *most)
{
    char url[128];
    const char *const arguments[] = {url, most, NULL};
    snprintf(url, sizeof url, "%s%s", origin, path);
    example_start("recursive_crawler", arguments);
}

static int count_lines(const char *expected)
{
    int count = 0;
    for (const char *line; (line = next_line(example.output)) != NULL; count++)
        CHECK(strncmp(line, expected, strlen(expected)) == 0);
    return count;
}

int main(void)
{
    int status, listener = verd_listen("127.0.0.1", 0, 0);
    snprintf(origin, sizeof origin, "http://127.0.0.1:%d", verd_port(listener));
    CHECK(verd_http_serve(listener, answer, NULL, NULL) != NULL);

    start("/p/", NULL);
    CHECK(count_lines("200 ") == PAGES);
    CHECK(example_exits(0, 0));
    for (int i = 0; i < PAGES; i++)
        CHECK(asked[i] == 1);
    CHECK(strangers == 0);
    CHECK(most_in_flight > 1 && most_in_flight <= 50);

    start("/p/", "30");
    CHECK(count_lines("200 ") == 30);
    CHECK(example_exits(0, 0));

    start("/chain/", "4000");
    while (next_line(example.output) != NULL)
        ;
    CHECK(chain_asked == CHAIN);
    CHECK(verd_process_wait(&example, &status) == 0);
    CHECK(WIFEXITED(status)); /* where all is slow, it has given up pages */

    verd_close(listener);
    snprintf(origin, sizeof origin, "http://127.0.0.1:%d", 1);
    start("/", NULL);
    CHECK(count_lines("  - ") == 1);
    CHECK(example_exits(1, 0));
    return 0;
}
