/* SPDX-License-Identifier: MIT */

/* The origin: its pages and feeds, by numbers that clients make up. */
#include "example.h"

#include <limits.h>
#include <signal.h>

static int port;

/* The status of a path, and whether its body contains a text. */
static int status_of(const char *path, const char *contained)
{
    char url[512];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    verd_http_response *response = verd_http_get(url, NULL);
    CHECK(response != NULL);
    int status = verd_http_response_status(response);
    const char *body = verd_http_response_body(response, 1 << 20, NULL);
    CHECK(body != NULL && strstr(body, contained) != NULL);
    verd_http_response_free(response);
    return status;
}

static void good_numbers(void)
{
    char list[64];
    CHECK(status_of("/page/0", "Page 0<") == 200);
    CHECK(status_of("/page/999999999", "Page 999999999<") == 200);
    CHECK(status_of("/feed/0", "Feed 0 ") == 200);
    CHECK(status_of("/feed/000000007", "Feed 7 ") == 200);
    CHECK(status_of("/feed/999999998", "Feed 999999998 ") == 200);
    snprintf(list, sizeof list, "http://127.0.0.1:%d/feed/49\n", port);
    CHECK(status_of("/feeds", list) == 200);
    CHECK(status_of("/most", "1\n") == 200);
}

/* Around the ends of each type, and what is no number. */
static void bad_numbers(void)
{
    static const char *const kinds[] = {"/page/", "/feed/"};
    static const char *const words[] = {"",     "x",   "1x",  "+1", "-0", "%31",
                                        "0x10", "1e3", "--1", ".",  "1/", "1000000000"};
    static const long long ends[] = {
        -1, -2, -3, INT_MIN, (long long)INT_MIN - 1, LLONG_MIN, (long long)UINT_MAX + 1, LLONG_MAX};
    char path[64];
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            snprintf(path, sizeof path, "%s%s", kinds[kind], words[i]);
            CHECK(status_of(path, "Not here") == 404);
        }
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            snprintf(path, sizeof path, "%s%lld", kinds[kind], ends[i]);
            CHECK(status_of(path, "Not here") == 404);
        }
        snprintf(path, sizeof path, "%s%s", kinds[kind], "99999999999999999999999999");
        CHECK(status_of(path, "Not here") == 404);
    }
}

int main(void)
{
    static const char *const arguments[] = {"0", NULL};
    const char *line;
    example_start("origin", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "origin: listening on port %d", &port) == 1);
    good_numbers();
    bad_numbers();
    CHECK(status_of("/", "Not here") == 404);
    verd_process_kill(&example, SIGTERM);
    CHECK(verd_process_wait(&example, NULL) == 0);
    return 0;
}
