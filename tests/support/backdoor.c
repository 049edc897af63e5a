/* SPDX-License-Identifier: MIT */
#include "backdoor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[32];
char door_path[64];

void door_choose_path(void)
{
    snprintf(directory, sizeof directory, "/tmp/verd-backdoor-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(door_path, sizeof door_path, "%s/door", directory);
}

void door_open(void)
{
    door_choose_path();
    cr_assert_eq(verd_backdoor(door_path), 0, "%s", strerror(errno));
}

void door_expect_gone(void)
{
    cr_assert_neq(access(door_path, F_OK), 0);
    cr_assert_eq(rmdir(directory), 0);
}

void door_close(void)
{
    cr_assert_eq(verd_backdoor(NULL), 0);
    door_expect_gone();
}

/* ---- the client ---- */

static pthread_t client;
static void (*client_fn)(void);
static _Atomic(bool) client_is_done;
static int connection = -1;

/* What it opens. */
static _Atomic(bool) is_held, is_over;
static int gate[2] = {-1, -1};

char heard[65536];

static void *run_client(void *arg)
{
    client_fn();
    atomic_store(&client_is_done, true);
    return arg;
}

void client_begin(void (*fn)(void))
{
    client_fn = fn;
    atomic_store(&client_is_done, false);
    cr_assert_eq(pthread_create(&client, NULL, run_client, NULL), 0);
}

void client_end(void)
{
    while (!atomic_load(&client_is_done))
        verd_sleep(VERD_MS);
    pthread_join(client, NULL);
    client_leave();
    close(gate[0]);
    close(gate[1]);
}

void client_come_in(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    heard[0] = '\0';
    memcpy(address.sun_path, door_path, strlen(door_path) + 1);
    connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
        _exit(1);
}

void client_leave(void)
{
    if (connection >= 0)
        close(connection);
    connection = -1;
}

void client_ask_no_more(void)
{
    shutdown(connection, SHUT_WR);
}

void client_ask(const char *question)
{
    if (write(connection, question, strlen(question)) != (ssize_t)strlen(question))
        _exit(1);
}

void client_hear(const char *text)
{
    size_t length = strlen(heard);
    const char *begin = heard + length;
    ssize_t n = 1;
    while (n > 0 && (text == NULL || strstr(begin, text) == NULL)) {
        n = read(connection, heard + length, sizeof heard - 1 - length);
        length += n > 0 ? (size_t)n : 0;
        heard[length] = '\0';
    }
}

void client_ask_in_vain(void)
{
    client_ask("stats\n");
    client_hear(EXCUSE);
}

void client_ask_until(const char *question, const char *text)
{
    do {
        heard[0] = '\0';
        client_ask(question);
        client_hear(END_OF_ANSWER);
    } while (!has_heard(text));
}

bool has_heard(const char *text)
{
    return strstr(heard, text) != NULL;
}

/* ---- who holds the OS thread ---- */

__attribute__((noinline)) void hold_computing(void)
{
    atomic_store(&is_held, true);
    while (!atomic_load(&is_over)) {
    }
}

__attribute__((noinline)) void hold_blocking(void)
{
    char byte;
    atomic_store(&is_held, true);
    (void)!read(gate[0], &byte, 1);
}

void client_meet_holder(void)
{
    while (!atomic_load(&is_held))
        sched_yield();
    client_come_in();
}

void client_let_go(void)
{
    atomic_store(&is_over, true);
    (void)!write(gate[1], "x", 1);
}

static void *hold(void *fn)
{
    (*(void (**)(void))fn)();
    return NULL;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

void hold_by(void (*fn)(void), void (*client_fn)(void))
{
    const verd_attr holder = {.name = "holder"}, parked = {.name = "parked"};
    cr_assert_eq(pipe(gate), 0);
    door_open();
    verd_spawn_with(&parked, park, NULL);
    verd_thread *thread = verd_spawn_with(&holder, hold, &fn);
    client_begin(client_fn);
    verd_join(thread, NULL);
}
