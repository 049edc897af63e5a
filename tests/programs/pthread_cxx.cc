// SPDX-License-Identifier: MIT

// <verd/pthread.h> in C++: the same names, handlers that exceptions run, too.
#include <signal.h> // which may come first, and declares pthread_kill

#include <verd/pthread.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <pthread.h>
#include <semaphore.h>

static char order[64];

static void note(void *letter)
{
    strcat(order, static_cast<const char *>(letter));
}

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    printf("%s is not so: \"%s\"\n", what, order);
    exit(1);
}

#define CHECK(condition) check((condition), #condition)

static char letters[] = "a\0b\0c\0d";

static void throw_in_scope()
{
    pthread_cleanup_push(note, &letters[0]);
    throw 1;
    pthread_cleanup_pop(0);
}

static void *catch_it(void *arg)
{
    try {
        throw_in_scope();
    } catch (int) {
        note(&letters[2]);
    }
    pthread_cleanup_push(note, &letters[4]);
    pthread_exit(arg);
    pthread_cleanup_pop(0);
}

static sem_t gate;

static void *wait_at_gate(void *arg)
{
    pthread_cleanup_push(note, &letters[6]);
    sem_wait(&gate);
    pthread_cleanup_pop(1);
    return arg;
}

static void *result_of(pthread_t thread)
{
    void *result = nullptr;
    CHECK(pthread_join(thread, &result) == 0);
    return result;
}

int main()
{
    pthread_t thread;
    CHECK(pthread_create(&thread, nullptr, catch_it, order) == 0);
    CHECK(result_of(thread) == order);
    CHECK(strcmp(order, "abc") == 0);
    sem_init(&gate, 0, 0);
    CHECK(pthread_create(&thread, nullptr, wait_at_gate, order) == 0);
    sched_yield();
    CHECK(pthread_kill(thread, 0) == 0);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(result_of(thread) == PTHREAD_CANCELED);
    CHECK(strcmp(order, "abcd") == 0);
    return 0;
}
