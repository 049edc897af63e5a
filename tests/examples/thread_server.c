/* SPDX-License-Identifier: MIT */

/* A server of one thread a client, with plain sockets and POSIX threads, as it was always written: nothing here knows
 * of libverd. Compiled as it is, it has an OS thread for each client. Compiled with
 *
 *     cc -include verd/posix.h -include verd/pthread.h
 *
 * it has a green thread for each, all of them in one OS thread: ten thousand clients are no more than that many
 * descriptors and stacks.
 *
 *     thread_server [PORT]       6001 unless given; 0 lets the system choose
 *
 * It sends back each line. "who" tells how many clients there are, "bye" ends the connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 6001
#define CLIENTS 10000
#define LINE 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_has_left = PTHREAD_COND_INITIALIZER;
static int clients; /* under the lock */

static int count_clients(void)
{
    pthread_mutex_lock(&lock);
    int count = clients;
    pthread_mutex_unlock(&lock);
    return count;
}

static void wait_for_room(void)
{
    pthread_mutex_lock(&lock);
    while (clients == CLIENTS)
        pthread_cond_wait(&one_has_left, &lock);
    pthread_mutex_unlock(&lock);
}

static void enter(void)
{
    pthread_mutex_lock(&lock);
    clients++;
    pthread_mutex_unlock(&lock);
}

static void leave(void)
{
    pthread_mutex_lock(&lock);
    clients--;
    pthread_cond_signal(&one_has_left);
    pthread_mutex_unlock(&lock);
}

static int send_all(int client, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return -1;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* Answers a line, which ends in a newline. -1: that was the last. */
static int answer(int client, const char *line, size_t size)
{
    char text[32];
    if (size == 4 && memcmp(line, "bye\n", 4) == 0)
        return -1;
    if (size != 4 || memcmp(line, "who\n", 4) != 0)
        return send_all(client, line, size);
    int length = snprintf(text, sizeof text, "%d\n", count_clients());
    return send_all(client, text, (size_t)length);
}

/* Answers all lines that are there whole. Returns the bytes of the one that is not, or -1. */
static ssize_t answer_lines(int client, char *lines, size_t size)
{
    char *begin = lines, *end;
    while ((end = memchr(begin, '\n', size)) != NULL) {
        size_t length = (size_t)(end + 1 - begin);
        if (answer(client, begin, length) != 0)
            return -1;
        begin += length;
        size -= length;
    }
    memmove(lines, begin, size);
    return (ssize_t)size;
}

static void *serve(void *argument)
{
    int client = (int)(intptr_t)argument;
    char lines[LINE];
    ssize_t held = 0;
    while (held >= 0 && held < LINE) {
        ssize_t size = read(client, lines + held, (size_t)(LINE - held));
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        held = answer_lines(client, lines, (size_t)(held + size));
    }
    close(client);
    leave();
    return NULL;
}

static int listen_at(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0)
        return -1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server, SOMAXCONN) != 0)
        return -1;
    socklen_t length = sizeof address;
    getsockname(server, (struct sockaddr *)&address, &length);
    printf("thread_server: listening on port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return server;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    pthread_t thread;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max; /* a client needs a descriptor */
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    int server = listen_at(argc > 1 ? atoi(argv[1]) : PORT);
    while (server >= 0) {
        wait_for_room();
        int client = accept(server, NULL, NULL);
        if (client < 0 && errno != ECONNABORTED && errno != EINTR)
            break;
        if (client < 0)
            continue;
        enter();
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) == 0) {
            pthread_detach(thread);
        } else {
            close(client);
            leave();
        }
    }
    perror("thread_server");
    return 1;
}
