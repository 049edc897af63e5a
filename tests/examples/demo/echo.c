/* SPDX-License-Identifier: MIT */
/* The server pattern: ten thousand clients of echo_server, all of them connected at the same time. Here,
 * each is a green thread that reads as if it were alone: it connects, says something ten times, checks
 * each echo, and leaves. */
#include "demo.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 10 /* of each client */
#define MESSAGE_SIZE 64
#define PATIENCE (60 * VERD_SEC) /* a client that is not done by then has failed */

/* So many connect at once: fewer than wait in a listener's backlog. */
static verd_semaphore doors = VERD_SEMAPHORE_INIT(500);
static verd_event everyone_is_in = VERD_EVENT_INIT, time_to_leave = VERD_EVENT_INIT;

static struct program server;

/* What the clients have done so far. One OS thread counts it, so it takes no lock. */
static struct {
    long in, done, gone; /* clients that were let in, have had their say, have left */
    long failed;         /* clients that did not get that far */
    long echoes, bytes;
    int first_error; /* errno of the first that failed */
} count;

/* ---- a client ------------------------------------------------------------------------------- */

static int say(int fd, long client, int message)
{
    char said[MESSAGE_SIZE], heard[MESSAGE_SIZE];

    memset(said, '.', sizeof said);
    snprintf(said, sizeof said, "client %ld, message %d", client, message);
    if (verd_write_full(fd, said, sizeof said, NULL) < 0)
        return -1;
    ssize_t size = verd_read_full(fd, heard, sizeof heard, NULL);
    if (size < 0)
        return -1;
    if (size != sizeof heard || memcmp(said, heard, sizeof heard) != 0) {
        errno = EBADMSG;
        return -1;
    }
    count.echoes++;
    count.bytes += size;
    return 0;
}

/* Connects; the first echo tells that the server has let this client in. */
static int enter(long client)
{
    if (verd_semaphore_acquire(&doors) != 0)
        return -1;
    int fd = verd_connect("127.0.0.1", server.port);
    int entered = fd < 0 ? -1 : say(fd, client, 0);
    int error = errno;
    verd_semaphore_release(&doors);
    errno = error;
    count.in += entered == 0;
    if (entered != 0 && fd >= 0)
        verd_close(fd);
    return entered == 0 ? fd : -1;
}

static int visit(long client)
{
    int fd = enter(client);
    if (fd < 0)
        return -1;
    int result = verd_event_wait(&everyone_is_in, NULL);
    for (int message = 1; message < MESSAGES && result == 0; message++)
        result = say(fd, client, message);
    count.done += result == 0;
    if (result == 0)
        result = verd_event_wait(&time_to_leave, NULL);
    int error = errno;
    verd_close(fd);
    errno = error;
    return result;
}

static void client(void *number)
{
    verd_timeout patience;

    verd_timeout_begin(&patience, PATIENCE);
    if (visit((long)(intptr_t)number) == 0)
        count.gone++;
    else if (count.failed++ == 0)
        count.first_error = errno;
    verd_timeout_end(&patience);
}

/* Shows how far a stage is, until each client has finished it or failed. One for whose thread there is no
 * memory does neither: the stage has its time as a client has. */
static void watch(const char *stage, const long *shown, long all, const long *finished,
                  long clients)
{
    verd_duration since = verd_now();

    while (*finished + count.failed < clients) {
        draw(stage, *shown, all, since, false);
        if (seconds_since(since) > (double)PATIENCE / (double)VERD_SEC) {
            fprintf(stderr, "demo: %s: %ld of %ld clients have not got there in time: too many?\n",
                    stage, clients - *finished, clients);
            exit(EXIT_FAILURE);
        }
        verd_sleep(50 * VERD_MS);
    }
    draw(stage, *shown, all, since, true);
}

static void print_summary(long clients, long memory)
{
    printf("\n  %s messages there and back, %s bytes each way; %ld errors%s%s\n"
           "  the server: %.1f MiB resident, %.1f KiB per client\n\n",
           grouped(count.echoes), grouped(count.bytes), count.failed,
           count.failed > 0 ? ", the first: " : "",
           count.failed > 0 ? strerror(count.first_error) : "", (double)memory / 1024,
           (double)memory / (double)clients);
}

bool demo_echo(long clients, struct row *row)
{
    static const char *const arguments[] = {"0", NULL};
    printf("Server: %s clients of one echo server at the same time.\n\n", grouped(clients));
    start_server(&server, "echo_server", arguments);

    verd_duration since = verd_now();
    for (long i = 0; i < clients; i++)
        if (verd_spawn_n(client, (void *)(intptr_t)i) != 0)
            fail("verd_spawn_n");
    watch("connecting", &count.in, clients, &count.in, clients);
    verd_event_set(&everyone_is_in, NULL);
    watch("talking", &count.echoes, clients * MESSAGES, &count.done, clients);
    long memory = memory_of(&server);
    verd_event_set(&time_to_leave, NULL);
    watch("leaving", &count.gone, clients, &count.gone, clients);
    double here = seconds_since(since);
    print_summary(clients, memory);
    stop_server(&server);

    *row = (struct row){.pattern = "server", .program = "echo_server", .alone = "-"};
    snprintf(row->work, sizeof row->work, "%s clients, %s echoes", grouped(clients),
             grouped(count.echoes));
    snprintf(row->here, sizeof row->here, "%.2f s", here);
    return count.failed == 0;
}
