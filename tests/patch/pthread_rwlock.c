/* SPDX-License-Identifier: MIT */
/* Read-write locks of POSIX between green threads: who goes first. */
#include "threads.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_note(void *letter)
{
    intptr_t error = verd_pthread_rwlock_rdlock(&lock);
    note(letter);
    verd_pthread_rwlock_unlock(&lock);
    return (void *)error;
}

static void *write_note(void *letter)
{
    intptr_t error = verd_pthread_rwlock_wrlock(&lock);
    note(letter);
    verd_pthread_rwlock_unlock(&lock);
    return (void *)error;
}

static void use_both(void)
{
    verd_pthread_rwlock_rdlock(&lock);
    pthread_t writer = start(write_note, "w"), reader = start(read_note, "r");
    verd_pthread_rwlock_unlock(&lock);
    result_of(writer);
    result_of(reader);
}

Test(pthread, a_reader_passes_writers_while_others_read)
{
    use_both();
    cr_assert_str_eq(order, "rw");
}

#ifdef __GLIBC__ /* which has another kind */
Test(pthread, a_reader_of_the_other_kind_of_lock_waits_behind_writers)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    cr_assert_eq(verd_pthread_rwlock_init(&lock, &attr), 0);
    use_both();
    cr_assert_str_eq(order, "wr");
}
#endif

Test(pthread, a_writer_that_is_killed_gets_its_lock)
{
    verd_pthread_rwlock_rdlock(&lock);
    pthread_t writer = start(write_note, "w");
    verd_kill(handle_of(writer));
    callers_settle();
    cr_assert_str_eq(order, "");
    verd_pthread_rwlock_unlock(&lock);
    cr_assert_eq(result_of(writer), NULL);
    cr_assert_str_eq(order, "w");
}

static void *try_to_read(void *arg)
{
    return (void *)(intptr_t)verd_pthread_rwlock_tryrdlock(arg);
}

static void *unlock_it(void *arg)
{
    return (void *)(intptr_t)verd_pthread_rwlock_unlock(arg);
}

Test(pthread, a_lock_that_another_OS_thread_reads_is_EPERM)
{
    verd_pthread_rwlock_rdlock(&lock);
    cr_assert_eq(elsewhere(try_to_read, &lock), EPERM);
    cr_assert_eq(elsewhere(unlock_it, &lock), EPERM);
    cr_assert_eq(verd_pthread_rwlock_destroy(&lock), EBUSY);
    verd_pthread_rwlock_unlock(&lock);
    cr_assert_eq(verd_pthread_rwlock_unlock(&lock), EPERM);
    cr_assert_eq(verd_pthread_rwlock_destroy(&lock), 0);
}

Test(pthread, read_write_locks_of_several_processes_are_ENOTSUP)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    cr_assert_eq(verd_pthread_rwlock_init(&lock, &attr), ENOTSUP);
}
