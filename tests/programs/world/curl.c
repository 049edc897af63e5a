/* SPDX-License-Identifier: MIT */

/*
 * A hundred easy handles of libcurl at once, in green threads of one OS thread: over http and https, to a number, to a
 * name that libcurl knows itself, and to one that OS threads of its own look up. The server, another process, answers 50 ms after all of them are asking, and with how many those are: so each of
 * them knows that none was kept waiting by another, however slow the machine.
 */
#include "server.h"

#include <curl/curl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>

#define HANDLES 100

static const char *certificate;

/* ---- the server ---- */

struct page {
    char text[128];
    int size;
};

/* To be answered once so many are asking. */
static int asking;
static verd_event all_ask = VERD_EVENT_INIT;

static struct page make_page(const char *request)
{
    struct page page;
    char body[16];
    int expected = 0;
    CHECK(sscanf(request, "GET /%d/", &expected) == 1);
    if (++asking == expected)
        verd_event_set(&all_ask, NULL);
    CHECK(verd_event_wait(&all_ask, NULL) == 0);
    int size = snprintf(body, sizeof body, "%d", asking);
    usleep(50000);
    if (--asking == 0)
        verd_event_reset(&all_ask);
    page.size = snprintf(page.text, sizeof page.text,
                         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
                         size, body);
    return page;
}

static void answer(void *arg)
{
    char request[4096] = "";
    int fd = (int)(intptr_t)arg, size = 0;
    while (strstr(request, "\r\n\r\n") == NULL) {
        ssize_t got = read(fd, request + size, sizeof request - 1 - (size_t)size);
        CHECK(got > 0);
        size += (int)got;
    }
    struct page page = make_page(request);
    CHECK(write(fd, page.text, (size_t)page.size) == page.size);
    close(fd);
}

static SSL_CTX *of_server;

static void answer_encrypted(void *arg)
{
    char request[4096] = "";
    int fd = (int)(intptr_t)arg, size = 0, got;
    SSL *tls = SSL_new(of_server);
    CHECK(tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1);
    while (strstr(request, "\r\n\r\n") == NULL) {
        CHECK((got = SSL_read(tls, request + size, (int)sizeof request - 1 - size)) > 0);
        size += got;
    }
    struct page page = make_page(request);
    CHECK(SSL_write(tls, page.text, page.size) == page.size);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(fd);
}

/* Tells its ports, and serves until the clients' process has ended. */
static void serve(const char *key, struct in_addr named, int fd)
{
    static struct world_server plain = {.connections = 10 * HANDLES, .handle = answer};
    static struct world_server of_name = {.connections = 10 * HANDLES, .handle = answer};
    static struct world_server encrypted = {.connections = 10 * HANDLES,
                                            .handle = answer_encrypted};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    of_server = SSL_CTX_new(TLS_server_method());
    CHECK(SSL_CTX_use_certificate_file(of_server, certificate, SSL_FILETYPE_PEM) == 1);
    CHECK(SSL_CTX_use_PrivateKey_file(of_server, key, SSL_FILETYPE_PEM) == 1);
    of_name.address = named;
    int ports[3] = {world_serve(&plain), world_serve(&encrypted), world_serve(&of_name)};
    CHECK(write(fd, ports, sizeof ports) == sizeof ports);
    verd_sleep(VERD_FOREVER);
}

/* ---- the clients ---- */

static const char *base; /* of all URLs */
static int expected, fetched;

/* What the server has said. */
static size_t keep(char *bytes, size_t size, size_t count, void *said)
{
    if (size * count < 16)
        memcpy(said, bytes, size * count);
    return size * count;
}

static void fetch(void *number)
{
    char url[128], error[CURL_ERROR_SIZE] = "", said[16] = "";
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    snprintf(url, sizeof url, "%s/%d/%d", base, expected, (int)(intptr_t)number);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, certificate);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, said);
    CHECK_SAYING(curl_easy_perform(easy) == CURLE_OK, error);
    CHECK_SAYING(atoi(said) == expected, said);
    curl_easy_cleanup(easy);
    fetched++;
}

/* So many, of which as many are to be answered at a time. */
static void fetch_pages(const char *scheme, const char *host, int port, int count, int at_once)
{
    char url[64];
    snprintf(url, sizeof url, "%s://%s:%d", scheme, host, port);
    base = url;
    expected = at_once;
    fetched = 0;
    verd_duration begun = verd_now();
    clock_t ran = clock();
    world_run(count, fetch);
    ran = clock() - ran;
    printf("curl: %d of %s://%s, %d at a time, in %.2f s, of which %.2f s of a processor\n",
           fetched, scheme, host, at_once, (double)(verd_now() - begun) / VERD_SEC,
           (double)ran / CLOCKS_PER_SEC);
    CHECK(fetched == count);
}

/* The machine's own name, where its address is one of the loopback interface. */
static bool find_name(char *name, size_t size, struct in_addr *address)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (gethostname(name, size) != 0 || strcmp(name, "localhost") == 0 ||
        getaddrinfo(name, NULL, &hints, &found) != 0)
        return false;
    *address = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
    freeaddrinfo(found);
    return ntohl(address->s_addr) >> 24 == IN_LOOPBACKNET;
}

/* curl CERTIFICATE KEY */
int main(int argc, char **argv)
{
    char name[64];
    struct in_addr named = {0};
    int ports[3], fds[2];
    world_begin();
    CHECK(argc == 3 && pipe(fds) == 0);
    certificate = argv[1];
    bool has_name = find_name(name, sizeof name, &named);
    if (fork() == 0)
        serve(argv[2], named, fds[1]);
    CHECK(read(fds[0], ports, sizeof ports) == sizeof ports);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    fetch_pages("http", "127.0.0.1", ports[0], HANDLES, HANDLES);
    fetch_pages("http", "localhost", ports[0], HANDLES, HANDLES);
    if (has_name)
        fetch_pages("http", name, ports[2], HANDLES, HANDLES);
    else
        puts(
            "curl: this machine's name is not of its loopback interface: no OS thread looks it up");
    fetch_pages("https", "127.0.0.1", ports[1], HANDLES, HANDLES);
    fetch_pages("https", "localhost", ports[1], HANDLES, HANDLES);
    verd_patch_off();
    fetch_pages("http", "127.0.0.1", ports[0], 3, 1);
    curl_global_cleanup();
    return 0;
}
