/* SPDX-License-Identifier: MIT */

/* The end of a server: what is under way, what is idle, and who may ask for it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "process.h"
#include "shortage.h"
#include "site.h"

static struct site site;
static verd_semaphore go;
static size_t begun;

static verd_duration at_once = 0, never = VERD_FOREVER;

#define HELLO_AND_CLOSE                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n" \
    "Connection: close\r\n\r\nhello"

static int call_stop(struct caller *self)
{
    return verd_http_stop(self->object, *(const verd_duration *)self->item);
}

static int call_http_wait(struct caller *self)
{
    return verd_http_wait(self->object);
}

static int handle_when_told(verd_http_exchange *x, void *ctx)
{
    begun++;
    if (verd_semaphore_acquire(&go) != 0)
        return -1;
    return handle_hello(x, ctx);
}

static bool refuses(void)
{
    return outcome(verd_connect("127.0.0.1", site.port)) == -ECONNREFUSED;
}

Test(http, idle_connections_end_at_once)
{
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site), fresh = site_connect(&site);
    say(fd, GET);
    hear_some(fd, HELLO);
    settle();
    cr_expect_eq(verd_http_connections(site.server), 2);
    cr_expect_eq(verd_http_busy(site.server), 0);
    cr_expect_eq(verd_http_stop(site.server, VERD_FOREVER), 0);
    cr_expect_eq(verd_http_connections(site.server), 0);
    cr_expect_str_eq(hear(fd), "");
    cr_expect_str_eq(hear(fresh), "");
    cr_expect(refuses());
    verd_http_free(site.server);
}

Test(http, a_request_under_way_is_answered_as_the_last_of_its_connection)
{
    struct caller stopper;
    site_open(&site, handle_when_told, NULL);
    int fd = site_connect(&site);
    say(fd, GET GET);
    while (begun == 0)
        verd_yield();
    cr_expect_eq(verd_http_busy(site.server), 1);
    caller_start(&stopper, call_stop, site.server, &never);
    cr_expect_not(stopper.done);
    cr_expect(refuses());
    verd_semaphore_release(&go);
    cr_expect_str_eq(hear(fd), HELLO_AND_CLOSE);
    cr_expect_eq(caller_end(&stopper), 0);
    verd_http_free(site.server);
}

Test(http, a_request_that_has_begun_to_come_is_answered)
{
    struct caller stopper;
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site);
    say(fd, "GET / HT");
    while (verd_http_busy(site.server) == 0)
        verd_yield();
    settle();
    caller_start(&stopper, call_stop, site.server, &never);
    cr_expect_not(stopper.done);
    say(fd, "TP/1.1\r\nHost: h\r\n\r\n");
    cr_expect_str_eq(hear(fd), HELLO_AND_CLOSE);
    cr_expect_eq(caller_end(&stopper), 0);
    verd_http_free(site.server);
}

/* The stop comes when the bytes are there, and nobody has read them. */
Test(http, a_request_that_has_come_unseen_is_answered)
{
    site_open(&site, handle_hello, NULL);
    int idle = site_connect(&site);
    say(idle, GET);
    hear_some(idle, HELLO);
    settle();
    int fresh = site_connect(&site);
    settle();
    say(idle, GET);
    say(fresh, GET);
    cr_expect_eq(verd_http_stop(site.server, VERD_FOREVER), 0);
    cr_expect_str_eq(hear(idle), HELLO_AND_CLOSE);
    cr_expect_str_eq(hear(fresh), HELLO_AND_CLOSE);
    verd_http_free(site.server);
}

/* Connects without letting anyone else run. */
static int connect_unseen(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)site.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

Test(http, a_request_whose_connection_was_not_accepted_yet_is_answered)
{
    enum { CLIENTS = 100 };
    int fds[CLIENTS];
    need_descriptors(2 * CLIENTS);
    site_open(&site, handle_hello, NULL);
    settle();
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_unseen();
        cr_assert_eq(write(fds[i], GET, sizeof GET - 1), sizeof GET - 1);
    }
    cr_expect_eq(verd_http_stop(site.server, VERD_FOREVER), 0);
    for (int i = 0; i < CLIENTS; i++)
        cr_assert_str_eq(hear(fds[i]), HELLO_AND_CLOSE, "client %d", i);
    verd_http_free(site.server);
}

static int handle_slowly(verd_http_exchange *x, void *ctx)
{
    begun++;
    if (verd_sleep(5 * VERD_MS) != 0)
        return -1;
    return handle_hello(x, ctx);
}

Test(http, of_a_hundred_requests_in_flight_none_is_lost)
{
    enum { CLIENTS = 100 };
    int fds[CLIENTS];
    need_descriptors(2 * CLIENTS);
    site_open(&site, handle_slowly, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = site_connect(&site);
        say(fds[i],
            i % 3 == 0 ? "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" : GET);
    }
    while (begun < CLIENTS / 2)
        verd_yield();
    cr_expect_eq(verd_http_stop(site.server, VERD_FOREVER), 0);
    for (int i = 0; i < CLIENTS; i++) {
        const char *text = hear(fds[i]);
        cr_assert(strcmp(text, HELLO_AND_CLOSE) == 0 || strcmp(text, HELLO) == 0, "client %d: %s",
                  i, text);
    }
    verd_http_free(site.server);
}

