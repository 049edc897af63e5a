/* SPDX-License-Identifier: MIT */

/* The titles of feeds (RSS, Atom), fetched by libcurl and read by expat as they come, each in a green thread. */
#include "world.h"

#include <curl/curl.h>
#include <expat.h>

struct feed {
    char url[256];
    char title[128];
    size_t length;
    int depth, channel_at, title_at; /* 0: not within it */
    XML_Parser parser;
};

/* ---- expat ---- */

/* The title is directly in the channel, or in the feed itself. */
static void begin_element(void *arg, const char *element, const char **attributes)
{
    struct feed *feed = arg;
    (void)attributes;
    feed->depth++;
    if (strcmp(element, "channel") == 0 || strcmp(element, "feed") == 0)
        feed->channel_at = feed->depth;
    else if (strcmp(element, "title") == 0 && feed->depth == feed->channel_at + 1)
        feed->title_at = feed->depth;
}

static void end_element(void *arg, const char *element)
{
    struct feed *feed = arg;
    (void)element;
    if (feed->title_at == feed->depth--)
        feed->title_at = 0;
}

static void take_text(void *arg, const char *text, int size)
{
    struct feed *feed = arg;
    for (int i = 0; i < size && feed->title_at != 0 && feed->length < sizeof feed->title - 1; i++)
        feed->title[feed->length++] = text[i];
}

/* ---- libcurl ---- */

static size_t parse(char *bytes, size_t size, size_t count, void *arg)
{
    struct feed *feed = arg;
    enum XML_Status status = XML_Parse(feed->parser, bytes, (int)(size * count), 0);
    return status == XML_STATUS_OK ? size * count : 0;
}

static void *fetch(void *arg)
{
    struct feed *feed = arg;
    CURL *easy = curl_easy_init();
    const char *url = feed->url;
    feed->parser = XML_ParserCreate(NULL);
    CHECK(easy != NULL && feed->parser != NULL);
    XML_SetUserData(feed->parser, feed);
    XML_SetElementHandler(feed->parser, begin_element, end_element);
    XML_SetCharacterDataHandler(feed->parser, take_text);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, parse);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, feed);
    CURLcode result = curl_easy_perform(easy);
    CHECK_SAYING(result == CURLE_OK, curl_easy_strerror(result));
    CHECK(XML_Parse(feed->parser, "", 0, 1) == XML_STATUS_OK);
    XML_ParserFree(feed->parser);
    curl_easy_cleanup(easy);
    return feed;
}

struct list {
    const char *base;
    int next, count;
};

static int next_feed(void *arg, void **item)
{
    struct list *list = arg;
    if (list->next++ == list->count)
        return 0;
    struct feed *feed = calloc(1, sizeof *feed);
    CHECK(feed != NULL);
    snprintf(feed->url, sizeof feed->url, "%s%d", list->base, list->next);
    *item = feed;
    return 1;
}

/* feed_titles URL COUNT: those of URL1, URL2, ... in that order */
int main(int argc, char **argv)
{
    void *feed;
    world_begin();
    CHECK(argc == 3);
    struct list list = {.base = argv[1], .count = atoi(argv[2])};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    verd_pool *pool = verd_pool_new((size_t)list.count);
    verd_imap *feeds = verd_pool_imap(pool, fetch, next_feed, &list);
    while (verd_imap_next(feeds, &feed) == 1) {
        puts(((struct feed *)feed)->title);
        free(feed);
    }
    verd_imap_free(feeds);
    verd_pool_free(pool);
    curl_global_cleanup();
    return 0;
}
