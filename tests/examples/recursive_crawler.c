/* SPDX-License-Identifier: MIT */

/* Jobs that spawn jobs into their own pool: follows all links of a page that stay below it, and those
 * of the pages found there. A member that spawns into its full pool runs the job itself, so however
 * many links there are, nobody waits for ever.
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

static verd_pool *pool;
static const char *root; /* links that do not begin with it are left alone */
static void *seen;       /* a tree of the URLs that have been spawned, as tsearch(3) has it */
static size_t found, most = PAGES;
static size_t came, failed;

static int compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

static void visit(void *url);

/* Spawns a job for a page, unless it is elsewhere or has been seen. Takes the URL over. */
static void follow(char *url)
{
    if (strncmp(url, root, strlen(root)) != 0 || found == most ||
        tfind(url, &seen, compare) != NULL || tsearch(url, &seen, compare) == NULL) {
        free(url);
        return;
    }
    found++;
    if (verd_pool_spawn_n(pool, visit, url) != 0)
        perror(url);
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
    verd_timeout limit;
    const char *text = NULL;
    verd_timeout_begin(&limit, PATIENCE);
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
    verd_timeout_end(&limit);
    errno = error;
    return page->text != NULL && page->from != NULL ? 0 : -1;
}

static void visit(void *arg)
{
    const char *url = arg; /* which the tree owns */
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

int main(int argc, char **argv)
{
    if (argc < 2 || (root = verd_http_join(argv[1], "")) == NULL) {
        fprintf(stderr, "recursive_crawler URL [PAGES]\n");
        return EXIT_FAILURE;
    }
    if (argc > 2)
        most = strtoul(argv[2], NULL, 10);
    pool = verd_pool_new(CONCURRENCY);
    follow(strdup(root));
    if (verd_pool_wait_all(pool) != 0)
        perror("recursive_crawler");
    fprintf(stderr, "%zu pages, %zu failed\n", came, failed);
    verd_pool_free(pool);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
