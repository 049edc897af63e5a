/* SPDX-License-Identifier: MIT */
/* What servers' handlers wait for. A handler's client is the main thread. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "table.h"

/* ---- a handler that makes the call ---- */

/* One at a time is of interest: the last. The others' servers are still there, and nobody's any more. */
struct visit {
    struct visit *before;
    const void *server;
    int guest;  /* the client's end */
    int client; /* the handler's; or */
    verd_http_exchange *x;
    void (*prepare)(verd_http_exchange *x); /* before the call; NULL: nothing */
    verd_event begin;
    verd_thread *thread; /* NULL: not there yet */
    void *(*call)(void *arg);
    void *arg;
};

static struct visit *visit;

static void attend(struct visit *self)
{
    self->thread = verd_self();
    verd_event_wait(&self->begin, NULL);
    self->call(self->arg);
}

static void handle(int client, void *arg)
{
    struct visit *self = arg;
    self->client = client;
    attend(self);
}

static int answer(verd_http_exchange *x, void *arg)
{
    struct visit *self = arg;
    self->x = x;
    if (self->prepare != NULL)
        self->prepare(x);
    attend(self);
    return 0;
}

static void await_attendance(void)
{
    while (visit->thread == NULL)
        verd_sleep(VERD_MS);
    callers_settle();
    verd_event_set(&visit->begin, NULL);
}

static void begin_visit(void *(*call)(void *arg), void *arg)
{
    struct visit *next = calloc(1, sizeof *next);
    must(next != NULL, "memory");
    next->before = visit;
    visit = next;
    visit->call = call;
    visit->arg = arg;
}

static verd_thread *start_handler(void *(*call)(void *arg), void *arg)
{
    int port, listener = make_listener(&port);
    begin_visit(call, arg);
    visit->server = verd_serve(listener, handle, visit, NULL);
    must(visit->server != NULL, "verd_serve");
    visit->guest = verd_connect("127.0.0.1", port);
    await_attendance();
    return visit->thread;
}

/* Has a client ask, once the server's end is made. */
static void await_answer(int listener, int guest, void (*prepare)(verd_http_exchange *x))
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n";
    const ssize_t size = sizeof request - 1;
    char head[1024];
    visit->prepare = prepare;
    visit->server = verd_http_serve(listener, answer, visit, NULL);
    must(visit->server != NULL, "verd_http_serve");
    visit->guest = guest;
    must(write(guest, request, (size_t)size) == size, "write");
    await_attendance();
    while (recv(guest, head, sizeof head, MSG_DONTWAIT) > 0)
        ;
}

static verd_thread *start_answer(void *(*call)(void *arg), void *arg,
                                 void (*prepare)(verd_http_exchange *x))
{
    int port, listener = make_listener(&port);
    begin_visit(call, arg);
    await_answer(listener, verd_connect("127.0.0.1", port), prepare);
    return visit->thread;
}

static verd_thread *start_reply(void *(*call)(void *arg), void *arg)
{
    return start_answer(call, arg, NULL);
}

static void upgrade(verd_http_exchange *x)
{
    must(verd_http_upgrade(x, "a") == 0, "verd_http_upgrade");
}

static verd_thread *start_upgraded(void *(*call)(void *arg), void *arg)
{
    return start_answer(call, arg, upgrade);
}

static int fd_of_visit(void)
{
    return visit->x != NULL ? verd_http_stream(visit->x)->fd : visit->client;
}

static void speak(void)
{
    must(write(visit->guest, "x", 1) == 1, "write");
}

static void leave(void)
{
    must(shutdown(visit->guest, SHUT_WR) == 0, "shutdown");
}

/* Over TCP the kernel may take its time. */
static void await_guest(void)
{
    struct pollfd poller = {.fd = fd_of_visit(), .events = POLLIN};
    must(poll(&poller, 1, -1) == 1, "poll");
}

static intptr_t await_next(void)
{
    return result_of(verd_serve_next(visit->client));
}

static intptr_t await_leaving(void)
{
    return result_of(verd_http_gone(visit->x, VERD_FOREVER));
}

static intptr_t pause_until_leaving(void)
{
    return result_of(verd_http_pause(visit->x, VERD_FOREVER));
}

