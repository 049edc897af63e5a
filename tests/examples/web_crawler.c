/* SPDX-License-Identifier: MIT */

/* The client pattern: fetches many pages at the same time, and tells of them in the order in which
 * they were asked for. However many there are, 200 are on their way at once; what has come and cannot
 * be told of yet waits, and then no others are begun.
 *
 *     web_crawler URL...         or URLs on standard input, one a line
 *
 * Prints status, size and URL of each page, and the progress on standard error. For example:
 *
 *     web_crawler http://www.debian.org/ http://example.org/ http://localhost/
 *     seq -f http://localhost:8000/page/%g 1000 | web_crawler > pages
 */
#include <verd.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONCURRENCY 200
#define PATIENCE (30 * VERD_SEC) /* with each page */
#define URL_SIZE 4096

struct page {
    int status; /* 0: there is none */
    int error;  /* errno; 0: it has come whole */
    size_t size;
    char url[];
};

static verd_http_client *client;

/* ---- the pages ---- */

static int read_page(struct page *page)
{
    char piece[16384];
    ssize_t size;
    verd_http_request_options options = {.client = client};
    verd_http_response *response = verd_http_get(page->url, &options);
    if (response == NULL)
        return -1;
    while ((size = verd_http_response_read(response, piece, sizeof piece)) > 0)
        page->size += (size_t)size;
    int error = errno;
    page->status = verd_http_response_status(response);
    verd_http_response_free(response);
    errno = error;
    return (int)size;
}

static void *fetch(void *arg)
{
    struct page *page = arg;
    VERD_WITHIN(limit, PATIENCE);
    page->error = read_page(page) == 0 ? 0 : errno;
    return page;
}

/* ---- what is to be fetched ---- */

struct urls {
    char **arguments;   /* NULL: from standard input */
    verd_reader *lines; /* of that */
};

/* Returns 1, 0 at the end, or -1 and errno */
static int next_url(struct urls *urls, char **url)
{
    if (urls->arguments == NULL)
        return verd_reader_line(urls->lines, url, NULL);
    *url = *urls->arguments++;
    return *url != NULL;
}

static int next_page(void *state, void **item)
{
    char *url;
    do {
        int got = next_url(state, &url);
        if (got != 1)
            return got;
        url[strcspn(url, " \t\r")] = '\0';
    } while (*url == '\0');
    struct page *page = calloc(1, sizeof *page + strlen(url) + 1);
    if (page == NULL)
        return -1;
    strcpy(page->url, url);
    *item = page;
    return 1;
}

/* ---- what is told of them ---- */

static size_t count, failed;

static void tell(const struct page *page)
{
    if (page->error == 0)
        printf("%d %8zu  %s\n", page->status, page->size, page->url);
    else
        printf("  - %8s  %s (%s)\n", "-", page->url, strerror(page->error));
    count++;
    failed += page->error != 0;
}

static void show_progress(verd_duration since)
{
    fprintf(stderr, "%s%zu pages, %zu failed, %.2f s", isatty(STDERR_FILENO) ? "\r" : "", count,
            failed, (double)(verd_now() - since) / (double)VERD_SEC);
}

int main(int argc, char **argv)
{
    static struct urls urls;
    urls.arguments = argc > 1 ? argv + 1 : NULL;
    urls.lines = verd_reader_new(verd_stream_of(STDIN_FILENO), URL_SIZE);
    client = verd_http_client_new(
        &(verd_http_client_options){.agent = "web_crawler", .idle = CONCURRENCY});
    verd_pool *pool = verd_pool_new(CONCURRENCY);
    verd_imap *pages = verd_pool_imap(pool, fetch, next_page, &urls);
    verd_duration since = verd_now();
    void *page;
    int result;

    while ((result = verd_imap_next(pages, &page)) == 1) {
        tell(page);
        free(page);
        if (isatty(STDERR_FILENO))
            show_progress(since);
    }
    if (result < 0)
        perror("web_crawler");
    show_progress(since);
    fprintf(stderr, "\n");
    verd_imap_free(pages);
    verd_pool_free(pool);
    verd_http_client_free(client);
    verd_reader_free(urls.lines);
    return result == 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
