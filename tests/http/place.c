/* SPDX-License-Identifier: MIT */

/* Where the client's connections lead, through what, and to whom they belong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "peer.h"
#include "process.h"

static struct peer peer, other;

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define SAY(what) {.text = (what)}

static const char *get(void)
{
    return get_text(peer.origin, NULL);
}

/* ---- elsewhere ---- */

Test(origin, may_be_an_ipv6_address)
{
    int listener = verd_listen("::1", 0, 0);
    if (listener < 0)
        cr_skip_test("there is no IPv6 here");
    peer_start_at(&peer, listener, &(struct reply)SAY(HELLO), 1);
    snprintf(peer.origin, sizeof peer.origin, "http://[::1]:%d", verd_port(listener));
    cr_expect_str_eq(get(), "200 hello");
    cr_expect_not_null(strstr(peer.heard[0], "Host: [::1]:"));
    peer_stop(&peer);
}

Test(origin, may_be_an_ipv6_address_of_a_zone_which_the_server_is_not_told)
{
    char url[128];
    int listener = verd_listen("::1", 0, 0);
    if (listener < 0)
        cr_skip_test("there is no IPv6 here");
    peer_start_at(&peer, listener, &(struct reply)SAY(HELLO), 1);
    snprintf(url, sizeof url, "http://[::1%%25%u]:%d/", if_nametoindex("lo"), verd_port(listener));
    cr_expect_str_eq(get_text(url, NULL), "200 hello");
    cr_expect_not_null(strstr(peer.heard[0], "\r\nHost: [::1]:"));
    peer_stop(&peer);
}

static void start_local(char *path, size_t size)
{
    static const struct reply replies[] = {
        SAY("HTTP/1.1 302 There\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"), SAY(HELLO)};
    snprintf(path, size, "@verd-test-origin-%d", getpid());
    peer_start_at(&peer, verd_listen_unix(path, 0), replies, 2);
}

