/* SPDX-License-Identifier: MIT */

/* A chat server: what one client says, all others hear. Each client has a queue of what it is still
 * to hear, and a thread that writes it: one who reads slowly holds up nobody, and is shown out when
 * it is too far behind.
 *
 *     chat_server [PORT [PAGE]]        6000 and 6080 unless given; 0 lets the system choose
 *
 * In other terminals, and type:
 *
 *     nc 127.0.0.1 6000
 *
 * Or in a browser, which is a client as any other: http://127.0.0.1:6080/
 */
#include <verd.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_server/page.h"
#include "own_page.h"

#define PORT 6000
#define PAGE_PORT 6080
#define BEHIND 100 /* messages that may wait for a client */
#define LINE 1024

struct message {
    size_t listeners; /* that are still to get it, and its sender; 0: freed */
    size_t length;
    char text[];
};

struct client {
    int fd, number;
    verd_websocket *socket; /* over fd; NULL: its lines go as they are */
    verd_queue *messages;   /* to be written to it */
    struct client *next;
};

/* All who are here. They share one OS thread, so nothing needs a lock. */
static struct client *clients;
static int last_number;

static void forget(struct message *message)
{
    if (--message->listeners == 0)
        free(message);
}

/* Puts the first line of the text into the queue of everyone but the speaker. */
static void broadcast(const struct client *speaker, const char *text)
{
    char line[LINE + 32];
    size_t length = (size_t)snprintf(line, sizeof line, "%d: %.*s\n", speaker->number,
                                     (int)strcspn(text, "\n"), text);
    struct message *message = malloc(sizeof *message + length);
    if (message == NULL)
        return;
    *message = (struct message){.listeners = 1, .length = length};
    memcpy(message->text, line, length);

    for (struct client *client = clients; client != NULL; client = client->next) {
        if (client == speaker)
            continue;
        message->listeners++;
        if (verd_queue_try_put(client->messages, message) == 0)
            continue;
        message->listeners--;
        verd_shutdown(client->fd, SHUT_RDWR); /* too far behind: both its threads see the end */
    }
    forget(message);
}

/* A WebSocket takes no text that is not UTF-8. */
static void write_text(verd_websocket *socket, const char *text, size_t length)
{
    char plain[LINE + 32];
    if (verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, text, length) == 0 || errno != EILSEQ)
        return;
    for (size_t i = 0; i < length; i++)
        plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, plain, length);
}

/* A client's second thread. */
static void *write_messages(void *arg)
{
    const struct client *client = arg;
    void *item;
    while (verd_queue_get(client->messages, &item) == 0) {
        struct message *message = item;
        if (client->socket != NULL)
            write_text(client->socket, message->text, message->length - 1);
        else
            verd_write_full(client->fd, message->text, message->length, NULL);
        forget(message);
    }
    return NULL;
}

/* Until the client leaves, or says too long a line. */
static void talk_by_lines(const struct client *client)
{
    verd_reader *lines = verd_reader_new(verd_stream_of(client->fd), LINE);
    char *line;
    while (verd_reader_line(lines, &line, NULL) == 1)
        broadcast(client, line);
    verd_reader_free(lines);
}

/* A message is a line, or several. */
static void talk_by_messages(const struct client *client)
{
    verd_websocket_message message;
    while (verd_websocket_receive(client->socket, &message) == 1) {
        const char *line = message.data;
        do {
            broadcast(client, line);
            line += strcspn(line, "\n");
        } while (*line++ != '\0');
    }
}

static void talk(const struct client *client)
{
    broadcast(client, "is here");
    if (client->socket != NULL)
        talk_by_messages(client);
    else
        talk_by_lines(client);
    broadcast(client, "has left");
}

static void leave(const struct client *client)
{
    struct client **link = &clients;
    void *message;
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    while (verd_queue_try_get(client->messages, &message) == 0)
        forget(message);
}

/* Has the client take part until it leaves. */
static void host(int fd, verd_websocket *socket)
{
    struct client client = {.fd = fd, .socket = socket, .messages = verd_queue_new(BEHIND)};
    verd_bundle *writer = verd_bundle_new();
    if (client.messages != NULL && writer != NULL &&
        verd_bundle_spawn(writer, write_messages, &client) == 0) {
        client.number = ++last_number;
        client.next = clients;
        clients = &client;
        talk(&client);
        leave(&client);
    }
    verd_bundle_free(writer); /* it uses this frame: even who is killed waits for it */
    verd_queue_free(client.messages);
}

static void handle(int fd, void *ctx)
{
    (void)ctx;
    host(fd, NULL);
}

/* What a browser asks for: the page, and then its WebSocket. */
static int answer(verd_http_exchange *x, void *ctx)
{
    static const verd_websocket_options options = {.message = LINE - 1};
    (void)ctx;
    if (!is_of_own_page(x))
        return refuse_foreign_page(x);
    if (strcmp(verd_http_path(x), "/") == 0)
        return reply_page(x);
    if (strcmp(verd_http_path(x), "/talk") != 0)
        return verd_http_reply(x, 404, "text/plain", "There is only /\n", 16);
    verd_websocket *socket = verd_websocket_accept(x, &options);
    if (socket != NULL)
        host(verd_http_stream(x)->fd, socket);
    verd_websocket_free(socket);
    return 0;
}

int main(int argc, char **argv)
{
    sigset_t terminate;
    int listener = verd_listen("0.0.0.0", argc > 1 ? atoi(argv[1]) : PORT, 0);
    int page = verd_listen("127.0.0.1", argc > 2 ? atoi(argv[2]) : PAGE_PORT, 0);
    verd_server *server = listener >= 0 ? verd_serve(listener, handle, NULL, NULL) : NULL;
    verd_http_server *site = server != NULL ? verd_http_serve(page, answer, NULL, NULL) : NULL;
    if (site == NULL) {
        perror("chat_server");
        return EXIT_FAILURE;
    }
    printf("chat_server: listening on port %d\n", verd_port(listener));
    printf("chat_server: page at http://127.0.0.1:%d/\n", verd_port(page));
    fflush(stdout);
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigaddset(&terminate, SIGINT);
    verd_signal_wait(&terminate, NULL);
    verd_serve_stop(server, 0);
    verd_http_stop(site, VERD_SEC); /* WebSockets say good-bye */
    verd_serve_free(server);
    verd_http_free(site);
    return EXIT_SUCCESS;
}
