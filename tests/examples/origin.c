/* SPDX-License-Identifier: MIT */

/* A website to try clients on: whatever it is asked for takes 50 ms, and it counts how much is asked
 * of it at the same time.
 *
 *     origin [PORT]              8000 unless given; 0 lets the system choose
 *
 *     /page/NUMBER   a page of 2 KiB; numbers have up to nine digits
 *     /feed/NUMBER   a feed, one after the other RSS 2.0, RSS 1.0 and Atom
 *     /feeds         URLs of 50 feeds, one a line
 *     /most          so many pages and feeds were asked for at a time, since the last look
 */
#include <verd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT 8000
#define LATENCY (50 * VERD_MS)
#define PAGE_SIZE 2048
#define FEEDS 50
#define CLIENTS 10000

static long in_flight, most_in_flight;

static int reply_page(verd_http_exchange *x, long number)
{
    static char page[PAGE_SIZE + 1];
    int size = snprintf(page, sizeof page, "<title>Page %ld</title>\n", number);
    memset(page + size, '.', sizeof page - 1 - (size_t)size);
    return verd_http_reply(x, 200, "text/html", page, PAGE_SIZE);
}

static int reply_feed(verd_http_exchange *x, long number)
{
    static const char *const kinds[][2] = {
        {"<rss version=\"2.0\"><channel><image><title>no</title></image><title>",
         "&#8212; RSS 2.0</title><item><title>no</title></item></channel></rss>"},
        {"<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><channel>"
         "<title><![CDATA[",
         "& RSS 1.0]]></title></channel></rdf:RDF>"},
        {"<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>no</title></entry><title>",
         "&lt;Atom&gt;</title></feed>"},
    };
    char feed[512];
    const char *const *kind = kinds[number % 3];
    int size = snprintf(feed, sizeof feed, "%sFeed %ld %s", kind[0], number, kind[1]);
    return verd_http_reply(x, 200, "application/xml", feed, (size_t)size);
}

static int reply_feeds(verd_http_exchange *x)
{
    char list[8192];
    int size = 0;
    for (int i = 0; i < FEEDS; i++)
        size += snprintf(list + size, sizeof list - (size_t)size, "http://%.100s/feed/%d\n",
                         verd_http_host(x), i);
    return verd_http_reply(x, 200, "text/plain", list, (size_t)size);
}

static int reply_most(verd_http_exchange *x)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", most_in_flight);
    most_in_flight = in_flight;
    return verd_http_reply(x, 200, "text/plain", text, (size_t)size);
}

static int reply_late(verd_http_exchange *x, int (*reply)(verd_http_exchange *, long), long number)
{
    if (++in_flight > most_in_flight)
        most_in_flight = in_flight;
    int result = verd_sleep(LATENCY);
    in_flight--;
    return result == 0 ? reply(x, number) : -1;
}

/* What clients send is whatever they like: -1 unless it is digits and fits. */
static long number_of(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 9 && text[digits] == '\0' ? atol(text) : -1;
}

static int answer(verd_http_exchange *x, void *ctx)
{
    const char *path = verd_http_path(x);
    bool page = strncmp(path, "/page/", 6) == 0, feed = strncmp(path, "/feed/", 6) == 0;
    long number = page || feed ? number_of(path + 6) : -1;
    (void)ctx;
    if (number >= 0)
        return reply_late(x, page ? reply_page : reply_feed, number);
    if (strcmp(path, "/feeds") == 0)
        return reply_feeds(x);
    if (strcmp(path, "/most") == 0)
        return reply_most(x);
    return verd_http_reply(x, 404, "text/plain", "Not here\n", 9);
}

int main(int argc, char **argv)
{
    int listener = verd_listen("127.0.0.1", argc > 1 ? atoi(argv[1]) : PORT, 0);
    verd_http_options options = {.connections = CLIENTS};
    verd_http_server *server =
        listener >= 0 ? verd_http_serve(listener, answer, NULL, &options) : NULL;
    if (server == NULL) {
        perror("origin");
        return EXIT_FAILURE;
    }
    printf("origin: listening on port %d\n", verd_port(listener));
    fflush(stdout);
    return verd_http_wait(server);
}
