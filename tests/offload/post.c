/* SPDX-License-Identifier: MIT */

/* Posts: what comes from other OS threads and from signal handlers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <verd.h>

#include "offload/inbox.h"
#include "process.h"

static verd_hub *hub;
static size_t ran; /* posts */
static verd_event enough = VERD_EVENT_INIT;
static size_t wanted; /* posts, for `enough` to be set */

static void count(void *arg)
{
    (void)arg;
    if (++ran == wanted)
        verd_event_set(&enough, NULL);
}

static void wait_for_posts(size_t posts)
{
    wanted = posts;
    if (ran < posts)
        verd_event_wait(&enough, NULL);
}

static void open_hub(void)
{
    hub = verd_hub_open();
    cr_assert_not_null(hub);
    verd_yield();
}

/* ---- from this OS thread ---- */

Test(offload, a_post_runs_on_the_hub)
{
    open_hub();
    verd_post(hub, count, NULL);
    wait_for_posts(1);
    cr_assert_eq(ran, 1);
}

static void note_self(void *arg)
{
    *(verd_thread **)arg = verd_self();
    count(NULL);
}

Test(offload, a_post_runs_as_a_green_thread_of_its_own)
{
    verd_thread *first = NULL, *second = NULL;
    open_hub();
    verd_post(hub, note_self, &first);
    verd_post(hub, note_self, &second);
    wait_for_posts(2);
    cr_assert(first != verd_self() && second != verd_self() && first != second);
}

static void sleep_and_count(void *arg)
{
    verd_sleep(VERD_MS);
    count(arg);
}

Test(offload, a_post_may_block)
{
    open_hub();
    verd_post(hub, sleep_and_count, NULL);
    wait_for_posts(1);
    cr_assert_eq(ran, 1);
}

Test(offload, a_post_without_a_function_is_EINVAL)
{
    open_hub();
    cr_assert(verd_post(hub, NULL, NULL) == -1 && errno == EINVAL);
}

Test(offload, a_post_to_no_hub_is_EINVAL)
{
    cr_assert(verd_post(NULL, count, NULL) == -1 && errno == EINVAL);
}

Test(offload, closing_no_hub_is_ignored)
{
    verd_hub_close(NULL);
}

Test(offload, a_handle_stays_until_it_is_closed_as_often_as_it_was_opened)
{
    open_hub();
    verd_hub *again = verd_hub_open();
    verd_hub_close(hub);
    verd_post(again, count, NULL);
    wait_for_posts(1);
    cr_assert_eq(ran, 1);
}

/* What has been written to an eventfd, and not read. -1: it is none. */
static int writes_to(int fd)
{
    char name[64], line[128];
    unsigned value;
    int written = -1;
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(name, "r");
    while (info != NULL && fgets(line, sizeof line, info) != NULL) {
        if (sscanf(line, "eventfd-count: %x", &value) == 1)
            written = (int)value;
    }
    if (info != NULL)
        fclose(info);
    return written;
}

Test(offload, a_thousand_posts_to_a_busy_hub_make_one_system_call)
{
    open_hub();
    for (int i = 0; i < 1000; i++)
        verd_post(hub, count, NULL);
    cr_assert_eq(writes_to(hub->fd), 1);
    wait_for_posts(1000);
}

static int fill_hub(void)
{
    for (int i = 0; i < VERD_POSTS_MAX; i++)
        cr_assert_eq(verd_post(hub, count, NULL), 0);
    return verd_post(hub, count, NULL) == 0 ? 0 : errno;
}

Test(offload, a_post_to_a_full_hub_is_EAGAIN)
{
    open_hub();
    cr_assert_eq(fill_hub(), EAGAIN);
}

Test(offload, a_full_hub_runs_all_that_it_took)
{
    open_hub();
    fill_hub();
    wait_for_posts(VERD_POSTS_MAX);
    for (int i = 0; i < 10; i++)
        verd_yield();
    cr_assert_eq(ran, VERD_POSTS_MAX);
}

Test(offload, a_hub_that_was_full_takes_posts_again)
{
    open_hub();
    fill_hub();
    wait_for_posts(VERD_POSTS_MAX);
    cr_assert_eq(fill_hub(), EAGAIN);
}

/* ---- from others ---- */

#define PRODUCERS 8

static size_t posts_each;

struct producer {
    pthread_t os_thread;
    size_t next;   /* that is to run: they run in their order */
    size_t others; /* that ran in another order, or again */
};

static struct producer producers[PRODUCERS];

struct product {
    struct producer *producer;
    size_t number;
};

static struct product *products;

static void consume(void *arg)
{
    struct product *product = arg;
    if (product->number == product->producer->next)
        product->producer->next++;
    else
        product->producer->others++;
    count(NULL);
}