Test(http, a_handler_is_killed_after_the_grace)
{
    site_open(&site, handle_when_told, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    while (begun == 0)
        verd_yield();
    verd_duration begin = verd_now();
    cr_expect_eq(verd_http_stop(site.server, 5 * VERD_MS), 0);
    cr_expect_geq(verd_now() - begin, 5 * VERD_MS);
    cr_expect_str_eq(hear(fd), "");
    verd_http_free(site.server);
}

Test(http, without_grace_all_end_at_once)
{
    site_open(&site, handle_when_told, NULL);
    int fd = site_connect(&site), idle = site_connect(&site);
    say(fd, GET);
    while (begun == 0)
        verd_yield();
    cr_expect_eq(verd_http_stop(site.server, at_once), 0);
    cr_expect_str_eq(hear(fd), "");
    cr_expect_str_eq(hear(idle), "");
    verd_http_free(site.server);
}

static int handle_stopping(verd_http_exchange *x, void *ctx)
{
    const struct site *own = ctx;
    int result = outcome(verd_http_stop(own->server, VERD_FOREVER));
    return verd_http_reply(x, result == 0 ? 200 : 500, "text/plain", "hello", 5);
}

Test(http, a_handler_may_stop_its_server)
{
    site_open(&site, handle_stopping, NULL);
    int idle = site_connect(&site);
    settle();
    cr_expect_str_eq(ask_and_stay(&site, GET), HELLO_AND_CLOSE);
    cr_expect_str_eq(hear(idle), "");
    cr_expect_eq(verd_http_wait(site.server), 0);
    cr_expect_eq(verd_http_free(site.server), 0);
}

Test(http, waiting_lasts_until_the_server_has_stopped)
{
    struct caller waiter;
    site_open(&site, handle_hello, NULL);
    caller_start(&waiter, call_http_wait, site.server, NULL);
    cr_expect_not(waiter.done);
    cr_expect_eq(outcome(verd_http_free(site.server)), -EBUSY);
    cr_expect_eq(verd_http_stop(site.server, never), 0);
    cr_expect_eq(caller_end(&waiter), 0);
    cr_expect_eq(verd_http_stop(site.server, never), 0);
    cr_expect_eq(verd_http_wait(site.server), 0);
    cr_expect_eq(verd_http_free(site.server), 0);
}

Test(http, a_server_whose_listener_fails_tells_who_waits)
{
    int port;
    int listener = make_listener(&port);
    verd_http_server *server = verd_http_serve(listener, handle_hello, NULL, NULL);
    settle();
    verd_close(listener);
    cr_expect_eq(outcome(verd_http_wait(server)), -EBADF);
    cr_expect_eq(verd_http_stop(server, never), 0);
    verd_http_free(server);
}

/* A client that does not know yet that the reply is its last must not be reset: that could overtake
 * the reply. */
Test(http, a_client_that_asks_on_gets_the_last_reply_whole)
{
    struct caller stopper;
    site_open(&site, handle_when_told, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    while (begun == 0)
        verd_yield();
    caller_start(&stopper, call_stop, site.server, &never);
    say(fd, GET);
    verd_semaphore_release(&go);
    verd_sleep(5 * VERD_MS);
    say(fd, GET);
    cr_expect_str_eq(hear(fd), HELLO_AND_CLOSE);
    cr_expect_eq(caller_end(&stopper), 0);
    verd_http_free(site.server);
}

static void stop_in_child(void *arg)
{
    (void)arg;
    cr_expect_eq(verd_http_busy(site.server), 0);
    if (verd_http_connections(site.server) == 0 && verd_http_stop(site.server, never) == 0 &&
        verd_http_free(site.server) == 0)
        _exit(0);
    _exit(1);
}

Test(http, in_the_child_of_a_fork_a_server_has_ended)
{
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site);
    settle();
    struct process_end end = process_run(stop_in_child, NULL);
    cr_expect_eq(end.status, 0, "%s", end.text);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    verd_close(fd);
    site_close(&site);
}

/* ---- misuse ---- */

static void *use_elsewhere(void *arg)
{
    struct site *other = arg;
    int failures = 0;
    failures += outcome(verd_http_stop(other->server, 0)) != -EPERM;
    failures += outcome(verd_http_wait(other->server)) != -EPERM;
    failures += outcome(verd_http_free(other->server)) != -EPERM;
    return (void *)(intptr_t)failures;
}

Test(http, another_os_thread_may_not_use_a_server)
{
    pthread_t thread;
    void *failures;
    site_open(&site, handle_hello, NULL);
    pthread_create(&thread, NULL, use_elsewhere, &site);
    pthread_join(thread, &failures);
    cr_expect_null(failures);
    site_close(&site);
}

Test(http, why_there_is_no_listener_is_why_there_is_no_server)
{
    int port;
    make_listener(&port);
    cr_expect_null(verd_http_serve(verd_listen("127.0.0.1", port, 0), handle_hello, NULL, NULL));
    cr_expect_eq(errno, EADDRINUSE);
}

Test(http, what_cannot_be_served_is_an_error)
{
    int port;
    int fds[2];
    make_pair(fds);
    errno = 0;
    cr_expect_null(verd_http_serve(-1, handle_hello, NULL, NULL));
    cr_expect_eq(errno, EBADF);
    cr_expect_null(verd_http_serve(fds[0], handle_hello, NULL, NULL));
    cr_expect_eq(errno, EINVAL);
    cr_expect_null(verd_http_serve(make_listener(&port), NULL, NULL, NULL));
    cr_expect_eq(errno, EINVAL);
    verd_http_options huge = {.limits = {.fields = SIZE_MAX}};
    cr_expect_null(verd_http_serve(make_listener(&port), handle_hello, NULL, &huge));
    cr_expect_eq(errno, ENOMEM);
    cr_expect_eq(outcome(verd_http_stop(NULL, 0)), -EINVAL);
    cr_expect_eq(outcome(verd_http_wait(NULL)), -EINVAL);
    cr_expect_eq(verd_http_free(NULL), 0);
    cr_expect_eq(verd_http_connections(NULL), 0);
    cr_expect_eq(verd_http_busy(NULL), 0);
}
