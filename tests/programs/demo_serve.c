/* SPDX-License-Identifier: MIT */

/* What `make demo-serve` leaves running: a page with a form, and titles for the feeds that are in it. */
#include "example.h"

#include <signal.h>

#define FEEDS 50

static char url[64];

/* A page's body, allocated. */
static char *body_of(verd_http_response *response)
{
    CHECK(response != NULL && verd_http_response_status(response) == 200);
    char *body = verd_http_response_body(response, 1 << 20, NULL);
    CHECK(body != NULL);
    body = strdup(body);
    verd_http_response_free(response);
    return body;
}

/* What is in the form. */
static char *read_form(void)
{
    char *page = body_of(verd_http_get(url, NULL));
    char *list = strstr(page, "<textarea");
    CHECK(list != NULL && (list = strchr(list, '>')) != NULL);
    char *end = strstr(list, "</textarea>");
    CHECK(end != NULL);
    *end = '\0';
    list = strdup(list + 1);
    free(page);
    return list;
}

static size_t count_lines(const char *text, const char *beginning)
{
    size_t count = 0;
    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n')
        count += strncmp(text, beginning, strlen(beginning)) == 0;
    return count;
}

/* On a port that someone else has, it says why it cannot, and ends; so does what it has started. */
static void taken_port(void)
{
    char port[16];
    int listener = verd_listen("127.0.0.1", 0, 0);
    snprintf(port, sizeof port, "%d", verd_port(listener));
    const char *const arguments[] = {"--serve", port, NULL};
    example_start("demo", arguments);
    CHECK(at_end(example.output));
    CHECK(example_exits(EXIT_FAILURE, 0));
    verd_close(listener);
}

int main(void)
{
    static const char *const arguments[] = {"--serve", "0", NULL};
    const char *line;
    taken_port();
    example_start("demo", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "The feed scraper is at %63s ", url) == 1);

    char *list = read_form();
    CHECK(count_lines(list, "http://127.0.0.1:") == FEEDS);
    verd_http_request_options options = {.body = list, .size = strlen(list)};
    char *titles = body_of(verd_http_request("POST", url, &options));
    CHECK(count_lines(titles, "Feed ") == FEEDS);
    free(titles);
    free(list);

    CHECK(example_exits(0, SIGTERM));
    CHECK(verd_http_get(url, NULL) == NULL && errno == ECONNREFUSED);
    return 0;
}
