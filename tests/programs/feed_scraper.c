/* SPDX-License-Identifier: MIT */

/* The feed scraper: titles of all kinds of feeds, in the order of the list, as they come; feeds that fail
 * do so alone, and say why; one pool for all requests; nothing for clients that left and for other pages; and
 * a page for browsers. */
#include "example.h"

#include <signal.h>

#define POOL 20 /* of the scraper */

static char origin[64], scraper[64];

#define ATOM "xmlns=\"http://www.w3.org/2005/Atom\""
#define RDF "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\""

/* Feeds, and what is answered; NULL: that there is no title. */
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
    {"<rss><channel><title></title><title>no</title></channel></rss>", NULL},
    {"<rss><channel><title/></channel></rss>", NULL},
    {"<html><head><title>no</title></head></html>", NULL},
    {"<rss><channel><title># no comment</title>", " # no comment"},
    {"<rss><channel><title>Cut off", "Cut off"},
    {"<rss><channel><title>Cut off &#6", "Cut off &#6"},
    {"<rss><channel><title", NULL},
    {"<rss><channel><title a='", NULL},
    {"<![CDATA[", NULL},
    {"<", NULL},
    {"not a feed", NULL},
    {"", NULL},
};

#define FEEDS (sizeof feeds / sizeof *feeds)

static int in_flight, most_in_flight, gates_asked;
static verd_event gate = VERD_EVENT_INIT;

/* /N is feed N, the later the sooner; /gate one that stays away until the gate is open. */
static int answer(verd_http_exchange *x, void *ctx)
{
    const char *path = verd_http_path(x);
    size_t number = strtoul(path + 1, NULL, 10);
    (void)ctx;
    if (++in_flight > most_in_flight)
        most_in_flight = in_flight;
    if (strcmp(path, "/gate") == 0) {
        gates_asked++;
        verd_event_wait(&gate, NULL);
    } else {
        verd_sleep((verd_duration)(FEEDS - number) * VERD_MS);
    }
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
        if (feeds[i][1] != NULL)
            length +=
                (size_t)snprintf(expected + length, sizeof expected - length, "%s\n", feeds[i][1]);
        else
            length += (size_t)snprintf(expected + length, sizeof expected - length,
                                       "# %s/%zu: no feed, or one without a title\n", origin, i);
    }
    CHECK(answers(list, expected));
}

static void failures(void)
{
    char list[512], expected[1024];
    snprintf(list, sizeof list,
             "%s/0\r\n%s/404\r\n\r\n  nonsense\n%s/cut\nhttp://127.0.0.1:1/\n\t%s/3", origin,
             origin, origin, origin);
    snprintf(expected, sizeof expected,
             "Plain\n# %s/404: status 404\n# nonsense: %s\n# %s/cut: %s\n"
             "# http://127.0.0.1:1/: %s\nOne point nought\n",
             origin, strerror(EINVAL), origin, strerror(ECONNRESET), strerror(ECONNREFUSED));
    CHECK(answers(list, expected));
    CHECK(answers("", ""));
    CHECK(answers("\n\r\n \n", ""));
    snprintf(list, sizeof list, "urls=%s/4\r\n%s/0\r\n", origin, origin); /* a browser's form */
    CHECK(answers(list, "Atom\nPlain\n"));
}

/* The status of a request with these fields. */
static int status_of(const char *method, const char *body, size_t size, const char *host,
                     const char *from)
{
    const verd_http_field fields[] = {{"Host", host}, {"Origin", from}};
    verd_http_request_options options = {
        .body = body, .size = size, .fields = fields, .field_count = from != NULL ? 2 : 1};
    verd_http_response *response = verd_http_request(method, scraper, &options);
    CHECK(response != NULL);
    int status = verd_http_response_status(response);
    verd_http_response_free(response);
    return status;
}

/* A list of which the end would be lost is none. */
static void lists_with_zeros(void)
{
    CHECK(status_of("POST", "a\0b", 3, "localhost", NULL) == 400);
    CHECK(status_of("POST", "\0", 1, "localhost", NULL) == 400);
    CHECK(status_of("POST", "a\n\0", 3, "localhost", NULL) == 400);
}

/* What a page of somebody else's can have a browser send, by whatever name it reaches this. */
static void other_pages(void)
{
    static const char *const hosts[] = {"",          "evil.example:9010", "127.0.0.1.evil.example",
                                        "localhos",  "localhost.example", "127.0.0.2",
                                        "[::1]:9010"};
    static const char *const origins[] = {"null",
                                          "",
                                          "http://evil.example",
                                          "https://localhost:9010",
                                          "http://localhost:8000",
                                          "http://localhost",
                                          "http://localhost:9010.example",
                                          "file://"};
    CHECK(status_of("GET", NULL, 0, "localhost:9010", NULL) == 200);
    CHECK(status_of("POST", "", 0, "LOCALHOST:9010", "http://localhost:9010") == 200);
    CHECK(status_of("POST", "", 0, "127.0.0.1", "http://127.0.0.1") == 200);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        CHECK(status_of("GET", NULL, 0, hosts[i], NULL) == 403);
        CHECK(status_of("POST", "", 0, hosts[i], NULL) == 403);
    }
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        CHECK(status_of("POST", "", 0, "localhost:9010", origins[i]) == 403);
}

/* A list of feeds, and then so many that stay away. */
static verd_http_response *post_gates(const char *beginning, int count)
{
    static char list[16384];
    int size = snprintf(list, sizeof list, "%s", beginning);
    for (int i = 0; i < count; i++)
        size += snprintf(list + size, sizeof list - (size_t)size, "%s/gate\n", origin);
    return post(list);
}

/* The first titles are there while others are not, and most are not even asked for. */
static void titles_as_they_come(void)
{
    char list[256], text[64];
    snprintf(list, sizeof list, "%s/0\n%s/3\n", origin, origin);
    gates_asked = 0;
    verd_http_response *response = post_gates(list, 10 * POOL);
    size_t size = 0;
    while (size < strlen("Plain\nOne point nought\n")) {
        ssize_t got = verd_http_response_read(response, text + size, sizeof text - 1 - size);
        CHECK(got > 0);
        size += (size_t)got;
    }
    text[size] = '\0';
    CHECK(strcmp(text, "Plain\nOne point nought\n") == 0);
    CHECK(gates_asked < 5 * POOL);
    verd_event_set(&gate, NULL);
    CHECK(verd_http_response_body(response, 1 << 20, NULL) != NULL);
    CHECK(gates_asked == 10 * POOL);
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

/* For who leaves before the answer is complete, nothing more is fetched, and what is being fetched is given
 * up: else the next client would wait until each of those feeds had been given its time. */
static void client_that_leaves(void)
{
    char expected[64];
    gates_asked = 0;
    verd_http_response_free(post_gates("", 10 * POOL));
    snprintf(expected, sizeof expected, "# nonsense: %s\n", strerror(EINVAL));
    CHECK(answers("nonsense\n", expected));
    CHECK(gates_asked < 5 * POOL);
    verd_event_set(&gate, NULL);
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
    lists_with_zeros();
    other_pages();
    titles_as_they_come();
    one_pool_for_all();
    client_that_leaves();
    page();
    CHECK(example_exits(0, SIGTERM));
    return 0;
}
