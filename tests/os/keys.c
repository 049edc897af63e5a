/* SPDX-License-Identifier: MIT */

/* The end of an OS thread with a hub that others post to: its last functions may use the hub, in whatever
 * order the system calls the destructors of thread-specific data. */
#include <criterion/criterion.h>
#include <pthread.h>

#include <verd.h>

static pthread_key_t late_key;
static verd_key key;
static int done;
static verd_hub *hub;

static void *give_back(void *arg)
{
    return arg;
}

static void note_post(void *arg)
{
    (void)arg;
    done++;
}

static void ignore_post(void *arg)
{
    (void)arg;
}

/* Everything that the inbox is there for. */
static void use_inbox(void *value)
{
    void *result = NULL;
    done += verd_offload(give_back, value, &result) == 0 && result == value;
    verd_hub *mine = verd_hub_open();
    if (mine == NULL)
        return;
    int before = done;
    verd_post(mine, note_post, NULL);
    while (done == before)
        verd_sleep(VERD_MS);
    verd_hub_close(mine);
}

/* Gives way, to whoever is left. */
static void give_way(void *value)
{
    (void)value;
    if (hub != NULL)
        verd_post(hub, note_post, NULL);
    for (int i = 0; i < 10; i++)
        verd_yield();
    verd_sleep(VERD_MS);
    done += 2;
}

static void *open_and_set(void *value)
{
    hub = verd_hub_open();
    verd_yield();
    verd_set(key, value);
    verd_post(hub, ignore_post, NULL); /* comes too late */
    return NULL;
}

static void *open_and_set_late(void *value)
{
    hub = verd_hub_open();
    verd_yield();
    pthread_setspecific(late_key, value);
    verd_post(hub, ignore_post, NULL);
    return NULL;
}

static void run_on_os_thread(void *(*fn)(void *))
{
    pthread_t os_thread;
    pthread_create(&os_thread, NULL, fn, "value");
    pthread_join(os_thread, NULL);
}

/* The scheduler's key is made with the first call, and those that come after have lower numbers. */
static void have_low_numbers_free(void)
{
    pthread_key_t low[2];
    pthread_key_create(&low[0], NULL);
    pthread_key_create(&low[1], NULL);
    verd_self();
    pthread_key_delete(low[0]);
    pthread_key_delete(low[1]);
}

Test(os, destructors_of_an_os_thread_that_has_a_hub_may_give_way)
{
    have_low_numbers_free();
    verd_key_create(&key, give_way);
    run_on_os_thread(open_and_set);
    cr_assert_geq(done, 2);
}

Test(os, destructors_of_an_os_thread_that_has_a_hub_may_use_it)
{
    have_low_numbers_free();
    verd_key_create(&key, use_inbox);
    run_on_os_thread(open_and_set);
    cr_assert_eq(done, 2);
}

Test(os, destructors_of_other_data_of_an_os_thread_that_has_a_hub_may_give_way)
{
    have_low_numbers_free();
    verd_hub_close(verd_hub_open());
    pthread_key_create(&late_key, give_way);
    run_on_os_thread(open_and_set_late);
    cr_assert_geq(done, 2);
}

Test(os, destructors_of_other_data_of_an_os_thread_that_has_a_hub_may_use_it)
{
    have_low_numbers_free();
    verd_hub_close(verd_hub_open());
    pthread_key_create(&late_key, use_inbox);
    run_on_os_thread(open_and_set_late);
    cr_assert_eq(done, 2);
}
