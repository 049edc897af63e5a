/* SPDX-License-Identifier: MIT */

/* Jobs that find jobs: follows all links of a page that stay below it, and those of the pages found
 * there. What is found goes into a queue, and a pool of workers takes from it; the queue knows when
 * all that was put in is done. A member that spawned into its own full pool would have to do that job
 * itself, in place, and the next one in that, as deep as the pages link.
 *
 *     recursive_crawler URL [PAGES]     at most 1000 pages unless given
 *
 * Prints status, size and URL of each page when it has come. For example:
 *
 *     python3 -m http.server --directory /usr/share/doc 8000 &
 *     recursive_crawler http://127.0.0.1:8000/
 */
#include <verd.h>

#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONCURRENCY 50
#define PATIENCE (30 * VERD_SEC) /* with each page */
#define PAGE_SIZE ((size_t)4 << 20)
#define PAGES 1000

static verd_queue *found_urls; /* to be visited; the tree owns them */
static const char *root;       /* links that do not begin with it are left alone */
static void *seen; /* a tree of the URLs that have been put there, as tsearch(3) has it */
static size_t found, most = PAGES;
static size_t came, failed;

static int compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* Has a page visited, unless it is elsewhere or has been seen. Takes the URL over. */
static void follow(char *url)
{
    if (strncmp(url, root, strlen(root)) != 0 || found == most ||
        tfind(url, &seen, compare) != NULL) {
        free(url);
    } else if (tsearch(url, &seen, compare) == NULL) {
        perror(url);
        failed++;
        free(url);
    } else if (verd_queue_put(found_urls, url) != 0) {
        perror(url);
        failed++;
    } else {
        found++;
    }
}

/* The value of the next href in double or single quotes, at *html; NULL: there is none. */
static char *next_link(char **html)
{
    for (char *c = *html; (c = strcasestr(c, "href")) != NULL;) {
        for (c += strlen("href"); isspace((unsigned char)*c) || *c == '='; c++)
            ;
        if (*c != '"' && *c != '\'')
            continue;
        char *link = c + 1, *end = strchr(link, *c);
        if (end == NULL)
            return NULL;
        *end = '\0';
        *html = end + 1;
        return link;
    }
    return NULL;
}

/* Relative links are relative to where the page has come from in the end. */
static void follow_links(const char *base, char *html)
{
    char *link, *url;
    while ((link = next_link(&html)) != NULL) {
        if ((url = verd_http_join(base, link)) != NULL)
            follow(url);
    }
}

struct page {
    int status;
    size_t size;
    char *text, *from; /* allocated; from: its URL, after redirects */
};

/* 0, or -1 and errno; what is allocated is to be freed in either case. */
static int fetch(const char *url, struct page *page)
{
    const char *text = NULL;
    VERD_WITHIN(limit, PATIENCE);
    verd_http_response *response = verd_http_get(url, NULL);
    if (response != NULL)
        text = verd_http_response_body(response, PAGE_SIZE, &page->size);
    if (text != NULL) {
        page->status = verd_http_response_status(response);
        page->text = strdup(text);
        page->from = strdup(verd_http_response_url(response));
    }
    int error = errno;
    verd_http_response_free(response);
    errno = error;
    return page->text != NULL && page->from != NULL ? 0 : -1;
}

static void visit(const char *url)
{
    struct page page = {0};
    if (fetch(url, &page) != 0) {
        printf("  - %8s  %s (%s)\n", "-", url, strerror(errno));
        failed++;
    } else {
        printf("%d %8zu  %s\n", page.status, page.size, url);
        came++;
        if (page.status == 200)
            follow_links(page.from, page.text);
    }
    free(page.from);
    free(page.text);
}

/* Until there are no pages any more. */
static void work(void *arg)
{
    void *url;
    (void)arg;
    while (verd_queue_get(found_urls, &url) == 0) {
        visit(url);
        verd_queue_task_done(found_urls);
    }
}

static int crawl(char *first)
{
    verd_pool *pool = verd_pool_new(CONCURRENCY);
    found_urls = verd_queue_new(VERD_UNBOUNDED);
    for (int i = 0; i < CONCURRENCY; i++) {
        if (verd_pool_spawn_n(pool, work, NULL) != 0)
            return -1;
    }
    follow(first);
    if (verd_queue_join(found_urls) != 0 || verd_queue_close(found_urls) != 0 ||
        verd_pool_wait_all(pool) != 0)
        return -1;
    verd_queue_free(found_urls);
    return verd_pool_free(pool);
}

int main(int argc, char **argv)
{
    char *first = argc > 1 ? verd_http_join(argv[1], "") : NULL;
    if (argc > 2)
        most = strtoul(argv[2], NULL, 10);
    if (first == NULL || most == 0) {
        fprintf(stderr, "recursive_crawler URL [PAGES]\n");
        return EXIT_FAILURE;
    }
    root = first;
    if (crawl(first) != 0) {
        perror("recursive_crawler");
        return EXIT_FAILURE;
    }
    fprintf(stderr, "%zu pages, %zu failed\n", came, failed);
    tdestroy(seen, free);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
