/* SPDX-License-Identifier: MIT */
/* <verd/http.h> */
#include "table.h"

#include <string.h>

#define NAME "@libverd-errno"

/* ---- a server, and a handler that makes a call ---- */

static int listener = -1;
static verd_http_server *server;
static verd_pool *pool;
static int (*call_in_handler)(verd_http_exchange *exchange);
static int got = -1; /* what it gave */

static int handle(verd_http_exchange *exchange, void *ctx)
{
    (void)ctx;
    got = call_in_handler(exchange);
    return -1;
}

static void make_listener(void)
{
    listener = verd_listen_unix(NAME, 0);
    must(listener >= 0);
}

static void make_server(void)
{
    static const verd_http_options options = {.body = 4};
    make_listener();
    server = verd_http_serve(listener, handle, NULL, &options);
    must(server != NULL);
}

int handled(const char *request, bool waits, int (*call)(verd_http_exchange *))
{
    call_in_handler = call;
    make_server();
    int client = verd_connect_unix(NAME);
    must(client >= 0 && verd_write_full(client, request, strlen(request), NULL) > 0);
    if (!waits)
        must(verd_close(client) == 0);
    while (got < 0)
        must(verd_sleep(VERD_MS) == 0);
    return got;
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
#define CHUNKS "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CONNECT "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"
#define UPGRADE "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"

/* A call of a table that is made in a handler; before it, `fault` (NULL: none) is to fail. */
#define HANDLED(name, request, waits, fault, expression)   \
    static int name##_in_handler(verd_http_exchange *x)    \
    {                                                      \
        if ((fault) != NULL)                               \
            fault_next(fault, ENOMEM);                     \
        return (expression) ? 0 : errno;                   \
    }                                                      \
    static int name(void)                                  \
    {                                                      \
        return handled(request, waits, name##_in_handler); \
    }

static char room[64];
static const char *const none = NULL;

static bool read_all(verd_http_exchange *x)
{
    ssize_t n;
    while ((n = verd_http_read(x, room, sizeof room)) > 0)
        ;
    return n == 0;
}

static bool write_all(verd_http_exchange *x)
{
    static char bytes[100000];
    return verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0 &&
           verd_http_write(x, bytes, sizeof bytes) == 0;
}

/* The first that is sent may learn it only afterwards. */
static bool inform_all(verd_http_exchange *x)
{
    for (int i = 0; i < 1000; i++) {
        if (verd_http_inform(x, 103, NULL, 0) != 0)
            return false;
        verd_yield();
    }
    return true;
}

HANDLED(read_nonsense, CHUNKS "nonsense\r\n", true, none, read_all(x))
HANDLED(read_too_much, CHUNKS "8\r\n12345678\r\n0\r\n\r\n", true, none, read_all(x))
HANDLED(read_of_gone, POST "a", false, none, read_all(x))
HANDLED(body_of_nonsense, CHUNKS "nonsense\r\n", true, none, verd_http_body(x, 9, NULL) != NULL)
HANDLED(body_too_long, POST "abc", true, none, verd_http_body(x, 2, NULL) != NULL)
HANDLED(body_of_gone, POST "a", false, none, verd_http_body(x, 9, NULL) != NULL)
HANDLED(body_without_memory, POST "abc", true, "realloc", verd_http_body(x, 9, NULL) != NULL)
HANDLED(add_nonsense, GET, true, none, verd_http_add(x, "a b", "c") == 0)
HANDLED(add_late, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_add(x, "a", "b") == 0)
HANDLED(trail_early, GET, true, none, verd_http_add_trailer(x, "a", "b") == 0)
HANDLED(trail_without_memory, GET, true, none,
        (verd_http_begin(x, 200, VERD_HTTP_CHUNKED), fault_next("realloc", ENOMEM),
         verd_http_add_trailer(x, "a", "b") == 0))
HANDLED(add_without_memory, GET, true, "realloc", verd_http_add(x, "a", "b") == 0)
HANDLED(inform_nonsense, GET, true, none, verd_http_inform(x, 200, NULL, 0) == 0)
HANDLED(inform_late, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_inform(x, 103, NULL, 0) == 0)
HANDLED(inform_without_memory, GET, true, "realloc", verd_http_inform(x, 103, NULL, 0) == 0)
HANDLED(inform_gone, GET, false, none, inform_all(x))
HANDLED(reply_nonsense, GET, true, none, verd_http_reply(x, 99, NULL, NULL, 0) == 0)
HANDLED(reply_again, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_reply(x, 200, NULL, NULL, 0) == 0)
HANDLED(reply_to_connect, CONNECT, true, none, verd_http_reply(x, 200, NULL, NULL, 0) == 0)
HANDLED(reply_to_gone, GET, false, none, verd_http_reply(x, 200, NULL, NULL, 0) == 0)
HANDLED(reply_without_memory, GET, true, "realloc", verd_http_reply(x, 200, NULL, NULL, 0) == 0)
HANDLED(begin_nonsense, GET, true, none, verd_http_begin(x, 99, 0) == 0)
HANDLED(begin_again, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_begin(x, 200, 0) == 0)
HANDLED(begin_to_connect, CONNECT, true, none, verd_http_begin(x, 200, 0) == 0)
HANDLED(begin_without_memory, GET, true, "realloc", verd_http_begin(x, 200, 0) == 0)
HANDLED(write_early, GET, true, none, verd_http_write(x, "a", 1) == 0)
HANDLED(write_too_much, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_write(x, "a", 1) == 0)
HANDLED(write_to_gone, GET, false, none, write_all(x))
HANDLED(flush_early, GET, true, none, verd_http_flush(x) == 0)
HANDLED(flush_to_gone, GET, false, none, verd_http_begin(x, 200, 1) == 0 && verd_http_flush(x) == 0)
HANDLED(upgrade_nonsense, UPGRADE, true, none, verd_http_upgrade(x, "\n") == 0)
HANDLED(upgrade_late, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_upgrade(x, "a") == 0)
HANDLED(upgrade_unasked, GET, true, none, verd_http_upgrade(x, "a") == 0)

static int write_without_memory_in_handler(verd_http_exchange *x)
{
    must(verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0);
    fault_next("realloc", ENOMEM);
    return verd_http_write(x, "a", 1) == 0 ? 0 : errno;
}

static int write_without_memory(void)
{
    return handled(GET, true, write_without_memory_in_handler);
}

/* ---- what handlers need ---- */

#define FORM(body)                                                                      \
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" \
    "Content-Length: 3\r\n\r\n" body
#define QUERY "GET /?%00 HTTP/1.1\r\nHost: x\r\n\r\n"
#define CLIMB "GET /..%2f HTTP/1.1\r\nHost: x\r\n\r\n"

static size_t count;

static bool has_no_descriptor(verd_http_exchange *x)
{
    union {
        const verd_stream *given;
        verd_stream *taken;
    } stream = {verd_http_stream(x)};
    int fd = stream.taken->fd;
    stream.taken->fd = -1;
    bool done = verd_http_gone(x, 0) >= 0;
    stream.taken->fd = fd;
    return done;
}

static bool send_large(verd_http_exchange *x)
{
    static char text[100000];
    memset(text, 'a', sizeof text - 1);
    return verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0 &&
           verd_http_events_send(x, &(verd_http_event){.data = text}) == 0;
}

static const verd_http_event event = {.data = "a"}, bad_event = {.type = "a\n"};

HANDLED(query_with_zero, QUERY, true, none, verd_http_query_fields(x, &count) != NULL)
HANDLED(query_without_memory, GET, true, "malloc", verd_http_query_fields(x, &count) != NULL)
HANDLED(form_that_is_none, POST "abc", true, none, verd_http_form_fields(x, 9, &count) != NULL)
HANDLED(form_with_zero, FORM("%00"), true, none, verd_http_form_fields(x, 9, &count) != NULL)
HANDLED(form_too_long, FORM("abc"), true, none, verd_http_form_fields(x, 2, &count) != NULL)
HANDLED(form_of_gone, FORM("a"), false, none, verd_http_form_fields(x, 9, &count) != NULL)
HANDLED(form_without_memory, FORM("abc"), true, "calloc",
        verd_http_form_fields(x, 9, &count) != NULL)
HANDLED(path_with_slash, CLIMB, true, none, verd_http_clean_path(x) != NULL)
HANDLED(path_that_is_none, CONNECT, true, none, verd_http_clean_path(x) != NULL)
HANDLED(path_without_memory, GET, true, "calloc", verd_http_clean_path(x) != NULL)
HANDLED(gone_without_descriptor, GET, true, none, has_no_descriptor(x))
static verd_timeout limit;

HANDLED(pause_killed, GET, true, none, verd_kill(verd_self()) == 0 && verd_http_pause(x, 1) >= 0)
HANDLED(pause_late, GET, true, none,
        verd_timeout_begin(&limit, 0) == 0 && verd_http_pause(x, VERD_FOREVER) >= 0)
HANDLED(events_begin_late, GET, true, none,
        verd_http_begin(x, 200, 0) == 0 && verd_http_events_begin(x) == 0)
HANDLED(events_begin_without_memory, GET, true, "realloc", verd_http_events_begin(x) == 0)
HANDLED(events_begin_to_connect, CONNECT, true, none, verd_http_events_begin(x) == 0)
HANDLED(events_begin_to_gone, GET, false, none, verd_http_events_begin(x) == 0)
HANDLED(events_send_nonsense, GET, true, none, verd_http_events_send(x, &bad_event) == 0)
HANDLED(events_send_to_gone, GET, false, none, send_large(x))
HANDLED(events_keep_early, GET, true, none, verd_http_events_keep(x) == 0)
HANDLED(events_keep_to_gone, GET, false, none,
        verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0 && verd_http_events_keep(x) == 0)

static void stop_server(void *arg)
{
    (void)arg;
    verd_http_stop(server, VERD_FOREVER);
}

static bool is_stopped(void)
{
    bool begun = verd_spawn_n(stop_server, NULL) == 0;
    verd_yield();
    return begun;
}

HANDLED(events_send_stopped, GET, true, none,
        verd_http_events_begin(x) == 0 && is_stopped() && verd_http_events_send(x, &event) == 0)
HANDLED(events_keep_stopped, GET, true, none,
        verd_http_events_begin(x) == 0 && is_stopped() && verd_http_events_keep(x) == 0)

static int events_send_without_memory_in_handler(verd_http_exchange *x)
{
    must(verd_http_begin(x, 200, VERD_HTTP_CHUNKED) == 0);
    fault_next("realloc", ENOMEM);
    return verd_http_events_send(x, &event) == 0 ? 0 : errno;
}

static int events_send_without_memory(void)
{
    return handled(GET, true, events_send_without_memory_in_handler);
}

/* ---- the server ---- */

static int wait_in_handler(verd_http_exchange *x)
{
    (void)x;
    int error = verd_http_wait(server) != 0 ? errno : 0;
    got = error; /* while it stays */
    verd_park();
    return error;
}

static int wait_within(void)
{
    return handled(GET, true, wait_in_handler);
}

static void make_busy_server(void)
{
    wait_within();
}

static void make_pool(void)
{
    make_listener();
    pool = verd_pool_new(1);
    must(pool != NULL);
}

static void make_pipe(void)
{
    int fds[2];
    must(verd_pipe(fds) == 0);
    listener = fds[0];
}

static void make_socket(void)
{
    listener = real_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void close_listener(void)
{
    make_server();
    verd_yield();
    must(verd_close(listener) == 0);
}

static void shut_listener(void)
{
    make_server();
    verd_yield();
    must(verd_shutdown(listener, SHUT_RDWR) == 0);
}

static void accept_first(void *arg)
{
    verd_accept(listener, NULL, arg);
}

static void take_listener(void)
{
    make_listener();
    must(verd_spawn_n(accept_first, NULL) == 0);
    verd_yield();
    server = verd_http_serve(listener, handle, NULL, NULL);
    must(server != NULL);
}

static int serve_in_pool(void)
{
    verd_http_options options = {.pool = pool};
    return verd_http_serve(listener, handle, NULL, &options) == NULL ? errno : 0;
}

CALL_FOR_POINTER(serve, verd_http_serve(listener, handle, NULL, NULL))
CALL(stop, verd_http_stop(server, VERD_FOREVER))
CALL(stop_none, verd_http_stop(NULL, 0))
CALL(wait_for_it, verd_http_wait(server))
CALL(free_it, verd_http_free(server))

const struct row http_rows[] = {
    PLAINLY("verd_http_serve", EBADF, NULL, serve),
    PLAINLY("verd_http_serve", ENOTSOCK, make_pipe, serve),
    PLAINLY("verd_http_serve", EINVAL, make_socket, serve),
    ELSEWHERE("verd_http_serve", make_pool, serve_in_pool),
    WITHOUT("verd_http_serve", ENOMEM, make_listener, serve, "calloc"),
    WITHOUT("verd_http_serve", EMFILE, make_socket, serve, "epoll_create1"),
    WITHOUT("verd_http_serve", ENFILE, make_socket, serve, "epoll_create1"),
    BLOCKS("verd_http_stop", make_busy_server, stop),
    PLAINLY("verd_http_stop", EINVAL, NULL, stop_none),
    ELSEWHERE("verd_http_stop", make_server, stop),
    BLOCKS("verd_http_wait", make_server, wait_for_it),
    PLAINLY("verd_http_wait", EDEADLK, NULL, wait_within),
    PLAINLY("verd_http_wait", EBADF, close_listener, wait_for_it),
    PLAINLY("verd_http_wait", EINVAL, shut_listener, wait_for_it),
    PLAINLY("verd_http_wait", EBUSY, take_listener, wait_for_it),
    ELSEWHERE("verd_http_wait", make_server, wait_for_it),
    PLAINLY("verd_http_free", EBUSY, make_server, free_it),
    ELSEWHERE("verd_http_free", make_server, free_it),

    PLAINLY("verd_http_read", EBADMSG, NULL, read_nonsense),
    PLAINLY("verd_http_read", EMSGSIZE, NULL, read_too_much),
    PLAINLY("verd_http_read", ECONNRESET, NULL, read_of_gone),
    PLAINLY("verd_http_body", EBADMSG, NULL, body_of_nonsense),
    PLAINLY("verd_http_body", EMSGSIZE, NULL, body_too_long),
    PLAINLY("verd_http_body", ECONNRESET, NULL, body_of_gone),
    PLAINLY("verd_http_body", ENOMEM, NULL, body_without_memory),
    PLAINLY("verd_http_add", EINVAL, NULL, add_nonsense),
    PLAINLY("verd_http_add", EALREADY, NULL, add_late),
    PLAINLY("verd_http_add", ENOMEM, NULL, add_without_memory),
    PLAINLY("verd_http_add_trailer", EINVAL, NULL, trail_early),
    PLAINLY("verd_http_add_trailer", ENOMEM, NULL, trail_without_memory),
    PLAINLY("verd_http_inform", EINVAL, NULL, inform_nonsense),
    PLAINLY("verd_http_inform", EALREADY, NULL, inform_late),
    PLAINLY("verd_http_inform", ENOMEM, NULL, inform_without_memory),
    PLAINLY("verd_http_inform", EPIPE, NULL, inform_gone),
    PLAINLY("verd_http_reply", EINVAL, NULL, reply_nonsense),
    PLAINLY("verd_http_reply", EALREADY, NULL, reply_again),
    PLAINLY("verd_http_reply", EPROTO, NULL, reply_to_connect),
    PLAINLY("verd_http_reply", EPIPE, NULL, reply_to_gone),
    PLAINLY("verd_http_reply", ENOMEM, NULL, reply_without_memory),
    PLAINLY("verd_http_begin", EINVAL, NULL, begin_nonsense),
    PLAINLY("verd_http_begin", EALREADY, NULL, begin_again),
    PLAINLY("verd_http_begin", EPROTO, NULL, begin_to_connect),
    PLAINLY("verd_http_begin", ENOMEM, NULL, begin_without_memory),
    PLAINLY("verd_http_write", EINVAL, NULL, write_early),
    PLAINLY("verd_http_write", EMSGSIZE, NULL, write_too_much),
    PLAINLY("verd_http_write", EPIPE, NULL, write_to_gone),
    PLAINLY("verd_http_write", ENOMEM, NULL, write_without_memory),
    PLAINLY("verd_http_flush", EINVAL, NULL, flush_early),
    PLAINLY("verd_http_flush", EPIPE, NULL, flush_to_gone),
    PLAINLY("verd_http_upgrade", EINVAL, NULL, upgrade_nonsense),
    PLAINLY("verd_http_upgrade", EALREADY, NULL, upgrade_late),
    PLAINLY("verd_http_upgrade", EPROTO, NULL, upgrade_unasked),

    PLAINLY("verd_http_query_fields", EBADMSG, NULL, query_with_zero),
    PLAINLY("verd_http_query_fields", ENOMEM, NULL, query_without_memory),
    PLAINLY("verd_http_form_fields", EPROTO, NULL, form_that_is_none),
    PLAINLY("verd_http_form_fields", EBADMSG, NULL, form_with_zero),
    PLAINLY("verd_http_form_fields", EMSGSIZE, NULL, form_too_long),
    PLAINLY("verd_http_form_fields", ECONNRESET, NULL, form_of_gone),
    PLAINLY("verd_http_form_fields", ENOMEM, NULL, form_without_memory),
    PLAINLY("verd_http_clean_path", EBADMSG, NULL, path_with_slash),
    PLAINLY("verd_http_clean_path", EINVAL, NULL, path_that_is_none),
    PLAINLY("verd_http_clean_path", ENOMEM, NULL, path_without_memory),
    PLAINLY("verd_http_gone", EOPNOTSUPP, NULL, gone_without_descriptor),
    PLAINLY("verd_http_pause", ECANCELED, NULL, pause_killed),
    PLAINLY("verd_http_pause", ETIMEDOUT, NULL, pause_late),
    PLAINLY("verd_http_events_begin", EALREADY, NULL, events_begin_late),
    PLAINLY("verd_http_events_begin", ENOMEM, NULL, events_begin_without_memory),
    PLAINLY("verd_http_events_begin", EPROTO, NULL, events_begin_to_connect),
    PLAINLY("verd_http_events_begin", EPIPE, NULL, events_begin_to_gone),
    PLAINLY("verd_http_events_send", EINVAL, NULL, events_send_nonsense),
    PLAINLY("verd_http_events_send", EPIPE, NULL, events_send_to_gone),
    PLAINLY("verd_http_events_send", ENOMEM, NULL, events_send_without_memory),
    PLAINLY("verd_http_events_send", ESHUTDOWN, NULL, events_send_stopped),
    PLAINLY("verd_http_events_keep", ESHUTDOWN, NULL, events_keep_stopped),
    PLAINLY("verd_http_events_keep", EINVAL, NULL, events_keep_early),
    PLAINLY("verd_http_events_keep", EPIPE, NULL, events_keep_to_gone),
    {0},
};
