/* SPDX-License-Identifier: MIT */
/* How a thread ends: pthread_exit, handlers, main's end. */
#include "check.h"

#include <stdlib.h>

static char order[64];

static void note(void *letter)
{
    strcat(order, letter);
}

static void exit_if(bool wanted)
{
    char unused[1000];
    memset(unused, 0, sizeof unused);
    if (wanted && unused[0] == 0)
        pthread_exit(order);
}

static void *exit_with_handlers(void *arg)
{
    pthread_cleanup_push(note, "a");
    pthread_cleanup_push(note, "b");
    exit_if(arg == NULL);
    note("x");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return arg;
}

static void *pop_handlers(void *arg)
{
    pthread_cleanup_push(note, "a");
    pthread_cleanup_push(note, "b");
    pthread_cleanup_push(note, "c");
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(0);
    note("d");
    pthread_cleanup_pop(1);
    return arg;
}

static pthread_key_t key;

static void *exit_with_key(void *arg)
{
    pthread_setspecific(key, "k");
    pthread_cleanup_push(note, "h");
    pthread_exit(arg);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *return_with_key(void *arg)
{
    pthread_setspecific(key, "k");
    note("r");
    return arg;
}

void check_ends(void)
{
    order[0] = '\0';
    IS(check_in_thread(exit_with_handlers, NULL) == order, true);
    IS(strcmp(order, "ba"), 0);
    order[0] = '\0';
    IS(check_in_thread(pop_handlers, &key) == &key, true);
    IS(strcmp(order, "cda"), 0);
    order[0] = '\0';
    IS(pthread_key_create(&key, note), 0);
    IS(check_in_thread(exit_with_key, &key) == &key, true);
    IS(strcmp(order, "hk"), 0);
    order[0] = '\0';
    IS(check_in_thread(return_with_key, &key) == &key, true);
    IS(strcmp(order, "rk"), 0);
    IS(pthread_key_delete(key), 0);
    /* In main, too. */
    order[0] = '\0';
    pop_handlers(NULL);
    IS(strcmp(order, "cda"), 0);
}

/* ---- main's end, which is the last that is asked ---- */

static sem_t main_has_gone;

static void *outlive_main(void *arg)
{
    check_wait(&main_has_gone);
    IS(strcmp(order, "mk"), 0);
    printf("the last thread ends, and so does the process\n");
    return arg;
}

static void note_and_post(void *letter)
{
    note(letter);
    sem_post(&main_has_gone);
}

/* The process ends with 0, whatever this is. */
void check_main_exit(void)
{
    pthread_t thread;
    order[0] = '\0';
    sem_init(&main_has_gone, 0, 0);
    pthread_key_create(&key, note_and_post);
    pthread_create(&thread, NULL, outlive_main, NULL);
    pthread_detach(thread);
    pthread_setspecific(key, "k");
    pthread_cleanup_push(note, "m");
    pthread_exit(order);
    pthread_cleanup_pop(0);
}
