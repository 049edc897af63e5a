/* SPDX-License-Identifier: MIT */

/* TLS of one's own choice below HTTP, here OpenSSL: a verd_stream whose callbacks encrypt.
 *
 *     tls_openssl serve PORT CERTIFICATE KEY     port 0 lets the system choose
 *     tls_openssl get URL [AUTHORITIES]          prints the page; whom to trust: a file of
 *                                                certificates, or those whom the system trusts
 *
 * For example, with a certificate of one's own making:
 *
 *     openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 1 \
 *         -subj /CN=localhost -addext subjectAltName=DNS:localhost
 *     tls_openssl serve 8443 certificate.pem key.pem &
 *     tls_openssl get https://localhost:8443/ certificate.pem
 *     tls_openssl get https://www.debian.org/
 *
 * OpenSSL works in memory and never waits: what it has to say is written by the callbacks, and what
 * it wants to hear they read. So no other green thread finds it in the middle of something.
 */
#include <verd.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_OPENSSL /* as the Makefile has found out */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define PIECE 16384 /* bytes that are read and written at once */
#define PAGE (16 << 20)

struct tls {
    SSL *ssl;
    BIO *in, *out; /* the ssl's: from the peer, and to it */
    int fd;
    verd_mutex writing;
};

/* ---- the stream ---- */

/* Sends what OpenSSL has to say. What a timeout cuts short is sent by the next call. */
static int flush(struct tls *tls)
{
    char piece[PIECE], *data;
    ssize_t written = 0;
    long size;
    if (verd_mutex_lock(&tls->writing) != 0)
        return -1;
    while (written >= 0 && (size = BIO_get_mem_data(tls->out, &data)) > 0) {
        memcpy(piece, data, size < PIECE ? (size_t)size : PIECE); /* it may move meanwhile */
        written = verd_write(tls->fd, piece, size < PIECE ? (size_t)size : PIECE);
        if (written > 0)
            BIO_read(tls->out, piece, (int)written);
    }
    int error = errno;
    verd_mutex_unlock(&tls->writing);
    errno = error;
    return written >= 0 ? 0 : -1;
}

/* Lets OpenSSL hear more. An end that the peer has not announced may be someone else's doing. */
static int feed(struct tls *tls)
{
    char piece[PIECE];
    ssize_t size = verd_read(tls->fd, piece, sizeof piece);
    if (size == 0)
        errno = ECONNRESET;
    return size > 0 ? BIO_write(tls->in, piece, (int)size) : -1;
}

/* A call to OpenSSL has not returned what was wanted. 1: try again; 0: the end; -1 and errno */
static int go_on(struct tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return flush(tls) == 0 && feed(tls) > 0 ? 1 : -1;
    case SSL_ERROR_ZERO_RETURN:
        errno = EPIPE; /* for whom it is an error */
        return 0;
    default:
        flush(tls); /* why */
        errno = EPROTO;
        return -1;
    }
}

/* The queue of errors is the OS thread's, that is, of all green threads: it is emptied before each
 * call that may leave something there. */
static int shake_hands(struct tls *tls)
{
    int result;
    do {
        ERR_clear_error();
        result = SSL_do_handshake(tls->ssl);
        if (result == 1)
            return flush(tls);
    } while (go_on(tls, result) == 1);
    return -1;
}

static ssize_t tls_read(void *ctx, void *buffer, size_t size)
{
    struct tls *tls = ctx;
    int next;
    do {
        ERR_clear_error();
        int got = SSL_read(tls->ssl, buffer, size < PIECE ? (int)size : PIECE);
        if (got > 0)
            return got;
        next = go_on(tls, got);
    } while (next == 1);
    return next;
}

static ssize_t tls_write(void *ctx, const void *data, size_t size)
{
    struct tls *tls = ctx;
    int put;
    do {
        ERR_clear_error();
        put = SSL_write(tls->ssl, data, size < PIECE ? (int)size : PIECE);
        if (put > 0)
            return flush(tls) == 0 ? put : -1;
    } while (go_on(tls, put) == 1);
    return -1;
}

static void tls_shut(void *ctx)
{
    struct tls *tls = ctx;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    flush(tls);
}

/* A last word, if it can be said without waiting for anyone. */
static void tls_close(void *ctx)
{
    struct tls *tls = ctx;
    char *data;
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl);
    long size = BIO_get_mem_data(tls->out, &data);
    if (size > 0)
        verd_send(tls->fd, data, (size_t)size, MSG_DONTWAIT);
    SSL_free(tls->ssl);
    free(tls);
}

