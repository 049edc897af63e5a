/* SPDX-License-Identifier: MIT */

/* The crawler once more, with libcurl as the distribution ships it: its easy handles block, each in a green thread of
 * its own, and libverd-patch.a makes that a wait in which the others run. All that libcurl can fetch it can.
 *
 *     cc curl_crawler.c $(pkg-config --cflags --libs verd-patch libcurl)
 *     curl_crawler URL...        or URLs on standard input, one a line
 *
 * Prints status, size and URL of each page, in the order in which they were asked for; what goes wrong in libcurl's
 * words. 200 are on their way at once.
 */
#include <verd.h>
#include <verd/patch.h>

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONCURRENCY 200
#define PATIENCE 30L /* seconds, with each page */
#define URL_SIZE 4096

struct page {
    CURLcode result;
    long status;
    size_t size;
    char error[CURL_ERROR_SIZE];
    char url[];
};

static CURLSH *shared; /* by all handles: names that were looked up, sessions of TLS */

/* ---- a page ---- */

static size_t count_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct page *page = arg;
    (void)bytes;
    page->size += size * count;
    return size * count;
}

/* Source for libcurl as it is written anywhere. Signals would time out the OS thread. */
static void perform(CURL *easy, struct page *page)
{
    const char *url = page->url;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_SHARE, shared);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, PATIENCE);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, page->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, page);
    page->result = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &page->status);
}

static void *fetch(void *arg)
{
    struct page *page = arg;
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        page->result = CURLE_OUT_OF_MEMORY;
        return page;
    }
    perform(easy, page);
    curl_easy_cleanup(easy);
    return page;
}

static void tell(const struct page *page)
{
    const char *why = page->error[0] != '\0' ? page->error : curl_easy_strerror(page->result);
    if (page->result == CURLE_OK)
        printf("%ld %8zu  %s\n", page->status, page->size, page->url);
    else
        printf("  - %8s  %s (%s)\n", "-", page->url, why);
}

/* ---- what is to be fetched ---- */

struct urls {
    char **arguments;   /* NULL: from standard input */
    verd_reader *lines; /* of that */
};

static int next_page(void *state, void **item)
{
    struct urls *urls = state;
    char *url;
    do {
        if (urls->arguments != NULL) {
            if ((url = *urls->arguments++) == NULL)
                return 0;
        } else {
            int got = verd_reader_line(urls->lines, &url, NULL);
            if (got != 1)
                return got;
        }
        url[strcspn(url, " \t\r")] = '\0';
    } while (*url == '\0');
    struct page *page = calloc(1, sizeof *page + strlen(url) + 1);
    if (page == NULL)
        return -1;
    strcpy(page->url, url);
    *item = page;
    return 1;
}

/* Green threads take turns only where one waits, and libcurl does not wait while it uses what is shared: it needs no
 * locks. */
static CURLSH *share_names(void)
{
    CURLSH *share = curl_share_init();
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return share;
}

int main(int argc, char **argv)
{
    const char *missed[1];
    struct urls urls = {.arguments = argc > 1 ? argv + 1 : NULL};
    size_t failed = 0;
    void *item;
    int result;
    if (verd_patch_check(missed, 1) > 0) {
        fprintf(stderr, "curl_crawler: %s is libc's: link with -lverd-patch\n", missed[0]);
        return EXIT_FAILURE;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    shared = share_names();
    urls.lines = verd_reader_new(verd_stream_of(STDIN_FILENO), URL_SIZE);
    verd_pool *pool = verd_pool_new(CONCURRENCY);
    verd_imap *pages = verd_pool_imap(pool, fetch, next_page, &urls);

    while ((result = verd_imap_next(pages, &item)) == 1) {
        struct page *page = item;
        tell(page);
        failed += page->result != CURLE_OK;
        free(page);
    }
    if (result < 0)
        perror("curl_crawler");
    verd_imap_free(pages);
    verd_pool_free(pool);
    verd_reader_free(urls.lines);
    curl_share_cleanup(shared);
    curl_global_cleanup();
    return result == 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
