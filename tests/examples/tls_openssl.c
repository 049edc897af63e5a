/* SPDX-License-Identifier: MIT */

/* HTTPS, with OpenSSL behind the callbacks of a verd_stream: a server, and a client.
 *
 *     tls_openssl serve PORT CERTIFICATE KEY     0 lets the system choose the port
 *     tls_openssl get URL [CERTIFICATE]          one to trust besides the system's
 *
 * To try it:
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
 *         -keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost
 *     tls_openssl serve 8443 cert.pem key.pem &
 *     tls_openssl get https://localhost:8443/ cert.pem
 *
 * OpenSSL reads from and writes to memory, and the records in between are sent and received here. So
 * it never waits itself: its calls are not interrupted by other green threads, which share its
 * queue of errors. It is built where OpenSSL's headers are: cc ... -lverd -lssl -lcrypto
 */
#include <verd.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
    SSL *ssl;
    BIO *in, *out; /* records that were received, and that are to be sent; they are ssl's */
    int fd;
    const char *why; /* a call has failed, in the words of OpenSSL; NULL: errno says it */
};

/* ---- records ---- */

static int send_records(struct session *session)
{
    char records[16384];
    int size;
    while ((size = BIO_read(session->out, records, sizeof records)) > 0) {
        if (verd_write_full(session->fd, records, (size_t)size, NULL) < 0)
            return -1;
    }
    return 0;
}

static int receive_records(struct session *session)
{
    char records[16384];
    ssize_t size = verd_read(session->fd, records, sizeof records);
    if (size == 0)
        errno = ECONNRESET; /* cut off: an end that is meant is said in a record */
    return size > 0 && BIO_write(session->in, records, (int)size) == size ? 0 : -1;
}

/* A certificate that is not trusted, of another host, or too old; or whatever the last call has met.
 * Asked before anybody else runs: the queue of errors is everybody's. */
static const char *reason_of(const SSL *ssl)
{
    long verified = SSL_get_verify_result(ssl);
    return verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                 : ERR_reason_error_string(ERR_peek_last_error());
}

/* After a call has returned `result`: 1: it can be tried again; 0: the peer has ended; -1: it fails. */
static int go_on(struct session *session, int result)
{
    int error = SSL_get_error(session->ssl, result);
    if (error == SSL_ERROR_SSL)
        session->why = reason_of(session->ssl);
    if (send_records(session) != 0)
        return -1;
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (error == SSL_ERROR_WANT_READ)
        return receive_records(session) == 0 ? 1 : -1;
    errno = EPROTO;
    return -1;
}

/* ---- the stream ---- */

static ssize_t tls_read(void *ctx, void *buffer, size_t size)
{
    struct session *session = ctx;
    int part = size < INT32_MAX ? (int)size : INT32_MAX, result, next;
    do {
        ERR_clear_error();
        result = SSL_read(session->ssl, buffer, part);
    } while (result <= 0 && (next = go_on(session, result)) > 0);
    return result > 0 ? result : next;
}

static ssize_t tls_write(void *ctx, const void *data, size_t size)
{
    struct session *session = ctx;
    int part = size < 16384 ? (int)size : 16384, result, next;
    do {
        ERR_clear_error();
        result = SSL_write(session->ssl, data, part);
    } while (result <= 0 && (next = go_on(session, result)) > 0);
    if (result > 0)
        return send_records(session) == 0 ? result : -1;
    if (next == 0)
        errno = EPIPE;
    return -1;
}

static void tls_shut(void *ctx)
{
    struct session *session = ctx;
    ERR_clear_error();
    if (!(SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN))
        SSL_shutdown(session->ssl);
    send_records(session);
}

/* A last word, if it can be said without waiting: a peer that does not read must not keep this. */
static void tls_close(void *ctx)
{
    struct session *session = ctx;
    char *records;
    ERR_clear_error();
    if (SSL_is_init_finished(session->ssl) && !(SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN))
        SSL_shutdown(session->ssl);
    long size = BIO_get_mem_data(session->out, &records);
    if (size > 0)
        verd_send(session->fd, records, (size_t)size, MSG_DONTWAIT);
    SSL_free(session->ssl);
    free(session);
}

static const verd_stream_ops tls = {
    .read = tls_read, .write = tls_write, .shut = tls_shut, .close = tls_close};

/* ---- the handshake ---- */

