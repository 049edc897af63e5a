/* SPDX-License-Identifier: MIT */

/* The dispatch pattern, a server that is a client of others: it is sent a list of feeds (RSS, Atom),
 * one URL a line, fetches them at the same time, and answers with their titles, in the order of the
 * list, each as soon as it is there. One pool bounds how many it fetches at once for all who ask.
 *
 *     feed_scraper [PORT [URL...]]     9010 unless given; 0 lets the system choose
 *
 * To try it, open http://127.0.0.1:9010/ (the URLs are for its form), or:
 *
 *     echo http://planet.debian.org/rss20.xml | curl --data-binary @- http://127.0.0.1:9010/
 *
 * Instead of a title that cannot be had comes a comment, "# URL: reason"; a title that begins with a '#'
 * has a space before it. It fetches whatever it is told to, so it listens to this machine alone, and
 * answers no page but its own.
 */
#include <verd.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed_scraper/page.h"
#include "feed_scraper/title.h"
#include "own_page.h"

#define PORT 9010
#define CONCURRENCY 20
#define PATIENCE (10 * VERD_SEC) /* with each feed */
#define LOOK VERD_SEC            /* so often, whether the client is still there */
#define LIST_SIZE (1 << 20)
#define FEED_SIZE ((size_t)4 << 20)

static verd_pool *pool; /* of all requests */

/* A line of a list. */
struct feed {
    const char *url;
    char *title;          /* allocated; "": it has none */
    int status;           /* of the response; 0: there was none */
    int error;            /* errno of what failed; 0: nothing */
    verd_group *fetching; /* counts who uses the feeds of the list */
};

struct list {
    char *rest; /* of the text that is not taken yet */
    struct feed *feeds;
    size_t taken;
    verd_group fetching;
};

/* ---- a feed ---- */

static int read_title(struct feed *feed)
{
    size_t size;
    verd_http_response *response = verd_http_get(feed->url, NULL);
    if (response == NULL)
        return -1;
    feed->status = verd_http_response_status(response);
    const char *text = verd_http_response_body(response, FEED_SIZE, &size);
    if (text != NULL)
        feed->title = feed_title(text, size);
    int error = errno;
    verd_http_response_free(response);
    errno = error;
    return feed->title != NULL ? 0 : -1;
}

static void *fetch(void *arg)
{
    struct feed *feed = arg;
    VERD_WITHIN(limit, PATIENCE);
    verd_group_add(feed->fetching, 1);
    feed->error = read_title(feed) == 0 ? 0 : errno;
    verd_group_done(feed->fetching);
    return feed;
}

static int write_line(verd_http_exchange *x, const struct feed *feed)
{
    char line[256];
    const char *text = line;
    if (feed->error != 0)
        snprintf(line, sizeof line, "# %.100s: %s", feed->url, strerror(feed->error));
    else if (feed->status != 200)
        snprintf(line, sizeof line, "# %.100s: status %d", feed->url, feed->status);
    else if (*feed->title == '\0')
        snprintf(line, sizeof line, "# %.100s: no feed, or one without a title", feed->url);
    else
        text = feed->title;
    if (text != line && *text == '#' && verd_http_write(x, " ", 1) != 0)
        return -1;
    if (verd_http_write(x, text, strlen(text)) != 0 || verd_http_write(x, "\n", 1) != 0)
        return -1;
    return verd_http_flush(x);
}

/* ---- a list ---- */

/* Takes the next line. A browser's form says what the lines are: "urls=". */
static int next_feed(void *arg, void **item)
{
    struct list *list = arg;
    struct feed *feed = &list->feeds[list->taken];
    if (list->taken == 0 && strncmp(list->rest, "urls=", 5) == 0)
        list->rest += 5;
    feed->url = strtok_r(list->rest, " \t\r\n", &list->rest);
    feed->fetching = &list->fetching;
    list->taken++;
    *item = feed;
    return feed->url != NULL;
}

