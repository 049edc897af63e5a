/* SPDX-License-Identifier: MIT */

/* The feed scraper: titles of all kinds of feeds, in the order of the list, as they come; feeds that fail
 * do so alone; one pool for all requests; and a page for browsers. */
#include "example.h"

#include <signal.h>

#define POOL 20 /* of the scraper */

static char origin[64], scraper[64];

#define ATOM "xmlns=\"http://www.w3.org/2005/Atom\""
#define RDF "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\""

/* Feeds, and their titles. */
static const char *const feeds[][2] = {
    {"<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel><title>Plain</title></channel></rss>",
     "Plain"},
    {"<!DOCTYPE rss [<!ENTITY x \"y\">]><rss version=\"0.91\"><channel>"
     "<image><title>no</title></image><title>After the image</title></channel></rss>",
     "After the image"},
    {"<rss version=\"0.92\"><channel><item><title>no</title></item><item/><link\n/>"
     "<title lang='>'>After an item</title></channel></rss>",
     "After an item"},
    {"<rdf:RDF " RDF " xmlns=\"http://purl.org/rss/1.0/\"><channel rdf:about=\"/>\">"
     "<title>One point nought</title></channel><item><title>no</title></item></rdf:RDF>",
     "One point nought"},
    {"<feed " ATOM "><entry><title>no</title><source><title>no</title></source></entry>"
     "<title type=\"text\">Atom</title></feed>",
     "Atom"},
    {"<atom:feed xmlns:atom=\"x\"><title>no</title><atom:title>With a "
     "prefix</atom:title></atom:feed>",
     "With a prefix"},
    {"<feed " ATOM "><title type=\"xhtml\"><div>Ma<b>rk</b>ed<br/> up</div></title></feed>",
     "Marked up"},
    {"<rss><channel><media:title>no</media:title><title>Not the media's</title></channel></rss>",
     "Not the media's"},
    {"<rss><channel><title><![CDATA[A & B <c> &amp;]]> d</title></channel></rss>",
     "A & B <c> &amp; d"},
    {"<rss><channel><title>&lt;&gt;&amp;&quot;&apos; &#65;&#x42;&#228;&#x20AC;&#x1F600; &amp;amp; "
     "&nbsp; & &#; &#x; &#xD800;</title></channel></rss>",
     "<>&\"' AB\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 &amp; &nbsp; & &#; &#x; \xef\xbf\xbd"},
    {"<rss><channel><title>\n  White\t\tspace \r\n is &#10;one\n</title></channel></rss>",
     "White space is one"},
    {"<rss><!-- <channel><title>no</title> --><channel><title>Not <!-- this -->that</title>",
     "Not that"},
    {"<rss><channel><title></title><title>no</title></channel></rss>", ""},
    {"<rss><channel><title/></channel></rss>", ""},
    {"<html><head><title>no</title></head></html>", ""},
    {"<rss><channel><title>Cut off", "Cut off"},
    {"<rss><channel><title>Cut off &#6", "Cut off &#6"},
    {"<rss><channel><title", ""},
    {"<rss><channel><title a='", ""},
    {"<![CDATA[", ""},
    {"<", ""},
    {"not a feed", ""},
    {"", ""},
};

#define FEEDS (sizeof feeds / sizeof *feeds)

static int in_flight, most_in_flight;
static verd_event gate = VERD_EVENT_INIT;

/* /N is feed N, the later the sooner; /gate one that stays away until the gate is open. */
static int answer(verd_http_exchange *x, void *ctx)
{
    const char *path = verd_http_path(x);
    size_t number = strtoul(path + 1, NULL, 10);
    (void)ctx;
    if (++in_flight > most_in_flight)
        most_in_flight = in_flight;
    if (strcmp(path, "/gate") == 0)
        verd_event_wait(&gate, NULL);
    else
        verd_sleep((verd_duration)(FEEDS - number) * VERD_MS);
    in_flight--;
    if (strcmp(path, "/404") == 0)
        return verd_http_reply(x, 404, NULL, feeds[0][0], strlen(feeds[0][0]));
    if (strcmp(path, "/cut") == 0) {
        verd_http_begin(x, 200, 1000);
        verd_http_write(x, feeds[0][0], strlen(feeds[0][0]));
        verd_http_flush(x);
        return -1;
    }
    number = number < FEEDS ? number : 0;
    return verd_http_reply(x, 200, "text/xml", feeds[number][0], strlen(feeds[number][0]));
}

static verd_http_response *post(const char *list)
{
    verd_http_request_options options = {.body = list, .size = strlen(list)};
    verd_http_response *response = verd_http_request("POST", scraper, &options);
    CHECK(response != NULL);
    CHECK(verd_http_response_status(response) == 200);
    return response;
}

