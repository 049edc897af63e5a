/* SPDX-License-Identifier: MIT */

/* Thread-specific values. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <verd.h>

static verd_key key, second_key;
static char order[64];

static void note(void *letter)
{
    strcat(order, letter);
}

static void *set(void *value)
{
    verd_set(key, value);
    return value;
}

static void *get(void *arg)
{
    (void)arg;
    return verd_get(key);
}

static void *set_yield_get(void *value)
{
    verd_set(key, value);
    verd_yield();
    return verd_get(key);
}

Test(sched, a_value_is_NULL_until_it_is_set)
{
    verd_key_create(&key, NULL);
    cr_assert_null(verd_get(key));
}

Test(sched, each_thread_has_its_own_value)
{
    verd_key_create(&key, NULL);
    verd_thread *first = verd_spawn(set_yield_get, "first");
    verd_thread *second = verd_spawn(set_yield_get, "second");
    void *one = NULL, *other = NULL;
    verd_join(first, &one);
    verd_join(second, &other);
    cr_assert(strcmp(one, "first") == 0 && strcmp(other, "second") == 0);
}

Test(sched, each_key_has_its_own_value)
{
    verd_key_create(&key, NULL);
    verd_key_create(&second_key, NULL);
    verd_set(key, "first");
    verd_set(second_key, "second");
    cr_assert_str_eq(verd_get(key), "first");
}

Test(sched, the_main_thread_has_values_too)
{
    verd_key_create(&key, NULL);
    verd_set(key, "main");
    verd_join(verd_spawn(set, "other"), NULL);
    cr_assert_str_eq(verd_get(key), "main");
}

Test(sched, a_value_does_not_show_in_the_next_thread_on_the_stack)
{
    verd_key_create(&key, NULL);
    void *result = "";
    verd_spawn(set, "stale");
    verd_join(verd_spawn(get, NULL), &result);
    cr_assert_null(result);
}

Test(sched, a_value_is_destroyed_at_the_end_of_its_thread)
{
    verd_key_create(&key, note);
    verd_join(verd_spawn(set, "a"), NULL);
    cr_assert_str_eq(order, "a");
}

static verd_thread *destroyed_on;

static void note_self(void *value)
{
    (void)value;
    destroyed_on = verd_self();
}

Test(sched, a_value_is_destroyed_on_its_own_thread)
{
    verd_key_create(&key, note_self);
    verd_thread *t = verd_spawn(set, "a");
    verd_wait(t, NULL);
    cr_assert_eq(destroyed_on, t);
}

static void *set_and_reset(void *value)
{
    verd_set(key, value);
    verd_set(key, NULL);
    return NULL;
}

Test(sched, a_value_that_is_NULL_is_not_destroyed)
{
    verd_key_create(&key, note);
    verd_join(verd_spawn(set_and_reset, "a"), NULL);
    cr_assert_str_eq(order, "");
}

static void note_and_set_again(void *value)
{
    note(value);
    verd_set(key, value);
}

Test(sched, values_that_destructors_set_are_destroyed_in_four_rounds_at_most)
{
    verd_key_create(&key, note_and_set_again);
    verd_join(verd_spawn(set, "a"), NULL);
    cr_assert_str_eq(order, "aaaa");
}

static void set_other(void *value)
{
    verd_set(key, value);
}

static void *set_second(void *value)
{
    verd_set(second_key, value);
    return value;
}

Test(sched, a_value_that_a_destructor_sets_for_a_key_already_passed_is_destroyed)
{
    verd_key_create(&key, note);
    verd_key_create(&second_key, set_other);
    verd_join(verd_spawn(set_second, "a"), NULL);
    cr_assert_str_eq(order, "a");
}

static void sleep_and_note(void *value)
{
    verd_sleep(VERD_MS);
    note(value);
}

Test(sched, a_destructor_may_block_and_the_joiner_waits_for_it)
{
    verd_key_create(&key, sleep_and_note);
    verd_join(verd_spawn(set, "a"), NULL);
    cr_assert_str_eq(order, "a");
}

Test(sched, setting_an_unknown_key_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_set(VERD_KEYS_MAX - 1, "a") == -1 && errno == EINVAL);
}

Test(sched, an_unknown_key_has_no_value)
{
    verd_key_create(&key, NULL);
    verd_set(key, "a");
    cr_assert(verd_get(VERD_KEYS_MAX - 1) == NULL && verd_get(VERD_KEYS_MAX) == NULL &&
              verd_get((verd_key)-1) == NULL);
}

Test(sched, making_a_key_without_a_place_for_it_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_key_create(NULL, NULL) == -1 && errno == EINVAL);
}

static int make_all_keys(void)
{
    int made = 0;
    verd_key made_last;
    while (verd_key_create(&made_last, NULL) == 0)
        made++;
    return made;
}

Test(sched, there_are_as_many_keys_as_promised)
{
    cr_assert_eq(make_all_keys(), VERD_KEYS_MAX);
}

Test(sched, a_key_beyond_the_maximum_is_EAGAIN)
{
    make_all_keys();
    errno = 0;
    cr_assert(verd_key_create(&key, NULL) == -1 && errno == EAGAIN);
}

Test(sched, the_last_key_holds_a_value)
{
    make_all_keys();
    verd_set(VERD_KEYS_MAX - 1, "last");
    cr_assert_str_eq(verd_get(VERD_KEYS_MAX - 1), "last");
}

Test(sched, the_values_of_a_key_that_is_deleted_are_not_destroyed)
{
    verd_key_create(&key, note);
    verd_key_create(&second_key, note);
    verd_set(key, "main");
    verd_thread *thread = verd_spawn(set_yield_get, "a");
    verd_yield();
    cr_assert_eq(verd_key_delete(key), 0);
    void *value = "";
    verd_join(thread, &value);
    cr_assert(value == NULL && verd_get(key) == NULL);
    cr_assert_str_eq(order, "");
}

Test(sched, a_key_that_has_the_number_of_a_deleted_one_has_no_values)
{
    verd_key_create(&key, NULL);
    verd_set(key, "old");
    verd_key_delete(key);
    verd_key_create(&second_key, note);
    cr_assert(second_key == key && verd_get(second_key) == NULL);
}

Test(sched, deleting_what_is_no_key_is_EINVAL)
{
    verd_key_create(&key, NULL);
    verd_key_delete(key);
    errno = 0;
    cr_assert(verd_key_delete(key) == -1 && errno == EINVAL);
    errno = 0;
    cr_assert(verd_key_delete(VERD_KEYS_MAX) == -1 && errno == EINVAL);
}

static void set_second_key(void *value)
{
    note(value);
    verd_set(second_key, "second");
}

Test(sched, a_destructor_may_set_a_value_for_which_there_is_no_room_yet)
{
    verd_key_create(&key, set_second_key);
    make_all_keys();
    second_key = VERD_KEYS_MAX - 1;
    verd_join(verd_spawn(set, "a"), NULL);
    cr_assert_str_eq(order, "a");
}

static void *set_in_os_thread(void *value)
{
    verd_set(key, value);
    return NULL;
}

Test(sched, values_of_a_main_thread_are_destroyed_at_the_end_of_its_os_thread)
{
    pthread_t os_thread;
    verd_key_create(&key, note);
    pthread_create(&os_thread, NULL, set_in_os_thread, "a");
    pthread_join(os_thread, NULL);
    cr_assert_str_eq(order, "a");
}
