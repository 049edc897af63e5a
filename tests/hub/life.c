/* SPDX-License-Identifier: MIT */

/* The choice of a backend, and the hub's beginning and end with its OS thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "hub/hub.h"
#include "process.h"
#include "shortage.h"

/* Exits with 1 unless the hub is `backend`. */
static void expect_backend(const struct verd__backend *backend)
{
    const struct verd__loop *loop = verd__loop(verd__scheduler());
    if (loop == NULL || loop->backend != backend)
        _exit(1);
}

static void choose(void *name)
{
    setenv("VERD_HUB", name, 1);
    expect_backend(strcmp(name, "poll") == 0 ? &verd__backend_poll : &verd__backend_epoll);
}

Test(hub, VERD_HUB_chooses_poll)
{
    struct process_end end = process_run(choose, (void *)"poll");
    cr_assert(end.status == 0 && end.text[0] == '\0');
}

Test(hub, VERD_HUB_chooses_epoll)
{
    struct process_end end = process_run(choose, (void *)"epoll");
    cr_assert(end.status == 0 && end.text[0] == '\0');
}

Test(hub, an_unknown_VERD_HUB_is_epoll)
{
    cr_assert_eq(process_run(choose, (void *)"kqueue").status, 0);
}

Test(hub, an_unknown_VERD_HUB_is_told_in_one_line)
{
    struct process_end end = process_run(choose, (void *)"kqueue");
    cr_assert(strstr(end.text, "VERD_HUB=kqueue") && process_count(end.text, "\n") == 1);
}

Test(hub, an_empty_VERD_HUB_is_epoll_without_a_word)
{
    struct process_end end = process_run(choose, (void *)"");
    cr_assert(end.status == 0 && end.text[0] == '\0');
}

static void default_backend(void *arg)
{
    (void)arg;
    unsetenv("VERD_HUB");
    expect_backend(&verd__backend_epoll);
}

Test(hub, without_VERD_HUB_it_is_epoll)
{
    cr_assert_eq(process_run(default_backend, NULL).status, 0);
}

/* Leaves a reader and a writer waiting, and has used a descriptor that is closed by now. */
static void *use_a_hub(void *arg)
{
    int *fds = arg;
    int ours[2];
    struct call *calls = calloc(3, sizeof *calls);
    make_pair(ours);
    verd_write(ours[1], "x", 1);
    call_start(&calls[0], call_read, ours[0]);
    verd_close(ours[0]);
    verd_close(ours[1]);
    call_start(&calls[1], call_read, fds[0]);
    verd_sleep(1);
    free(calls);
    return NULL;
}

static void run_os_threads(int count)
{
    int fds[2];
    make_foreign_pair(fds);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, use_a_hub, fds), 0);
        pthread_join(thread, NULL);
    }
    close(fds[0]);
    close(fds[1]);
}

Test(hub, hubs_that_come_and_go_leave_no_descriptors)
{
    run_os_threads(1);
    size_t before = process_descriptors();
    run_os_threads(process_is_translated() ? 50 : 1000);
    cr_assert_eq(process_descriptors(), before);
}

static void *read_here(void *arg)
{
    int *fds = arg;
    char byte;
    return (void *)(intptr_t)verd_read(fds[0], &byte, 1);
}

Test(hub, OS_threads_wait_on_the_same_descriptor_each_for_itself)
{
    int fds[2];
    void *result;
    pthread_t thread;
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    pthread_create(&thread, NULL, read_here, fds);
    verd_sleep(VERD_MS);
    verd_close(fds[1]);
    cr_expect_eq(call_end(&reader), 0);
    pthread_join(thread, &result);
    cr_expect_null(result);
}

Test(hub, a_descriptor_made_on_one_OS_thread_is_used_on_another)
{
    int fds[2];
    void *result;
    pthread_t thread;
    make_pair(fds);
    pthread_create(&thread, NULL, read_here, fds);
    verd_sleep(VERD_MS);
    verd_write(fds[1], "x", 1);
    pthread_join(thread, &result);
    cr_assert_eq((intptr_t)result, 1);
}

Test(hub, many_descriptors_become_ready_in_one_turn)
{
    enum { COUNT = 200 };
    static int fds[COUNT][2];
    static struct call readers[COUNT];
    need_descriptors(2 * COUNT);
    for (int i = 0; i < COUNT; i++) {
        make_pair(fds[i]);
        call_start(&readers[i], call_read, fds[i][0]);
    }
    for (int i = 0; i < COUNT; i++)
        send(fds[i][1], "abc", 1 + (size_t)i % 3, 0);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(call_end(&readers[i]), 1 + i % 3);
}

/* ---- without memory ---- */

static int refuse(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    (void)loop, (void)fd, (void)record;
    errno = ENOMEM;
    return -1;
}

Test(hub, a_wait_that_could_not_begin_leaves_nothing_to_be_reported)
{
    static struct verd__backend backend;
    struct verd__loop *loop = verd__loop(verd__scheduler());
    int fds[2];
    char byte;
    make_pair(fds);
    backend = *loop->backend;
    backend.watch = refuse;
    loop->backend = &backend;
    cr_expect_eq(outcome(verd_read(fds[0], &byte, 1)), -ENOMEM);
    cr_assert_eq(verd__loop_known(loop, fds[0])->wanted, 0);
}
