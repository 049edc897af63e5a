/* SPDX-License-Identifier: MIT */

/* Who is served at last: clients who wait to be accepted when the server is stopped, and stoppers of several kinds. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "caller.h"
#include "site.h"

static struct site site;
static verd_semaphore go;
static size_t begun;
static ssize_t last;
static verd_duration at_once = 0, half_second = 500 * VERD_MS, never = VERD_FOREVER;

#define HELLO_AND_CLOSE                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n" \
    "Connection: close\r\n\r\nhello"

static int call_stop(struct caller *self)
{
    return verd_http_stop(self->object, *(const verd_duration *)self->item);
}

static int handle_when_told(verd_http_exchange *x, void *ctx)
{
    begun++;
    last = outcome(verd_semaphore_acquire(&go));
    return last == 0 ? handle_hello(x, ctx) : -1;
}

static int ask_of(const struct site *own)
{
    int fd = site_connect(own);
    say(fd, GET);
    return fd;
}

/* A server whose one slot is taken, and `count` clients who wait to be accepted. */
static void open_full_site(int *fds, int count)
{
    static verd_http_options options = {.connections = 1};
    site_open(&site, handle_when_told, &options);
    fds[0] = ask_of(&site);
    while (begun == 0)
        verd_yield();
    for (int i = 1; i <= count; i++)
        fds[i] = ask_of(&site);
    settle();
}

enum { WAITING = 5 };

/* However long that takes. */
Test(http, within_the_grace_all_who_wait_to_be_accepted_are_served)
{
    struct caller stopper;
    int fds[WAITING + 1];
    open_full_site(fds, WAITING);
    caller_start(&stopper, call_stop, site.server, &never);
    verd_sleep(1100 * VERD_MS);
    cr_expect_not(stopper.done);
    for (int i = 0; i <= WAITING; i++) {
        verd_semaphore_release(&go);
        cr_expect_str_eq(hear(fds[i]), HELLO_AND_CLOSE, "client %d", i);
    }
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(outcome(verd_connect("127.0.0.1", site.port)), -ECONNREFUSED);
    cr_expect_eq(verd_http_free(site.server), 0);
}

Test(http, after_the_grace_nobody_is_accepted)
{
    struct caller stopper;
    int fds[WAITING + 1];
    open_full_site(fds, WAITING);
    caller_start(&stopper, call_stop, site.server, &half_second);
    verd_sleep(2 * half_second - VERD_MS);
    cr_expect_eq(last, -ECANCELED); /* there is one grace */
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(begun, 1);
    for (int i = 0; i <= WAITING; i++)
        verd_close(fds[i]);
    cr_expect_eq(verd_http_free(site.server), 0);
}

Test(http, a_server_that_one_stops_and_another_frees_is_touched_by_neither_afterwards)
{
    struct caller patient;
    int fds[WAITING + 1];
    open_full_site(fds, WAITING);
    caller_start(&patient, call_stop, site.server, &never);
    cr_expect_eq(outcome(verd_http_free(site.server)), -EBUSY);
    cr_expect_eq(verd_http_stop(site.server, at_once), 0);
    cr_expect_eq(verd_http_free(site.server), 0);
    cr_expect_eq(caller_end(&patient), 0);
    for (int i = 0; i <= WAITING; i++)
        verd_close(fds[i]);
}

static int handle_stopping(verd_http_exchange *x, void *ctx)
{
    const struct site *own = ctx;
    begun++;
    verd_semaphore_acquire(&go);
    last = outcome(verd_http_stop(own->server, VERD_FOREVER));
    return handle_hello(x, ctx);
}

/* Who waits for its slot would wait for ever. */
Test(http, a_handler_that_has_the_only_slot_may_stop_its_server)
{
    verd_http_options options = {.connections = 1};
    site_open(&site, handle_stopping, &options);
    int first = ask_of(&site);
    while (begun == 0)
        verd_yield();
    int second = ask_of(&site);
    settle();
    verd_semaphore_release(&go);
    cr_expect_str_eq(hear(first), HELLO_AND_CLOSE);
    cr_expect_eq(last, 0);
    cr_expect_eq(verd_http_wait(site.server), 0);
    cr_expect_eq(verd_http_free(site.server), 0);
    verd_close(second);
}

Test(http, who_has_just_connected_to_a_server_that_stops_may_ask)
{
    struct caller stopper;
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site);
    settle();
    int unseen = site_connect(&site);
    caller_start(&stopper, call_stop, site.server, &never);
    settle();
    say(fd, GET);
    say(unseen, GET);
    cr_expect_str_eq(hear(fd), HELLO_AND_CLOSE);
    cr_expect_str_eq(hear(unseen), HELLO_AND_CLOSE);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(verd_http_free(site.server), 0);
}

/* A client that asks again as soon as it has its answer. */
static void *ask_on(void *arg)
{
    int fd = site_connect(arg);
    do {
        say(fd, GET);
    } while (strcmp(hear_some(fd, HELLO), HELLO) == 0);
    verd_close(fd);
    return NULL;
}

Test(http, a_server_whose_listener_has_died_ends_though_clients_ask_on)
{
    int listener = make_listener(&site.port);
    site.server = verd_http_serve(listener, handle_hello, NULL, NULL);
    verd_thread *client = verd_spawn(ask_on, &site);
    int idle = ask_of(&site);
    hear_some(idle, HELLO);
    verd_close(listener);
    cr_expect_eq(outcome(verd_http_wait(site.server)), -EBADF);
    cr_expect_str_eq(hear(idle), "");
    verd_join(client, NULL);
    cr_expect_eq(verd_http_free(site.server), 0);
}

Test(http, why_there_is_no_listener_is_what_serving_says)
{
    errno = EADDRINUSE;
    cr_expect_null(verd_http_serve(-1, handle_hello, NULL, NULL));
    cr_expect_eq(errno, EADDRINUSE);
    errno = 0;
    cr_expect_null(verd_http_serve(-1, handle_hello, NULL, NULL));
    cr_expect_eq(errno, EBADF);
}
