/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include <verd/time.h>

static void come_in(struct gate *gate)
{
    gate->inside++;
    if (gate->inside > gate->most)
        gate->most = gate->inside;
}

static void go_out(struct gate *gate)
{
    gate->inside--;
    gate->left++;
}

void *stay(void *arg)
{
    struct gate *gate = arg;
    come_in(gate);
    while (!gate->open)
        verd_yield();
    go_out(gate);
    return gate;
}

void stay_n(void *arg)
{
    stay(arg);
}

void *stay_forever(void *arg)
{
    come_in(arg);
    verd_sleep(VERD_FOREVER);
    go_out(arg);
    return arg;
}

void open_later(void *arg)
{
    let_others_run();
    ((struct gate *)arg)->open = true;
}

size_t called, killed;

void *note_killed(void *arg)
{
    called++;
    killed += verd_sleep(0) == -1 && errno == ECANCELED && verd_killed();
    return arg;
}

void *echo(void *value)
{
    return value;
}

void *echo_later(void *value)
{
    verd_yield();
    return value;
}

void let_others_run(void)
{
    for (int i = 0; i < 20; i++)
        verd_yield();
}

void finish(verd_pool *pool, struct gate *gate)
{
    if (gate != NULL)
        gate->open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    let_others_run();
    cr_assert_eq(verd_pool_free(pool), 0);
}

void on_another_os_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, fn, arg), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}
