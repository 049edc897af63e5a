/* SPDX-License-Identifier: MIT */

/* Who looks at the process from elsewhere finds each OS thread's green threads, and where they were spawned. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <sys/wait.h>

#include <verd.h>

#include "sched/registry.h"
#include "sched/thread.h"

static size_t count(void)
{
    size_t count = 0;
    struct verd__scheduler *at = NULL;
    while ((at = verd__registry_next(at)) != NULL)
        count++;
    return count;
}

static bool is_registered(const struct verd__scheduler *wanted)
{
    struct verd__scheduler *at = NULL;
    while ((at = verd__registry_next(at)) != NULL) {
        if (at == wanted) {
            verd__registry_let_go(at);
            return true;
        }
    }
    return false;
}

Test(sched, an_os_thread_that_has_made_no_call_is_not_registered)
{
    cr_assert_eq(count(), 0);
}

Test(sched, the_first_call_registers_the_os_thread)
{
    verd_yield();
    cr_assert(is_registered(verd__current) && verd__current->os_thread == getpid());
}

static pthread_barrier_t begun, seen;

static void *live(void *arg)
{
    verd_yield();
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&seen);
    return arg;
}

Test(sched, each_os_thread_is_registered_until_it_ends)
{
    enum { OTHERS = 3 };
    pthread_t others[OTHERS];
    verd_yield();
    pthread_barrier_init(&begun, NULL, OTHERS + 1);
    pthread_barrier_init(&seen, NULL, OTHERS + 1);
    for (int i = 0; i < OTHERS; i++)
        pthread_create(&others[i], NULL, live, NULL);
    pthread_barrier_wait(&begun);
    size_t meanwhile = count();
    pthread_barrier_wait(&seen);
    for (int i = 0; i < OTHERS; i++)
        pthread_join(others[i], NULL);
    cr_assert(meanwhile == OTHERS + 1 && count() == 1);
}

static void *live_shortly(void *arg)
{
    verd_yield();
    return arg;
}

static size_t elements(void)
{
    size_t count = 0;
    const struct verd__registered *at = atomic_load(&verd__registry);
    for (; at != NULL; at = at->next)
        count++;
    return count;
}

Test(sched, os_threads_that_follow_one_another_share_an_element_of_the_registry)
{
    for (int i = 0; i < 10; i++) {
        pthread_t other;
        pthread_create(&other, NULL, live_shortly, NULL);
        pthread_join(other, NULL);
    }
    cr_assert_eq(elements(), 1);
}

static _Atomic(bool) has_ended;

static void *live_and_note(void *arg)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    *(struct verd__scheduler **)arg = scheduler;
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&seen);
    return NULL;
}

static void *await(void *os_thread)
{
    pthread_join(*(pthread_t *)os_thread, NULL);
    atomic_store(&has_ended, true);
    return NULL;
}

Test(sched, a_scheduler_stays_until_who_reads_it_lets_it_go)
{
    pthread_t other, waiter;
    struct verd__scheduler *others;
    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&seen, NULL, 2);
    pthread_create(&other, NULL, live_and_note, &others);
    pthread_barrier_wait(&begun);
    cr_assert_eq(verd__registry_next(NULL), others);
    pthread_barrier_wait(&seen);
    pthread_create(&waiter, NULL, await, &other);
    usleep(20000); /* time to go wrong */
    cr_assert(!atomic_load(&has_ended) && others->main != NULL);
    verd__registry_let_go(others);
    pthread_join(waiter, NULL);
    cr_assert(atomic_load(&has_ended) && count() == 0);
}

Test(sched, the_child_of_a_fork_has_its_own_scheduler_alone)
{
    pthread_t other;
    int status;
    verd_yield();
    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&seen, NULL, 2);
    pthread_create(&other, NULL, live, NULL);
    pthread_barrier_wait(&begun);
    pid_t child = fork();
    if (child == 0) {
        bool is_right =
            count() == 1 && is_registered(verd__current) && verd__current->os_thread == getpid();
        _exit(is_right ? 0 : 1);
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child && status == 0 && count() == 2);
    pthread_barrier_wait(&seen);
    pthread_join(other, NULL);
}

static const void *site_of(const verd_thread *t)
{
    const struct verd__thread *thread = verd__thread_find(t);
    return thread->state == VERD__UNSTARTED ? thread->site : verd__area(thread)->site;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

/* The code that follows the call is as near as this. */
static bool is_soon_after(const void *site, const void *label)
{
    return (uintptr_t)site - (uintptr_t)label < 4096;
}

static __attribute__((noinline)) verd_thread *spawn_here(void)
{
    verd_thread *thread = verd_spawn(park, NULL);
    __asm__ volatile("" ::: "memory"); /* no tail call */
    return thread;
}

Test(sched, a_thread_keeps_where_it_was_spawned)
{
    verd_thread *thread = spawn_here();
    const void *before = site_of(thread);
    verd_yield();
    cr_assert(is_soon_after(before, (const void *)(uintptr_t)spawn_here) &&
              site_of(thread) == before);
}

static void note_site(void *site)
{
    *(const void **)site = verd__own_site(verd__current);
}

static void *note_own_site(void *site)
{
    note_site(site);
    return NULL;
}

static __attribute__((noinline)) void spawn_in_all_ways(const void **sites, verd_pool *pool,
                                                        verd_pile *pile, verd_bundle *bundle)
{
    const verd_attr attr = VERD_ATTR_INIT;
    verd_spawn_n(note_site, sites++);
    verd_spawn_with(&attr, note_own_site, sites++);
    verd_spawn_after(0, note_own_site, sites++);
    verd_spawn_after(1, note_own_site, sites++);
    verd_pool_spawn(pool, note_own_site, sites++);
    verd_pool_spawn_n(pool, note_site, sites++);
    verd_pile_spawn(pile, note_own_site, sites++);
    verd_bundle_spawn(bundle, note_own_site, sites++);
    verd_sleep(VERD_MS);
}

Test(sched, each_way_to_spawn_keeps_where_it_was_called)
{
    enum { WAYS = 8 };
    const void *sites[WAYS + 1] = {NULL};
    verd_pool *pool = verd_pool_new(10);
    verd_pile *pile = verd_pile_new(pool);
    verd_bundle *bundle = verd_bundle_new();
    spawn_in_all_ways(sites, pool, pile, bundle);
    for (int i = 0; i < WAYS; i++) {
        cr_assert(is_soon_after(sites[i], (const void *)(uintptr_t)spawn_in_all_ways), "%d", i);
        for (int other = 0; other < i; other++)
            cr_assert_neq(sites[i], sites[other]);
    }
    verd_bundle_free(bundle);
    verd_pile_free(pile);
    verd_pool_free(pool);
}

static __attribute__((noinline)) verd_imap *map_here(verd_pool *pool, void *const *items)
{
    verd_imap *it = verd_pool_imap_array(pool, note_own_site, items, 1);
    __asm__ volatile("" ::: "memory");
    return it;
}

Test(sched, the_threads_of_an_imap_were_spawned_where_it_was_made)
{
    const void *site = NULL;
    void *item = &site;
    verd_imap *it = map_here(verd_pool_new(1), &item);
    cr_assert_eq(verd_imap_next(it, &item), 1);
    cr_assert(is_soon_after(site, (const void *)(uintptr_t)map_here));
}