Test(origin, may_be_a_unix_socket)
{
    char path[64];
    verd_http_request_options options = {.unix_path = path};
    start_local(path, sizeof path);
    cr_expect_str_eq(get_text("http://any.name/here?x", &options), "200 hello");
    cr_expect_not_null(strstr(peer.heard[0], "GET /here?x HTTP/1.1\r\nHost: any.name\r\n"));
    cr_expect_not_null(strstr(peer.heard[1], "GET /there HTTP/1.1\r\nHost: any.name\r\n"));
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

Test(origin, of_a_unix_socket_is_left_by_a_redirect_to_another)
{
    char path[64], there[256];
    struct reply replies[] = {SAY(there)};
    verd_http_request_options options = {.unix_path = path};
    snprintf(path, sizeof path, "@verd-test-origin-%d", getpid());
    peer_start_at(&peer, verd_listen_unix(path, 0), replies, 1);
    PEER(&other, SAY(HELLO));
    snprintf(there, sizeof there,
             "HTTP/1.1 307 There\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n", other.origin);
    cr_expect_str_eq(get_text("http://any.name/", &options), "200 hello");
    cr_expect_eq(other.requests, 1);
    peer_stop(&peer);
    peer_stop(&other);
}

Test(origin, is_another_for_each_unix_socket_and_host)
{
    char path[64];
    verd_http_request_options options = {.unix_path = path};
    start_local(path, sizeof path);
    get_text("http://one/", &options);
    get_text("http://two/", &options);
    cr_expect_eq(peer.accepted, 2);
    peer_stop(&peer);
}

/* ---- streams ---- */

/* A stream that only counts, over the descriptor. */
struct disguise {
    size_t opened, closed;
    int error;
    char host[64];
};

static struct disguise disguise;

static ssize_t disguise_read(void *ctx, void *buffer, size_t size)
{
    return verd_read(*(int *)ctx, buffer, size);
}

static ssize_t disguise_write(void *ctx, const void *data, size_t size)
{
    return verd_write(*(int *)ctx, data, size);
}

static void disguise_close(void *ctx)
{
    disguise.closed++;
    free(ctx);
}

static int disguise_open(void *ctx, int fd, const char *host, verd_stream *stream)
{
    static const verd_stream_ops ops = {disguise_read, disguise_write, NULL, disguise_close};
    struct disguise *d = ctx;
    snprintf(d->host, sizeof d->host, "%s", host);
    errno = d->error;
    if (d->error != 0)
        return -1;
    d->opened++;
    stream->ops = &ops;
    stream->ctx = malloc(sizeof(int));
    *(int *)stream->ctx = fd;
    return 0;
}

static verd_http_client *start_disguised(void)
{
    PEER(&peer, SAY(HELLO));
    memmove(peer.origin + 5, peer.origin + 4, strlen(peer.origin + 4) + 1);
    peer.origin[4] = 's';
    disguise = (struct disguise){0};
    return verd_http_client_new(
        &(verd_http_client_options){.open = disguise_open, .open_ctx = &disguise});
}

Test(origin, of_https_is_read_and_written_through_a_stream)
{
    verd_http_client *client = start_disguised();
    verd_http_request_options options = {.client = client};
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_str_eq(disguise.host, "127.0.0.1");
    cr_expect_eq(disguise.opened, 1);
    cr_expect_eq(disguise.closed, 0);
    cr_expect_eq(verd_http_client_free(client), 0);
    cr_expect_eq(disguise.closed, 1);
    peer_stop(&peer);
}

Test(origin, of_https_fails_with_its_handshake)
{
    verd_http_client *client = start_disguised();
    verd_http_request_options options = {.client = client};
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    verd_http_client_close_idle(client);
    while (peer.open > 0)
        verd_sleep(VERD_MS);
    size_t descriptors = process_descriptors();
    disguise.error = EKEYREJECTED;
    cr_expect_str_eq(get_text(peer.origin, &options), strerror(EKEYREJECTED));
    while (peer.accepted < 2)
        verd_sleep(VERD_MS);
    settle();
    while (peer.open > 0)
        verd_sleep(VERD_MS);
    cr_expect_eq(process_descriptors(), descriptors);
    cr_expect_eq(verd_http_client_connections(client), 0);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

/* ---- clients ---- */

Test(origin, in_use_keeps_its_client)
{
    verd_http_client *client = verd_http_client_new(NULL);
    verd_http_request_options options = {.client = client};
    PEER(&peer, SAY(HELLO));
    verd_http_response *response = verd_http_get(peer.origin, &options);
    cr_expect_eq(outcome(verd_http_client_free(client)), -EBUSY);
    verd_http_response_free(response);
    cr_expect_eq(verd_http_client_free(client), 0);
    cr_expect_eq(verd_http_client_free(NULL), 0);
    peer_stop(&peer);
}

Test(origin, has_options_that_make_sense)
{
    cr_expect_null(verd_http_client_new(&(verd_http_client_options){.idle_time = -1}));
    cr_expect_eq(errno, EINVAL);
    cr_expect_null(verd_http_client_new(&(verd_http_client_options){.agent = "a\r\nb"}));
    cr_expect_eq(errno, EINVAL);
    cr_expect_null(verd_http_client_new(&(verd_http_client_options){.limits.fields = SIZE_MAX}));
    cr_expect_eq(errno, EINVAL);
}

struct elsewhere {
    verd_http_client *client;
    verd_http_response *response;
    char origin[128];
    int error[4];
    bool answered;
};

static void *be_elsewhere(void *arg)
{
    struct elsewhere *e = arg;
    char byte;
    verd_http_request_options options = {.client = e->client};
    e->error[0] = verd_http_get(e->origin, &options) == NULL ? errno : 0;
    e->error[1] = verd_http_response_read(e->response, &byte, 1) < 0 ? errno : 0;
    e->error[2] = verd_http_client_free(e->client) != 0 ? errno : 0;
    e->error[3] = verd_http_client_close_idle(e->client) != 0 ? errno : 0;
    verd_http_response_free(e->response);
    e->answered = strcmp(get_text(e->origin, NULL), "200 hello") == 0; /* its own client */
    return NULL;
}

static void *run_elsewhere(void *arg)
{
    pthread_t thread;
    pthread_create(&thread, NULL, be_elsewhere, arg);
    pthread_join(thread, NULL);
    return NULL;
}

Test(origin, belongs_to_the_os_thread_that_made_it)
{
    struct elsewhere e = {.client = verd_http_client_new(NULL)};
    verd_http_request_options options = {.client = e.client};
    PEER(&peer, SAY(HELLO));
    snprintf(e.origin, sizeof e.origin, "%s", peer.origin);
    e.response = verd_http_get(peer.origin, &options);
    verd_offload(run_elsewhere, &e, NULL);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(e.error[i], EPERM, "%zu", i);
    cr_expect(e.answered);
    cr_expect_str_eq(response_text(e.response), "200 hello");
    cr_expect_eq(verd_http_client_free(e.client), 0);
    while (peer.open > 0) /* that OS thread's own client has ended with it */
        verd_sleep(VERD_MS);
    peer_stop(&peer);
}

Test(origin, of_a_child_process_is_connected_to_anew)
{
    int status = -1;
    PEER(&peer, SAY(HELLO));
    cr_expect_str_eq(get(), "200 hello");
    pid_t child = fork();
    if (child == 0) {
        bool right = strcmp(get(), "200 hello") == 0 && verd_http_client_connections(NULL) == 1;
        _exit(right ? 7 : 1);
    }
    cr_assert_eq(verd_waitpid(child, &status, 0), child);
    cr_expect_eq(WEXITSTATUS(status), 7);
    cr_expect_str_eq(get(), "200 hello");
    cr_expect_eq(peer.accepted, 2);
    peer_stop(&peer);
}
