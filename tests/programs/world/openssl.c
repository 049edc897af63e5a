/* SPDX-License-Identifier: MIT */

/* OpenSSL's blocking SSL_connect, SSL_accept, SSL_read and SSL_write: servers and clients are green threads of one OS
 * thread. It calls read and write of sockets, which block. */
#include "server.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define CONNECTIONS 100
#define SIZE 200000 /* more than a socket's buffers hold, and many records */

static SSL_CTX *of_server, *of_client;
static int port, answered;
static int served, most_served; /* that have been greeted, and wait for what the client says */

static const char *reason(void)
{
    return ERR_reason_error_string(ERR_peek_last_error());
}

static void write_all(SSL *tls, const char *bytes, size_t size)
{
    CHECK_SAYING(SSL_write(tls, bytes, (int)size) == (int)size, reason());
}

static void read_all(SSL *tls, char *bytes, size_t size)
{
    for (size_t have = 0; have < size;) {
        int got = SSL_read(tls, bytes + have, (int)(size - have));
        CHECK_SAYING(got > 0, reason());
        have += (size_t)got;
    }
}

static SSL *tls_of(SSL_CTX *context, int fd)
{
    SSL *tls = SSL_new(context);
    CHECK(tls != NULL && SSL_set_fd(tls, fd) == 1);
    return tls;
}

/* ---- the server ---- */

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char *bytes = malloc(SIZE);
    SSL *tls = tls_of(of_server, fd);
    CHECK_SAYING(SSL_accept(tls) == 1, reason());
    write_all(tls, "hello", 5);
    if (++served > most_served)
        most_served = served;
    read_all(tls, bytes, SIZE);
    served--;
    write_all(tls, bytes, SIZE);
    CHECK(SSL_read(tls, bytes, 1) == 0 && SSL_get_error(tls, 0) == SSL_ERROR_ZERO_RETURN);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(fd);
    free(bytes);
}

/* ---- the client ---- */

static SSL *connect_to_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    SSL *tls = tls_of(of_client, fd);
    CHECK(SSL_set1_host(tls, "localhost") == 1);
    CHECK_SAYING(SSL_connect(tls) == 1, reason());
    CHECK(SSL_get_verify_result(tls) == X509_V_OK);
    return tls;
}

static void disconnect(SSL *tls)
{
    int fd = SSL_get_fd(tls);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(fd);
}

/* Nobody says anything before the servers of all have said their word. */
static void talk(void *number)
{
    char *said = malloc(SIZE), *heard = malloc(SIZE);
    SSL *tls = connect_to_server();
    read_all(tls, heard, 5);
    CHECK(memcmp(heard, "hello", 5) == 0);
    while (most_served < CONNECTIONS)
        verd_yield();
    for (size_t i = 0; i < SIZE; i++)
        said[i] = (char)(i * 31 + (size_t)(intptr_t)number);
    write_all(tls, said, SIZE);
    read_all(tls, heard, SIZE);
    CHECK(memcmp(said, heard, SIZE) == 0);
    answered++;
    disconnect(tls);
    free(said);
    free(heard);
}

/* openssl s_server -rev gives lines back from their ends. */
static void talk_to_stranger(void *number)
{
    char heard[6] = "";
    (void)number;
    SSL *tls = connect_to_server();
    write_all(tls, "green\n", 6);
    read_all(tls, heard, 6);
    CHECK_SAYING(memcmp(heard, "neerg\n", 6) == 0, heard);
    answered++;
    disconnect(tls);
}

/* openssl CERTIFICATE KEY: both roles. openssl CERTIFICATE PORT: the client's */
int main(int argc, char **argv)
{
    static struct world_server server = {.connections = CONNECTIONS, .handle = echo};
    world_begin();
    CHECK(argc == 3);
    of_server = SSL_CTX_new(TLS_server_method());
    of_client = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(of_client, SSL_VERIFY_PEER, NULL);
    CHECK_SAYING(SSL_CTX_load_verify_locations(of_client, argv[1], NULL) == 1, reason());
    port = atoi(argv[2]);
    if (port > 0) {
        world_run(2, talk_to_stranger);
        printf("openssl: %d answers of openssl s_server\n", answered);
    } else {
        CHECK(SSL_CTX_use_certificate_file(of_server, argv[1], SSL_FILETYPE_PEM) == 1);
        CHECK_SAYING(SSL_CTX_use_PrivateKey_file(of_server, argv[2], SSL_FILETYPE_PEM) == 1,
                     reason());
        port = world_serve(&server);
        world_run(CONNECTIONS, talk);
        printf("openssl: %d connections at once, %d of them answered %d bytes\n", most_served,
               answered, SIZE);
    }
    SSL_CTX_free(of_server);
    SSL_CTX_free(of_client);
    return 0;
}