/* What both sides have in common. The handshake is still to come. */
static struct tls *begin(SSL_CTX *context, int fd, verd_stream *stream)
{
    static const verd_stream_ops ops = {tls_read, tls_write, tls_shut, tls_close};
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return NULL;
    *tls = (struct tls){.ssl = SSL_new(context),
                        .in = BIO_new(BIO_s_mem()),
                        .out = BIO_new(BIO_s_mem()),
                        .fd = fd,
                        .writing = VERD_MUTEX_INIT};
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        free(tls);
        errno = ENOMEM;
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    stream->ops = &ops;
    stream->ctx = tls;
    return tls;
}

/* Closes it again if the handshake fails, and says whether it was for the certificate. */
static int finish(struct tls *tls, const char *peer)
{
    if (shake_hands(tls) == 0)
        return 0;
    int error = errno;
    long verified = SSL_get_verify_result(tls->ssl);
    if (verified != X509_V_OK)
        fprintf(stderr, "tls_openssl: %s: %s\n", peer, X509_verify_cert_error_string(verified));
    tls_close(tls);
    errno = error;
    return -1;
}

/* ---- https ---- */

static int open_server(void *context, int fd, verd_stream *stream)
{
    struct tls *tls = begin(context, fd, stream);
    if (tls == NULL)
        return -1;
    SSL_set_accept_state(tls->ssl);
    return finish(tls, "client");
}

/* The certificate has to be this host's: a name, or an address. */
static int open_client(void *context, int fd, const char *host, verd_stream *stream)
{
    struct tls *tls = begin(context, fd, stream);
    if (tls == NULL)
        return -1;
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), host) != 1) {
        SSL_set1_host(tls->ssl, host);
        SSL_set_tlsext_host_name(tls->ssl, (char *)(uintptr_t)host); /* which copies it */
    }
    SSL_set_connect_state(tls->ssl);
    return finish(tls, host);
}

static void die(const char *what)
{
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(EXIT_FAILURE);
}

/* Says what the connection is, or sends back what was sent. */
static int answer(verd_http_exchange *x, void *ctx)
{
    char text[128], piece[4096];
    ssize_t size;
    const struct tls *tls = verd_http_stream(x)->ctx;
    (void)ctx;
    if (strcmp(verd_http_method(x), "POST") != 0) {
        snprintf(text, sizeof text, "%s, %s\n", SSL_get_version(tls->ssl),
                 SSL_get_cipher(tls->ssl));
        return verd_http_reply(x, 200, "text/plain", text, strlen(text));
    }
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    while ((size = verd_http_read(x, piece, sizeof piece)) > 0)
        if (verd_http_write(x, piece, (size_t)size) != 0)
            return -1;
    return (int)size;
}

static int serve(const char *port, const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        die("tls_openssl: certificate");
    verd_http_options options = {.open = open_server, .open_ctx = context};
    int listener = verd_listen(NULL, atoi(port), 0);
    int bound = verd_port(listener);
    verd_http_server *server = verd_http_serve(listener, answer, NULL, &options);
    if (server == NULL)
        die("tls_openssl: serve");
    printf("tls_openssl: https on port %d\n", bound);
    fflush(stdout);
    return verd_http_wait(server);
}

static int get(const char *url, const char *authorities)
{
    size_t size = 0;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if ((authorities != NULL ? SSL_CTX_load_verify_locations(context, authorities, NULL)
                             : SSL_CTX_set_default_verify_paths(context)) != 1)
        die("tls_openssl: authorities");
    verd_http_client *client =
        verd_http_client_new(&(verd_http_client_options){.open = open_client, .open_ctx = context});
    verd_http_response *response =
        verd_http_get(url, &(verd_http_request_options){.client = client});
    char *body = response != NULL ? verd_http_response_body(response, PAGE, &size) : NULL;
    if (body == NULL)
        die(url);
    fwrite(body, 1, size, stdout);
    int status = verd_http_response_status(response);
    verd_http_response_free(response);
    verd_http_client_free(client);
    SSL_CTX_free(context);
    return status == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3], argv[4]);
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "get") == 0)
        return get(argv[2], argc == 4 ? argv[3] : NULL);
    fprintf(stderr, "tls_openssl serve PORT CERTIFICATE KEY | get URL [AUTHORITIES]\n");
    return EXIT_FAILURE;
}

#else

int main(void)
{
    printf("tls_openssl: OpenSSL's headers (libssl-dev) were not there when it was built\n");
    return 77; /* skipped */
}

#endif