static intptr_t read_upgraded(void)
{
    char byte;
    ssize_t got = verd_http_read(visit->x, &byte, 1);
    return got == 1 ? byte : result_of(got);
}

/* ---- events, for which there is no room ---- */

static void begin_events(verd_http_exchange *x)
{
    must(verd_http_events_begin(x) == 0, "verd_http_events_begin");
}

/* By a Unix socket, of which it is known when it is full. */
static verd_thread *start_full(void *(*call)(void *arg), void *arg,
                               void (*prepare)(verd_http_exchange *x))
{
    static unsigned count;
    char name[64];
    snprintf(name, sizeof name, "@verd-wait-events-%ld-%u", (long)getpid(), count++);
    int listener = verd_listen_unix(name, 0);
    begin_visit(call, arg);
    await_answer(listener, verd_connect_unix(name), prepare);
    fill(fd_of_visit());
    return visit->thread;
}

static verd_thread *start_full_reply(void *(*call)(void *arg), void *arg)
{
    return start_full(call, arg, NULL);
}

static verd_thread *start_full_events(void *(*call)(void *arg), void *arg)
{
    return start_full(call, arg, begin_events);
}

static void make_room(void)
{
    drain(visit->guest);
}

static intptr_t begin_without_room(void)
{
    return result_of(verd_http_events_begin(visit->x));
}

static intptr_t send_event(void)
{
    return result_of(verd_http_events_send(visit->x, &(verd_http_event){.data = "news"}));
}

static intptr_t keep_events(void)
{
    return result_of(verd_http_events_keep(visit->x));
}

/* How often a text comes, which has to come; what comes before it has no end in the middle of it. */
static size_t count_of(const char *text)
{
    static char heard[1 << 20];
    size_t size = 0, count = 0;
    struct pollfd poller = {.fd = visit->guest, .events = POLLIN};
    while (poll(&poller, 1, count == 0 ? 10000 : 50) == 1 && size < sizeof heard) {
        ssize_t n = recv(visit->guest, heard + size, sizeof heard - size, MSG_DONTWAIT);
        if (n <= 0)
            break;
        size += (size_t)n;
        count = 0;
        for (const char *at = heard;
             (at = memmem(at, (size_t)(heard + size - at), text, strlen(text))) != NULL; at++)
            count++;
    }
    return count;
}

static bool one_head_was_sent(void)
{
    return count_of("text/event-stream") == 1;
}

static bool one_event_was_sent(void)
{
    return count_of("data: news\n\n") == 1;
}

static bool one_comment_was_sent(void)
{
    return count_of(":\n\n") == 1;
}

#define HANDLER(name, what, start_, call_, event, result) \
    {.call = name,                                        \
     .when = what,                                        \
     .start = start_,                                     \
     .make = call_,                                       \
     .right = result,                                     \
     .provoke = event,                                    \
     .arrive = await_guest,                               \
     .traits = ALONE | FLEETING}

#define EVENTS(name, start_, call_, account, next) \
    {.call = name,                                 \
     .when = "room",                               \
     .start = start_,                              \
     .make = call_,                                \
     .provoke = make_room,                         \
     .whole = account,                             \
     .traits = ALONE | FLEETING | LAST,            \
     .after_last = next}

static const struct row rows[] = {
    HANDLER("verd_serve_next", "a client's next request", start_handler, await_next, speak, 1),
    HANDLER("verd_http_gone", "the client's leaving", start_reply, await_leaving, leave, 1),
    HANDLER("verd_http_pause", "the client's leaving", start_reply, pause_until_leaving, leave, 1),
    HANDLER("verd_http_read", "bytes once it has upgraded", start_upgraded, read_upgraded, speak,
            'x'),
    EVENTS("verd_http_events_begin", start_full_reply, begin_without_room, one_head_was_sent,
           -EALREADY),
    EVENTS("verd_http_events_send", start_full_events, send_event, one_event_was_sent, -ETIMEDOUT),
    EVENTS("verd_http_events_keep", start_full_events, keep_events, one_comment_was_sent,
           -ETIMEDOUT),
};

const struct rows rows_of_http = ROWS(rows);