static void *produce(void *arg)
{
    struct producer *producer = arg;
    struct product *product = products + (size_t)(producer - producers) * posts_each;
    for (size_t i = 0; i < posts_each; i++) {
        product[i] = (struct product){producer, i};
        while (verd_post(hub, consume, &product[i]) != 0)
            sched_yield();
    }
    return NULL;
}

static void produce_all(void)
{
    bool is_slow = process_is_emulated() || process_is_carried() || UNDER_SANITIZER;
    posts_each = is_slow ? 5000 : 100000;
    products = calloc(PRODUCERS * posts_each, sizeof *products);
    open_hub();
    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&producers[i].os_thread, NULL, produce, &producers[i]);
    wait_for_posts(PRODUCERS * posts_each);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i].os_thread, NULL);
    for (int i = 0; i < 10; i++)
        verd_yield();
    free(products);
}

Test(offload, all_posts_of_eight_os_threads_run)
{
    produce_all();
    cr_assert_eq(ran, PRODUCERS * posts_each);
}

Test(offload, the_posts_of_an_os_thread_run_in_its_order_and_each_once)
{
    size_t next = 0, others = 0;
    produce_all();
    for (int i = 0; i < PRODUCERS; i++) {
        next += producers[i].next;
        others += producers[i].others;
    }
    cr_assert(next == PRODUCERS * posts_each && others == 0);
}

static sem_t answered;

static void answer(void *arg)
{
    count(arg);
    sem_post(&answered);
}

static void *ask_a_hundred_times(void *arg)
{
    for (int i = 0; i < 100; i++) {
        verd_post(hub, answer, arg);
        sem_wait(&answered);
    }
    return NULL;
}

Test(offload, a_hub_sleeps_between_posts)
{
    pthread_t asker;
    sem_init(&answered, 0, 0);
    open_hub();
    const struct verd__loop *waiter = verd__loop(verd__current);
    size_t before = waiter->polls;
    pthread_create(&asker, NULL, ask_a_hundred_times, NULL);
    wait_for_posts(100);
    pthread_join(asker, NULL);
    cr_assert_leq(waiter->polls - before, 100 * 4);
}

static void post_from_handler(int number)
{
    (void)number;
    errno = E2BIG;
    if (verd_post(hub, count, NULL) != 0 || errno != E2BIG)
        abort();
}

static void handle(int number)
{
    struct sigaction action = {.sa_handler = post_from_handler};
    sigaction(number, &action, NULL);
}

Test(offload, a_signal_handler_that_interrupts_a_green_thread_posts)
{
    open_hub();
    handle(SIGUSR1);
    raise(SIGUSR1);
    wait_for_posts(1);
    cr_assert_eq(ran, 1);
}

static void *send_signals(void *arg)
{
    for (int i = 0; i < 100; i++) {
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
        sem_wait(&answered);
    }
    return NULL;
}

static void answer_from_handler(int number)
{
    (void)number;
    if (verd_post(hub, answer, NULL) != 0)
        abort();
}

Test(offload, a_signal_handler_that_interrupts_the_sleep_of_a_hub_posts)
{
    pthread_t sender, self = pthread_self();
    struct sigaction action = {.sa_handler = answer_from_handler};
    sem_init(&answered, 0, 0);
    open_hub();
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&sender, NULL, send_signals, &self);
    wait_for_posts(100);
    pthread_join(sender, NULL);
    cr_assert_eq(ran, 100);
}

/* ---- how the line is emptied ---- */

static size_t taken_before_the_first; /* posts */

static void note_taken(void *arg)
{
    (void)arg;
    if (ran++ == 0)
        taken_before_the_first = hub->head;
    if (ran == wanted)
        verd_event_set(&enough, NULL);
}

Test(offload, many_posts_do_not_hold_up_the_first)
{
    open_hub();
    for (int i = 0; i < VERD_POSTS_MAX; i++)
        cr_assert_eq(verd_post(hub, note_taken, NULL), 0);
    wait_for_posts(VERD_POSTS_MAX);
    cr_assert_leq(taken_before_the_first, VERD_POSTS_MAX / 4);
}

static void *post_one(void *arg)
{
    cr_assert_eq(verd_post(hub, count, NULL), 0);
    return arg;
}

Test(offload, a_hub_that_is_opened_again_after_a_rest_gets_posts)
{
    pthread_t poster;
    open_hub();
    verd_yield();
    verd_hub_close(hub);
    verd_sleep(VERD_MS);
    open_hub();
    verd_yield();
    pthread_create(&poster, NULL, post_one, NULL);
    wait_for_posts(1);
    pthread_join(poster, NULL);
    cr_assert_eq(ran, 1);
}
