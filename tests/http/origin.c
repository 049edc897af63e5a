/* SPDX-License-Identifier: MIT */

/* The client's connections: how many there are, which are used again, and what becomes of them when
 * the time runs out, a thread is killed, or the server has closed them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"
#include "peer.h"

static struct peer peer, other;

#define OK "HTTP/1.1 200 OK\r\n"
#define HELLO OK "Content-Length: 5\r\n\r\nhello"
#define SAY(what) {.text = (what)}
#define SAY_AND_CLOSE(what) {.text = (what), .close = true}
#define HANG_UP {.close = true}
#define SILENCE {.text = NULL}

static const char *get(void)
{
    return get_text(peer.origin, NULL);
}

static const char *error_text(int error)
{
    return strerror(error);
}

/* ---- used again ---- */

Test(origin, has_its_connection_used_again)
{
    PEER(&peer, SAY(HELLO));
    for (int i = 0; i < 5; i++) {
        cr_expect_str_eq(get(), "200 hello");
        cr_expect_eq(verd_http_client_connections(NULL), 1);
        cr_expect_eq(verd_http_client_idle(NULL), 1);
    }
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
    cr_expect_eq(verd_http_client_connections(NULL), 0);
}

Test(origin, has_its_connection_back_once_the_body_was_read)
{
    PEER(&peer, SAY(HELLO));
    verd_http_response *first = verd_http_get(peer.origin, NULL);
    cr_expect_eq(verd_http_client_idle(NULL), 0);
    verd_http_response_body(first, 10, NULL);
    cr_expect_eq(verd_http_client_idle(NULL), 1);
    cr_expect_str_eq(get(), "200 hello");
    cr_expect_str_eq(verd_http_response_body(first, 10, NULL), "hello");
    verd_http_response_free(first);
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

Test(origin, has_its_connection_back_if_all_that_was_not_read_has_come)
{
    PEER(&peer, SAY(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    verd_http_response_free(verd_http_get(peer.origin, NULL));
    cr_expect_eq(verd_http_client_idle(NULL), 1);
    cr_expect_eq(verd_http_client_connections(NULL), 1);
    peer_stop(&peer);
}

Test(origin, loses_a_connection_on_which_more_is_to_come)
{
    PEER(&peer, SAY(OK "Content-Length: 6\r\n\r\nhello"));
    verd_http_response_free(verd_http_get(peer.origin, NULL));
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    peer_stop(&peer);
}

Test(origin, loses_a_connection_that_is_not_to_be_kept)
{
    static const verd_http_field close = {"Connection", "close"};
    PEER(&peer, SAY(OK "Connection: close\r\nContent-Length: 5\r\n\r\nhello"),
         SAY(OK "Connection: x, Close\r\nContent-Length: 5\r\n\r\nhello"),
         SAY("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
         SAY("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\n\r\n"),
         SAY(HELLO " and more"), SAY(HELLO));
    for (int i = 0; i < 5; i++) {
        cr_expect_str_eq(get(), "200 hello", "%d", i);
        cr_expect_eq(verd_http_client_connections(NULL), 0, "%d", i);
    }
    get_text(peer.origin, &(verd_http_request_options){.fields = &close, .field_count = 1});
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    cr_expect_eq(peer.accepted, 6);
    peer_stop(&peer);
}

Test(origin, keeps_a_connection_of_the_old_version_if_the_server_says_so)
{
    PEER(&peer, SAY("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
    cr_expect_str_eq(get(), "200 ");
    cr_expect_str_eq(get(), "200 ");
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

Test(origin, loses_a_connection_in_time_before_the_server_closes_it)
{
#define KEPT(how) SAY(OK "Keep-Alive: " how "\r\nContent-Length: 5\r\n\r\nhello")
    PEER(&peer, KEPT("timeout=1"), KEPT("max=9, Timeout=0"), KEPT("timeout=5, max=100"),
         KEPT("timeout=99999999999999999999999999"), KEPT("timeout=, max=9"), KEPT("timeout"),
         KEPT("max=100"));
    for (int i = 0; i < 7; i++) {
        cr_expect_str_eq(ask_text("POST", peer.origin, NULL), "200 hello");
        cr_expect_eq(verd_http_client_idle(NULL), i >= 2, "%d", i);
    }
    cr_expect_eq(peer.accepted, 3);
    peer_stop(&peer);
}

Test(origin, is_asked_on_a_new_connection_when_the_servers_time_is_nearly_over)
{
    PEER(&peer, KEPT("timeout=2"), SAY(HELLO));
    cr_expect_str_eq(ask_text("POST", peer.origin, NULL), "200 hello");
    verd_sleep(VERD_SEC);
    cr_expect_eq(peer.open, 1);
    cr_expect_str_eq(ask_text("POST", peer.origin, NULL), "200 hello");
    cr_expect_eq(peer.accepted, 2);
    peer_stop(&peer);
}

/* ---- closed by the server ---- */

Test(origin, whose_server_has_closed_the_connection_is_connected_to_anew)
{
    PEER(&peer, SAY_AND_CLOSE(HELLO));
    for (int i = 0; i < 3; i++) {
        cr_expect_str_eq(ask_text("POST", peer.origin, NULL), "200 hello");
        while (peer.open > 0)
            verd_sleep(VERD_MS);
    }
    cr_expect_eq(peer.accepted, 3);
    peer_stop(&peer);
}

Test(origin, that_says_something_unasked_is_connected_to_anew)
{
    static char twice[] = HELLO;
    PEER(&peer, {.text = HELLO "HTTP/1.1 408 Time\r\n\r\n", .step = sizeof twice - 1}, SAY(HELLO));
    cr_expect_str_eq(get(), "200 hello");
    settle();
    verd_sleep(5 * VERD_MS);
    cr_expect_str_eq(ask_text("POST", peer.origin, NULL), "200 hello");
    cr_expect_eq(peer.accepted, 2);
    peer_stop(&peer);
}

Test(origin, is_asked_again_when_a_kept_connection_says_nothing)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    static const struct reply replies[] = {SAY(OK "Content-Length: 0\r\n\r\n"), HANG_UP,
                                           SAY_AND_CLOSE(OK "Content-Length: 0\r\n\r\n")};
    verd_http_request_options options = {.body = "body", .size = 4};
    for (size_t i = 0; i < 6; i++) {
        peer_start(&peer, replies, 3);
        cr_expect_str_eq(ask_text(methods[i], peer.origin, &options), "200 ");
        cr_expect_str_eq(ask_text(methods[i], peer.origin, &options), "200 ", "%s", methods[i]);
        cr_expect_eq(peer.requests, 3);
        cr_expect_eq(peer.accepted, 2);
        cr_expect_str_eq(strstr(peer.heard[2], "\r\n\r\n"), "\r\n\r\nbody");
        peer_stop(&peer);
    }
}

Test(origin, is_not_asked_twice_to_do_what_may_be_done_already)
{
    static const char *const methods[] = {"POST", "PATCH", "get", "LOCK"};
    static const struct reply replies[] = {SAY(HELLO), HANG_UP, SAY(HELLO)};
    for (size_t i = 0; i < 4; i++) {
        peer_start(&peer, replies, 3);
        cr_expect_str_eq(get(), "200 hello");
        cr_expect_str_eq(ask_text(methods[i], peer.origin, NULL), error_text(ECONNRESET), "%s",
                         methods[i]);
        cr_expect_eq(peer.requests, 2);
        cr_expect_eq(verd_http_client_connections(NULL), 0);
        peer_stop(&peer);
    }
}

Test(origin, is_not_asked_again_once_something_came_back)
{
    PEER(&peer, SAY(HELLO), SAY_AND_CLOSE("H"), SAY(HELLO),
         SAY_AND_CLOSE("HTTP/1.1 100 C\r\n\r\n"));
    for (int i = 0; i < 2; i++) {
        cr_expect_str_eq(get(), "200 hello");
        cr_expect_str_eq(get(), error_text(ECONNRESET));
    }
    cr_expect_eq(peer.requests, 4);
    peer_stop(&peer);
}

Test(origin, is_not_asked_again_on_a_new_connection)
{
    PEER(&peer, HANG_UP);
    cr_expect_str_eq(get(), error_text(ECONNRESET));
    cr_expect_eq(peer.requests, 1);
    peer_stop(&peer);
    PEER(&peer, SAY(HELLO), HANG_UP);
    cr_expect_str_eq(get(), "200 hello");
    cr_expect_str_eq(get(), error_text(ECONNRESET));
    cr_expect_eq(peer.requests, 3);
    peer_stop(&peer);
}

static ssize_t give_once(void *ctx, void *buffer, size_t size)
{
    int *times = ctx;
    (void)buffer, (void)size;
    (*times)++;
    return 0;
}

Test(origin, is_not_asked_again_with_a_body_that_is_gone)
{
    int times = 0;
    verd_http_request_options options = {.source = give_once, .source_ctx = &times};
    PEER(&peer, SAY(HELLO), HANG_UP, SAY(HELLO));
    cr_expect_str_eq(get(), "200 hello");
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), error_text(ECONNRESET));
    cr_expect_eq(times, 1);
    peer_stop(&peer);
}

/* ---- bounds ---- */

struct job {
    verd_http_request_options options;
    const char *text;
    verd_duration patience;
    verd_thread *thread;
};

static void *do_job(void *arg)
{
    struct job *job = arg;
    verd_timeout limit;
    verd_timeout_begin(&limit, job->patience);
    job->text = get_text(peer.origin, &job->options);
    verd_timeout_end(&limit);
    return NULL;
}

static void start(struct job *job, verd_http_client *client)
{
    job->options.client = client;
    if (job->patience == 0)
        job->patience = VERD_FOREVER;
    job->thread = verd_spawn(do_job, job);
}

Test(origin, has_no_more_connections_than_allowed_and_others_wait_in_line)
{
    struct job jobs[6] = {0};
    verd_http_client *client = verd_http_client_new(&(verd_http_client_options){.connections = 2});
    PEER(&peer, {.text = HELLO, .step = 7});
    for (size_t i = 0; i < 6; i++)
        start(&jobs[i], client);
    for (size_t i = 0; i < 6; i++) {
        verd_join(jobs[i].thread, NULL);
        cr_expect_str_eq(jobs[i].text, "200 hello");
    }
    cr_expect_eq(peer.most_open, 2);
    cr_expect_eq(peer.accepted, 2);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

Test(origin, keeps_no_more_unused_connections_than_allowed)
{
    struct job jobs[6] = {0};
    verd_http_client *client = verd_http_client_new(&(verd_http_client_options){.idle = 2});
    PEER(&peer, {.text = HELLO, .step = 7});
    for (size_t i = 0; i < 6; i++)
        start(&jobs[i], client);
    for (size_t i = 0; i < 6; i++)
        verd_join(jobs[i].thread, NULL);
    cr_expect_eq(peer.accepted, 6);
    cr_expect_eq(verd_http_client_connections(client), 2);
    cr_expect_eq(verd_http_client_idle(client), 2);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

Test(origin, that_is_unused_for_longest_loses_its_connection_to_others)
{
    struct peer peers[3];
    verd_http_client *client = verd_http_client_new(&(verd_http_client_options){.idle = 2});
    verd_http_request_options options = {.client = client};
    static const size_t order[] = {0, 1, 0, 2, 0, 1};
    for (size_t i = 0; i < 3; i++)
        PEER(&peers[i], SAY(HELLO));
    for (size_t i = 0; i < 6; i++) {
        cr_expect_str_eq(get_text(peers[order[i]].origin, &options), "200 hello");
        cr_expect_leq(verd_http_client_connections(client), 2);
    }
    cr_expect_eq(peers[0].accepted, 1);
    cr_expect_eq(peers[1].accepted, 2);
    cr_expect_eq(peers[2].accepted, 1);
    cr_expect_eq(verd_http_client_free(client), 0);
    for (size_t i = 0; i < 3; i++)
        peer_stop(&peers[i]);
}

Test(origin, loses_its_unused_connection_to_others_that_lack_a_descriptor)
{
    struct rlimit limit;
    int fds[64];
    size_t taken = 0;
    struct peer peers[2];
    PEER(&peers[0], SAY(HELLO));
    PEER(&peers[1], SAY(HELLO));
    cr_expect_str_eq(get_text(peers[0].origin, NULL), "200 hello");
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 40;
    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fds[taken] = dup(0)) >= 0)
        taken++;
    cr_expect_str_eq(get_text(peers[1].origin, NULL), "200 hello");
    cr_expect_eq(verd_http_client_connections(NULL), 1);
    peer_stop(&peers[0]);
    peer_stop(&peers[1]);
}

Test(origin, has_a_connection_no_longer_than_its_idle_time)
{
    verd_http_client *client =
        verd_http_client_new(&(verd_http_client_options){.idle_time = 20 * VERD_MS});
    verd_http_request_options options = {.client = client};
    PEER(&peer, SAY(HELLO));
    PEER(&other, SAY(HELLO));
    get_text(peer.origin, &options);
    verd_sleep(20 * VERD_MS);
    get_text(peer.origin, &options);
    cr_expect_eq(peer.accepted, 2);
    verd_sleep(20 * VERD_MS);
    get_text(other.origin, &options); /* which is when it is noticed that the time is over */
    cr_expect_eq(verd_http_client_connections(client), 1);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
    peer_stop(&other);
}

Test(origin, closes_unused_connections_beside_used_ones)
{
    struct job jobs[4] = {0};
    verd_http_client *client = verd_http_client_new(NULL);
    verd_http_request_options options = {.client = client};
    PEER(&peer, {.text = HELLO, .step = 7});
    for (size_t i = 0; i < 4; i++)
        start(&jobs[i], client);
    for (size_t i = 0; i < 4; i++)
        verd_join(jobs[i].thread, NULL);
    verd_http_response *response = verd_http_get(peer.origin, &options);
    cr_expect_eq(verd_http_client_idle(client), 3);
    cr_expect_eq(verd_http_client_close_idle(client), 0);
    cr_expect_eq(verd_http_client_idle(client), 0);
    cr_expect_eq(verd_http_client_connections(client), 1);
    cr_expect_str_eq(response_text(response), "200 hello");
    cr_expect_eq(verd_http_client_idle(client), 1);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

/* ---- given up ---- */

static verd_http_client *client_of_one(void)
{
    return verd_http_client_new(&(verd_http_client_options){.connections = 1});
}

/* Whether each got as far as it can: not on a slow machine. */
static bool run_out_of_time(verd_http_client *client, verd_duration patience)
{
    struct job jobs[4] = {{.patience = patience}, {.patience = patience}, {.patience = patience}};
    PEER(&peer, SILENCE, SAY("HTTP/1.1 200"), SAY(OK "Content-Length: 6\r\n\r\nhello"), SAY(HELLO));
    for (size_t i = 0; i < 4; i++) {
        start(&jobs[i], client);
        verd_join(jobs[i].thread, NULL);
        if (peer.accepted != i + 1 || peer.requests != i + 1)
            return false;
    }
    cr_expect_str_eq(jobs[0].text, error_text(ETIMEDOUT));
    cr_expect_str_eq(jobs[1].text, error_text(ETIMEDOUT));
    cr_expect_str_eq(jobs[3].text, "200 hello");
    return strncmp(jobs[2].text, "200, then", 9) == 0;
}

Test(origin, loses_no_slot_to_a_request_that_runs_out_of_time)
{
    verd_http_client *client = client_of_one();
    verd_duration patience = 20 * VERD_MS;
    while (!run_out_of_time(client, patience)) {
        peer_stop(&peer);
        verd_http_client_close_idle(client);
        patience *= 2;
    }
    cr_expect_eq(verd_http_client_connections(client), 1);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

Test(origin, loses_no_slot_to_a_thread_that_is_killed)
{
    verd_http_client *client = client_of_one();
    struct job jobs[3] = {0};
    PEER(&peer, SILENCE, SAY(HELLO));
    for (size_t i = 0; i < 3; i++)
        start(&jobs[i], client);
    while (peer.requests == 0)
        verd_sleep(VERD_MS);
    verd_kill(jobs[0].thread); /* it waits for the response */
    verd_kill(jobs[1].thread); /* and it in line */
    for (size_t i = 0; i < 3; i++)
        verd_join(jobs[i].thread, NULL);
    cr_expect_str_eq(jobs[0].text, error_text(ECANCELED));
    cr_expect_str_eq(jobs[1].text, error_text(ECANCELED));
    cr_expect_str_eq(jobs[2].text, "200 hello");
    cr_expect_eq(verd_http_client_connections(client), 1);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

Test(origin, asks_for_nothing_in_a_killed_thread)
{
    struct job job = {.patience = 0};
    PEER(&peer, SAY(HELLO));
    cr_expect_str_eq(get(), "200 hello");
    start(&job, NULL);
    verd_kill(verd_self());
    cr_expect_str_eq(get(), error_text(ECANCELED));
    cr_expect_eq(peer.requests, 1);
    cr_expect_eq(verd_http_client_connections(NULL), 1);
}

Test(origin, goes_on_with_a_body_after_a_timeout_within_it)
{
    verd_timeout limit;
    char text[8] = "";
    PEER(&peer, SAY(OK "Content-Length: 5\r\n\r\nhel"));
    verd_http_response *response = verd_http_get(peer.origin, NULL);
    cr_expect_eq(verd_http_response_read(response, text, 5), 3);
    verd_timeout_begin(&limit, 5 * VERD_MS);
    cr_expect_eq(verd_http_response_read(response, text + 3, 5), -1);
    cr_expect_eq(errno, ETIMEDOUT);
    verd_timeout_end(&limit);
    verd_write(peer.fd, "lo", 2);
    cr_expect_eq(verd_http_response_read(response, text + 3, 5), 2);
    cr_expect_str_eq(text, "hello");
    cr_expect_eq(verd_http_client_idle(NULL), 1);
    verd_http_response_free(response);
    peer_stop(&peer);
}

Test(origin, that_cannot_be_connected_to_says_why)
{
    int port;
    char url[64];
    int listener = make_listener(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    verd_close(listener);
    for (int i = 0; i < 3; i++)
        cr_expect_str_eq(get_text(url, NULL), error_text(ECONNREFUSED));
    cr_expect_eq(verd_http_client_connections(NULL), 0);
}
