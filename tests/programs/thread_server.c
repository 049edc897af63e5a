/* SPDX-License-Identifier: MIT */

/* The server of one thread a client, compiled for green threads: many clients at once, in one OS thread. */
#include "example.h"

#include <signal.h>
#include <sys/resource.h>

#include "../support/process.h"

#define CLIENTS 9999 /* and one more, who counts them */
#define CLIENTS_EMULATED 1000
#define OFFLOAD_MAX 20         /* OS threads of the library's own, beside the one that serves */
#define DESCRIPTORS_BESIDE 100 /* of this process and of the server's */

static int port, served;

/* How many clients the machine lets there be. */
static int client_count(void)
{
    struct rlimit limit;
    if (process_is_emulated())
        return CLIENTS_EMULATED;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max >= CLIENTS + DESCRIPTORS_BESIDE)
        return CLIENTS;
    printf("thread_server: fewer than %d clients: the hard limit of descriptors is %lu\n", CLIENTS,
           (unsigned long)limit.rlim_max);
    return (int)limit.rlim_max - DESCRIPTORS_BESIDE;
}

static verd_event all_are_there = VERD_EVENT_INIT;

/* Asks, waits until all have been answered, and asks again. */
static void *be_a_client(void *arg)
{
    int fd = join(port);
    say(fd, "hello\nand");
    CHECK(reads(fd, "hello"));
    served++;
    CHECK(verd_event_wait(&all_are_there, NULL) == 0);
    say(fd, " again\nbye\n");
    CHECK(reads(fd, "and again"));
    CHECK(at_end(fd));
    verd_close(fd);
    return arg;
}

/* OS threads of the server, as the system counts them. */
static int os_threads(void)
{
    char path[64], line[LINE];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)example.pid);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (count == 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Threads: %d", &count);
    fclose(file);
    return count;
}

int main(void)
{
    static const char *const arguments[] = {"0", NULL};
    static verd_thread *threads[CLIENTS];
    char expected[16];
    const char *line;
    int count = client_count();
    example_start("thread_server", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "thread_server: listening on port %d", &port) == 1);
    for (int i = 0; i < count; i++) {
        CHECK((threads[i] = verd_spawn(be_a_client, NULL)) != NULL);
        while (served < i - 100)
            CHECK(verd_sleep(VERD_MS) == 0);
    }
    while (served < count)
        CHECK(verd_sleep(VERD_MS) == 0);
    int fd = join(port);
    say(fd, "who\n");
    snprintf(expected, sizeof expected, "%d", count + 1);
    CHECK(reads(fd, expected));
    CHECK(os_threads() <= 1 + OFFLOAD_MAX);
    CHECK(verd_event_set(&all_are_there, NULL) == 0);
    for (int i = 0; i < count; i++)
        CHECK(verd_join(threads[i], NULL) == 0);
    do
        say(fd, "who\n");
    while ((line = next_line(fd)) != NULL && strcmp(line, "1") != 0);
    CHECK(line != NULL);
    verd_process_kill(&example, SIGTERM);
    return 0;
}
