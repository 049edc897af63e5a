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
 * A feed that cannot be had is an empty line. It fetches whatever it is told to, so it listens to
 * this machine alone.
 */
#include <verd.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed_scraper/page.h"
#include "feed_scraper/title.h"

#define PORT 9010
#define CONCURRENCY 20
#define PATIENCE (10 * VERD_SEC) /* with each feed */
#define LIST_SIZE (1 << 20)
#define FEED_SIZE ((size_t)4 << 20)

static verd_pool *pool; /* of all requests */

/* ---- a feed ---- */

/* The title, allocated: "" unless all goes well. Takes the URL over. */
static void *fetch_title(void *url)
{
    verd_timeout limit;
    size_t size;
    char *title = NULL;
    verd_timeout_begin(&limit, PATIENCE);
    verd_http_response *response = verd_http_get(url, NULL);
    if (response != NULL && verd_http_response_status(response) == 200) {
        const char *text = verd_http_response_body(response, FEED_SIZE, &size);
        if (text != NULL)
            title = feed_title(text, size);
    }
    verd_http_response_free(response);
    verd_timeout_end(&limit);
    free(url);
    return title != NULL ? title : calloc(1, 1);
}

/* ---- a request ---- */

/* Spawns a job for each line. A browser's form says what the lines are: "urls=". */
static int spawn_jobs(verd_pile *pile, char *list)
{
    char *rest = NULL;
    if (strncmp(list, "urls=", 5) == 0)
        list += 5;
    for (char *url = strtok_r(list, " \t\r\n", &rest); url != NULL;
         url = strtok_r(NULL, " \t\r\n", &rest)) {
        char *copy = strdup(url); /* the list does not outlive the request, but the job may */
        if (copy == NULL || verd_pile_spawn(pile, fetch_title, copy) != 0) {
            free(copy);
            return -1;
        }
    }
    return 0;
}

static int write_titles(verd_http_exchange *x, verd_pile *pile)
{
    void *title;
    int result = 0, next = 0;
    while (result == 0 && (next = verd_pile_next(pile, &title)) == 1) {
        char *line = title;
        result = verd_http_write(x, line, strlen(line)) + verd_http_write(x, "\n", 1) +
                 verd_http_flush(x);
        free(title);
    }
    return result == 0 ? next : -1;
}

/* If the client has gone, or this thread is to end, the titles that still come are nobody's. */
static void forget_titles(verd_pile *pile)
{
    void *title;
    verd_shield_begin();
    while (verd_pile_next(pile, &title) == 1)
        free(title);
    verd_shield_end();
}

static int scrape(verd_http_exchange *x)
{
    char *list = verd_http_body(x, LIST_SIZE, NULL);
    verd_pile *pile = list != NULL ? verd_pile_new(pool) : NULL;
    int result = -1;
    if (pile != NULL && spawn_jobs(pile, list) == 0 &&
        verd_http_add(x, "Content-Type", "text/plain; charset=utf-8") == 0 &&
        verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0)
        result = write_titles(x, pile);
    if (pile != NULL)
        forget_titles(pile);
    verd_pile_free(pile);
    return result;
}

/* ctx: the URLs for the form. */
static int answer(verd_http_exchange *x, void *ctx)
{
    const char *method = verd_http_method(x);
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
