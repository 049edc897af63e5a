/* SPDX-License-Identifier: MIT */
/* <verd/queue.h> */
#include "table.h"

static verd_queue *queue;
static void *item;

static int compare(const void *a, const void *b)
{
    return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
}

static void make(void)
{
    queue = verd_queue_new(0);
    must(queue != NULL);
}

static void make_unbounded(void)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
    must(queue != NULL);
}

static void make_closed(void)
{
    make();
    must(verd_queue_close(queue) == 0);
}

static void make_unfinished(void)
{
    make_unbounded();
    must(verd_queue_put(queue, NULL) == 0);
}

static void free_queue(void *arg)
{
    verd_queue_free(arg);
}

static void make_doomed(void)
{
    make_unfinished();
    must(verd_spawn_n(free_queue, queue) == 0);
}

CALL_FOR_POINTER(new_fifo, verd_queue_new(1))
CALL_FOR_POINTER(new_lifo, verd_queue_new_lifo(1))
CALL_FOR_POINTER(new_priority, verd_queue_new_priority(1, compare))
CALL_FOR_POINTER(new_without_order, verd_queue_new_priority(1, NULL))
CALL(put, verd_queue_put(queue, NULL))
CALL(put_nowhere, verd_queue_put(NULL, NULL))
CALL(try_put, verd_queue_try_put(queue, NULL))
CALL(try_put_nowhere, verd_queue_try_put(NULL, NULL))
CALL(get, verd_queue_get(queue, &item))
CALL(get_nothing, verd_queue_get(queue, NULL))
CALL(try_get, verd_queue_try_get(queue, &item))
CALL(try_get_nothing, verd_queue_try_get(queue, NULL))
CALL(get_many, verd_queue_get_many(queue, &item, 1))
CALL(get_many_of_none, verd_queue_get_many(queue, &item, 0))
CALL(peek, verd_queue_peek(queue, &item))
CALL(peek_nowhere, verd_queue_peek(queue, NULL))
CALL(close_it, verd_queue_close(queue))
CALL(close_none, verd_queue_close(NULL))
CALL(task_done, verd_queue_task_done(queue))
CALL(join, verd_queue_join(queue))
CALL(join_none, verd_queue_join(NULL))
CALL(resize, verd_queue_resize(queue, 1))
CALL(resize_none, verd_queue_resize(NULL, 1))
CALL(select_none, verd_select(NULL, 1))

static int select_one(void)
{
    verd_case one = VERD_GET(queue, &item);
    return verd_select(&one, 1) < 0 ? errno : 0;
}

/* More than select has room for on its stack. */
static int select_many(void)
{
    verd_case many[100];
    for (size_t i = 0; i < 100; i++)
        many[i] = VERD_GET(queue, &item);
    return verd_select(many, 100) < 0 ? errno : 0;
}

static int select_own_end(void)
{
    verd_case one = VERD_END(verd_self(), NULL);
    return verd_select(&one, 1) < 0 ? errno : 0;
}

static int fds[2] = {-1, -1};

static void make_pair(void)
{
    must(real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
}

static void read_first(void *arg)
{
    char byte;
    (void)arg;
    verd_read(fds[0], &byte, 1);
}

static void have_reader(void)
{
    make_pair();
    must(verd_spawn_n(read_first, NULL) == 0);
    verd_yield();
}

static int select_input(void)
{
    verd_case one = VERD_READABLE(fds[0]);
    return verd_select(&one, 1) < 0 ? errno : 0;
}

const struct row queue_rows[] = {
    AT_FIRST("verd_queue_new", new_fifo),
    AT_FIRST("verd_queue_new_lifo", new_lifo),
    AT_FIRST("verd_queue_new_priority", new_priority),
    PLAINLY("verd_queue_new_priority", EINVAL, NULL, new_without_order),

    BLOCKS("verd_queue_put", make, put),
    PLAINLY("verd_queue_put", EINVAL, NULL, put_nowhere),
    ELSEWHERE("verd_queue_put", make, put),
    PLAINLY("verd_queue_put", EPIPE, make_closed, put),
    WITHOUT("verd_queue_put", ENOMEM, make_unbounded, put, "realloc"),
    PLAINLY("verd_queue_try_put", EAGAIN, make, try_put),
    PLAINLY("verd_queue_try_put", EINVAL, NULL, try_put_nowhere),
    ELSEWHERE("verd_queue_try_put", make, try_put),
    PLAINLY("verd_queue_try_put", EPIPE, make_closed, try_put),
    WITHOUT("verd_queue_try_put", ENOMEM, make_unbounded, try_put, "realloc"),
    BLOCKS("verd_queue_get", make, get),
    PLAINLY("verd_queue_get", EINVAL, make, get_nothing),
    ELSEWHERE("verd_queue_get", make, get),
    PLAINLY("verd_queue_get", EPIPE, make_closed, get),
    PLAINLY("verd_queue_try_get", EAGAIN, make, try_get),
    PLAINLY("verd_queue_try_get", EINVAL, make, try_get_nothing),
    ELSEWHERE("verd_queue_try_get", make, try_get),
    PLAINLY("verd_queue_try_get", EPIPE, make_closed, try_get),

    BLOCKS("verd_queue_get_many", make, get_many),
    PLAINLY("verd_queue_get_many", EINVAL, make, get_many_of_none),
    ELSEWHERE("verd_queue_get_many", make, get_many),
    PLAINLY("verd_queue_get_many", EPIPE, make_closed, get_many),
    PLAINLY("verd_queue_peek", EAGAIN, make, peek),
    PLAINLY("verd_queue_peek", EINVAL, make, peek_nowhere),
    ELSEWHERE("verd_queue_peek", make, peek),
    PLAINLY("verd_queue_peek", EPIPE, make_closed, peek),

    PLAINLY("verd_queue_close", EINVAL, NULL, close_none),
    ELSEWHERE("verd_queue_close", make, close_it),
    PLAINLY("verd_queue_task_done", EINVAL, make, task_done),
    ELSEWHERE("verd_queue_task_done", make, task_done),
    BLOCKS("verd_queue_join", make_unfinished, join),
    PLAINLY("verd_queue_join", EINVAL, NULL, join_none),
    ELSEWHERE("verd_queue_join", make, join),
    PLAINLY("verd_queue_join", EPIPE, make_doomed, join),
    PLAINLY("verd_queue_resize", EINVAL, NULL, resize_none),
    ELSEWHERE("verd_queue_resize", make, resize),

    BLOCKS("verd_select", make, select_one),
    PLAINLY("verd_select", EINVAL, NULL, select_none),
    ELSEWHERE("verd_select", make, select_one),
    WITHOUT("verd_select", ENOMEM, make, select_many, "malloc"),
    PLAINLY("verd_select", EDEADLK, NULL, select_own_end),
    PLAINLY("verd_select", EBUSY, have_reader, select_input),
    WITHOUT("verd_select", ENOMEM, make_pair, select_input, "calloc"),
    WITHOUT("verd_select", EMFILE, make_pair, select_input, "epoll_create1"),
    WITHOUT("verd_select", ENFILE, make_pair, select_input, "epoll_create1"),
    WITHOUT("verd_select", ENOSPC, make_pair, select_input, "epoll_ctl"),
    {0},
};
