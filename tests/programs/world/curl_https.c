/* SPDX-License-Identifier: MIT */

/* A hundred easy handles of libcurl ask over https at the same time, and are answered 50 ms after all have asked. Server
 * and clients are green threads of one OS thread. */
#include "server.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

#define CONNECTIONS 100

static const char *certificate;
static SSL_CTX *of_server;
static int port, asked, answered;
static verd_event all_asked = VERD_EVENT_INIT;

/* ---- the server ---- */

static void answer(void *arg)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ngreen\n";
    char request[4096] = "";
    int fd = (int)(intptr_t)arg, size = 0, got;
    SSL *tls = SSL_new(of_server);
    CHECK(tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1);
    while (strstr(request, "\r\n\r\n") == NULL) {
        CHECK((got = SSL_read(tls, request + size, (int)sizeof request - 1 - size)) > 0);
        size += got;
    }
    if (++asked == CONNECTIONS)
        verd_event_set(&all_asked, NULL);
    CHECK(verd_event_wait(&all_asked, NULL) == 0);
    usleep(50000);
    CHECK(SSL_write(tls, page, sizeof page - 1) == (int)sizeof page - 1);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(fd);
}

/* ---- the clients ---- */

static size_t compare(char *bytes, size_t size, size_t count, void *arg)
{
    (void)arg;
    if (size * count == 6 && memcmp(bytes, "green\n", 6) == 0)
        answered++;
    return size * count;
}

static void fetch(void *number)
{
    char url[64], error[CURL_ERROR_SIZE] = "";
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    snprintf(url, sizeof url, "https://localhost:%d/%d", port, (int)(intptr_t)number);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, certificate);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, compare);
    CHECK_SAYING(curl_easy_perform(easy) == CURLE_OK, error);
    curl_easy_cleanup(easy);
}

/* curl_https CERTIFICATE KEY */
int main(int argc, char **argv)
{
    static struct world_server server = {CONNECTIONS, answer, -1};
    world_begin();
    CHECK(argc == 3);
    certificate = argv[1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    of_server = SSL_CTX_new(TLS_server_method());
    CHECK(SSL_CTX_use_certificate_file(of_server, argv[1], SSL_FILETYPE_PEM) == 1);
    CHECK(SSL_CTX_use_PrivateKey_file(of_server, argv[2], SSL_FILETYPE_PEM) == 1);
    port = world_serve(&server);
    verd_duration begun = verd_now();
    world_run(CONNECTIONS, fetch);
    printf("curl_https: %d asked before the first was answered, %d answered, %.2f s\n", asked,
           answered, (double)(verd_now() - begun) / VERD_SEC);
    CHECK(answered == CONNECTIONS);
    SSL_CTX_free(of_server);
    curl_global_cleanup();
    return 0;
}