/* This is a client, who wants the certificate of a host: a name or an address. */
static void expect(SSL *ssl, const char *host)
{
    char name[256];
    snprintf(name, sizeof name, "%s", host);
    SSL_set_connect_state(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1)
        return;
    SSL_set1_host(ssl, name);
    SSL_set_tlsext_host_name(ssl, name);
}

/* host: whose certificate is wanted; NULL: this is the server. *why is as a session's. */
static int begin(SSL_CTX *context, int fd, const char *host, verd_stream *stream, const char **why)
{
    struct session *session = calloc(1, sizeof *session);
    SSL *ssl = SSL_new(context);
    int result, next = -1;
    *why = NULL;
    if (session == NULL || ssl == NULL) {
        SSL_free(ssl);
        free(session);
        errno = ENOMEM;
        return -1;
    }
    *session = (struct session){ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()), fd, NULL};
    SSL_set_bio(ssl, session->in, session->out);
    if (host == NULL)
        SSL_set_accept_state(ssl);
    else
        expect(ssl, host);
    do {
        ERR_clear_error();
        result = SSL_do_handshake(ssl);
    } while (result <= 0 && (next = go_on(session, result)) > 0);
    if (result > 0 && send_records(session) == 0) {
        *stream = (verd_stream){.fd = fd, .ops = &tls, .ctx = session};
        return 0;
    }
    if (next == 0)
        errno = ECONNRESET;
    int error = errno;
    *why = session->why;
    tls_close(session);
    errno = error;
    return -1;
}

static int accept_tls(void *context, int fd, verd_stream *stream)
{
    const char *why;
    int result = begin(context, fd, NULL, stream, &why);
    if (result != 0 && why != NULL)
        fprintf(stderr, "tls_openssl: a client: %s\n", why);
    return result;
}

struct client {
    SSL_CTX *context;
    const char *why; /* its last handshake has failed, as a session's */
};

static int connect_tls(void *arg, int fd, const char *host, verd_stream *stream)
{
    struct client *client = arg;
    return begin(client->context, fd, host, stream, &client->why);
}

/* ---- both sides ---- */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "tls_openssl: %s: %s\n", what, why != NULL ? why : strerror(errno));
    ERR_print_errors_fp(stderr);
    return 1;
}

/* Says what was asked for, and says what was said. */
static int answer(verd_http_exchange *x, void *ctx)
{
    char line[300];
    size_t size;
    const char *body = verd_http_body(x, 1 << 20, &size);
    (void)ctx;
    if (body == NULL)
        return -1;
    int length = snprintf(line, sizeof line, "%.200s over TLS\n", verd_http_path(x));
    if (verd_http_begin(x, 200, (size_t)length + size) != 0 ||
        verd_http_write(x, line, (size_t)length) != 0)
        return -1;
    return verd_http_write(x, body, size);
}

static int serve(int port, const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return fail(certificate, "is no certificate, or none of this key");
    verd_http_options options = {.open = accept_tls, .open_ctx = context};
    int listener = verd_listen("127.0.0.1", port, 0);
    verd_http_server *server =
        listener >= 0 ? verd_http_serve(listener, answer, NULL, &options) : NULL;
    if (server == NULL)
        return fail("serve", NULL);
    printf("tls_openssl: listening on port %d\n", verd_port(listener));
    fflush(stdout);
    return verd_http_wait(server) == 0 ? 0 : fail("serve", NULL);
}

static int get(const char *url, const char *certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_default_verify_paths(context) != 1 ||
        (certificate != NULL && SSL_CTX_load_verify_locations(context, certificate, NULL) != 1))
        return fail("certificates", "cannot be read");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    struct client tls_client = {context, NULL};
    verd_http_client_options options = {.open = connect_tls, .open_ctx = &tls_client};
    verd_http_client *client = verd_http_client_new(&options);
    verd_http_request_options how = {.client = client};
    verd_http_response *page = verd_http_get(url, &how);
    char buffer[4096];
    ssize_t size = -1;
    while (page != NULL && (size = verd_http_response_read(page, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)size, stdout);
    if (size < 0)
        return fail(url, tls_client.why);
    verd_http_response_free(page);
    verd_http_client_free(client);
    SSL_CTX_free(context);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        return serve(atoi(argv[2]), argv[3], argv[4]);
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "get") == 0)
        return get(argv[2], argv[3]);
    fprintf(stderr, "tls_openssl serve PORT CERTIFICATE KEY | get URL [CERTIFICATE]\n");
    return 2;
}