/* As verd_imap_next, but fails, too, when the client has left. */
static int wait_for_next(verd_http_exchange *x, verd_imap *feeds, void **feed)
{
    verd_timeout look;
    int result, error;
    do {
        verd_timeout_begin(&look, LOOK);
        result = verd_imap_next(feeds, feed);
        error = errno;
    } while (verd_timeout_end(&look) && result < 0 && error == ETIMEDOUT &&
             verd_http_gone(x, 0) != 1);
    errno = error;
    return result;
}

static int write_titles(verd_http_exchange *x, verd_imap *feeds)
{
    void *item;
    int result = verd_http_flush(x), next = 0;
    while (result == 0 && (next = wait_for_next(x, feeds, &item)) == 1) {
        struct feed *feed = item;
        result = write_line(x, feed);
        free(feed->title);
        feed->title = NULL;
    }
    return result == 0 ? next : -1;
}

/* If the client has left, or this thread is to end, what is being fetched ends, too; it uses `list`
 * until then. */
static void forget(struct list *list, verd_imap *feeds)
{
    verd_imap_free(feeds);
    verd_shield_begin();
    verd_group_wait(&list->fetching);
    verd_shield_end();
    for (size_t i = 0; i < list->taken; i++)
        free(list->feeds[i].title);
    free(list->feeds);
}

static int scrape(verd_http_exchange *x)
{
    static const char nul[] = "The list has a byte that is zero: it is no text\n";
    size_t size;
    struct list list = {.fetching = VERD_GROUP_INIT};
    int result = -1;
    list.rest = verd_http_body(x, LIST_SIZE, &size);
    if (list.rest == NULL)
        return -1;
    if (strlen(list.rest) != size)
        return verd_http_reply(x, 400, "text/plain", nul, sizeof nul - 1);
    list.feeds = calloc(size / 2 + 2, sizeof *list.feeds); /* a URL and its line's end, at least */
    verd_imap *feeds = list.feeds != NULL ? verd_pool_imap(pool, fetch, next_feed, &list) : NULL;
    if (feeds != NULL && verd_http_add(x, "Content-Type", "text/plain; charset=utf-8") == 0 &&
        verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0)
        result = write_titles(x, feeds);
    forget(&list, feeds);
    return result;
}

/* ---- a request ---- */

/* ctx: the URLs for the form. */
static int answer(verd_http_exchange *x, void *ctx)
{
    const char *method = verd_http_method(x);
    if (!is_of_own_page(x))
        return refuse_foreign_page(x);
    if (strcmp(verd_http_path(x), "/") != 0)
        return verd_http_reply(x, 404, "text/plain", "There is only /\n", 16);
    if (strcmp(method, "POST") == 0)
        return scrape(x);
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return reply_page(x, ctx);
    verd_http_add(x, "Allow", "GET, HEAD, POST");
    return verd_http_reply(x, 405, "text/plain", "GET or POST, please\n", 20);
}

/* ---- the server ---- */

int main(int argc, char **argv)
{
    sigset_t terminate;
    char **urls = argv + (argc > 1 ? 2 : 1);
    pool = verd_pool_new(CONCURRENCY);
    int listener = verd_listen("127.0.0.1", argc > 1 ? atoi(argv[1]) : PORT, 0);
    verd_http_server *server = listener >= 0 ? verd_http_serve(listener, answer, urls, NULL) : NULL;
    if (server == NULL || pool == NULL) {
        perror("feed_scraper");
        return EXIT_FAILURE;
    }
    printf("feed_scraper: listening on port %d\n", verd_port(listener));
    fflush(stdout);

    sigemptyset(&terminate);
    sigaddset(&terminate, SIGINT);
    sigaddset(&terminate, SIGTERM);
    verd_signal_wait(&terminate, NULL);
    verd_http_stop(server, PATIENCE);
    return EXIT_SUCCESS;
}