/* Whether the answer to a list is this. */
static bool answers(const char *list, const char *expected)
{
    verd_http_response *response = post(list);
    const char *body = verd_http_response_body(response, 1 << 20, NULL);
    bool right = body != NULL && strcmp(body, expected) == 0;
    if (!right)
        printf("expected:\n%s\ngot:\n%s\n", expected, body != NULL ? body : "(nothing)");
    verd_http_response_free(response);
    return right;
}

static void all_titles(void)
{
    static char list[8192], expected[8192];
    size_t size = 0, length = 0;
    for (size_t i = 0; i < FEEDS; i++) {
        size += (size_t)snprintf(list + size, sizeof list - size, "%s/%zu\n", origin, i);
        length +=
            (size_t)snprintf(expected + length, sizeof expected - length, "%s\n", feeds[i][1]);
    }
    CHECK(answers(list, expected));
}

static void failures(void)
{
    char list[512];
    snprintf(list, sizeof list,
             "%s/0\r\n%s/404\r\n\r\n  nonsense\n%s/cut\nhttp://127.0.0.1:1/\n\t%s/3", origin,
             origin, origin, origin);
    CHECK(answers(list, "Plain\n\n\n\n\nOne point nought\n"));
    CHECK(answers("", ""));
    CHECK(answers("\n\r\n \n", ""));
    snprintf(list, sizeof list, "urls=%s/4\r\n%s/0\r\n", origin, origin); /* a browser's form */
    CHECK(answers(list, "Atom\nPlain\n"));
}

/* The first titles are there while the last feed is not. */
static void titles_as_they_come(void)
{
    char list[256], text[64];
    snprintf(list, sizeof list, "%s/0\n%s/3\n%s/gate\n", origin, origin, origin);
    verd_http_response *response = post(list);
    size_t size = 0;
    while (size < strlen("Plain\nOne point nought\n")) {
        ssize_t got = verd_http_response_read(response, text + size, sizeof text - 1 - size);
        CHECK(got > 0);
        size += (size_t)got;
    }
    text[size] = '\0';
    CHECK(strcmp(text, "Plain\nOne point nought\n") == 0);
    verd_event_set(&gate, NULL);
    CHECK(verd_http_response_read(response, text, sizeof text) == 6);
    CHECK(verd_http_response_read(response, text, sizeof text) == 0);
    verd_http_response_free(response);
    verd_event_reset(&gate);
}

static void *ask_for_many(void *arg)
{
    static char list[8192], expected[2048];
    size_t size = 0, length = 0;
    (void)arg;
    for (size_t i = 0; i < 50; i++) {
        size += (size_t)snprintf(list + size, sizeof list - size, "%s/0\n", origin);
        length += (size_t)snprintf(expected + length, sizeof expected - length, "Plain\n");
    }
    CHECK(answers(list, expected));
    return NULL;
}

static void one_pool_for_all(void)
{
    verd_thread *threads[3];
    most_in_flight = 0;
    for (size_t i = 0; i < 3; i++)
        threads[i] = verd_spawn(ask_for_many, NULL);
    for (size_t i = 0; i < 3; i++)
        verd_join(threads[i], NULL);
    CHECK(most_in_flight > 1 && most_in_flight <= POOL);
}

/* Who leaves before the answer is complete does no harm. */
static void client_that_leaves(void)
{
    char list[256];
    snprintf(list, sizeof list, "%s/0\n%s/gate\n%s/1\n", origin, origin, origin);
    verd_http_response_free(post(list));
    verd_event_set(&gate, NULL);
    CHECK(answers("nonsense\n", "\n"));
}

static void page(void)
{
    verd_http_response *response = verd_http_get(scraper, NULL);
    CHECK(response != NULL && verd_http_response_status(response) == 200);
    CHECK(strcmp(verd_http_response_header(response, "Content-Type"), "text/html; charset=utf-8") ==
          0);
    const char *body = verd_http_response_body(response, 1 << 20, NULL);
    CHECK(body != NULL && strstr(body, "<form method=post") != NULL);
    CHECK(strstr(body, "\nhttp://a/?b=c&amp;d=&lt;e>\nhttp://f/\n</textarea>") != NULL);
    verd_http_response_free(response);
    response = verd_http_request("DELETE", scraper, NULL);
    CHECK(response != NULL && verd_http_response_status(response) == 405);
    verd_http_response_free(response);
}

int main(void)
{
    static const char *const arguments[] = {"0", "http://a/?b=c&d=<e>", "http://f/", NULL};
    int listener = verd_listen("127.0.0.1", 0, 0), port = 0;
    const char *line;
    snprintf(origin, sizeof origin, "http://127.0.0.1:%d", verd_port(listener));
    CHECK(verd_http_serve(listener, answer, NULL, NULL) != NULL);
    example_start("feed_scraper", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "feed_scraper: listening on port %d", &port) == 1);
    snprintf(scraper, sizeof scraper, "http://127.0.0.1:%d/", port);

    all_titles();
    failures();
    titles_as_they_come();
    one_pool_for_all();
    client_that_leaves();
    page();
    CHECK(example_exits(0, SIGTERM));
    return 0;
}
