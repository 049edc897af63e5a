/* SPDX-License-Identifier: MIT */

/* The chat server: who hears what, and that one who does not read holds up nobody. */
#include "example.h"

#include <signal.h>

#define BURST 20 /* lines said before they are heard: fewer than may wait */

static int port, chatterer, listener;
static int heard; /* lines of the flood, in their order */
static bool sleeper_has_left;

static void note(const char *line)
{
    int number;
    if (strcmp(line, "3: has left") == 0)
        sleeper_has_left = true;
    else if (sscanf(line, "1: %d ", &number) == 1 && number == heard)
        heard++;
    else
        printf("heard \"%s\" after %d\n", line, heard);
}

/* Reads what the listener is to hear: the flood, in its order, and when the sleeper goes. */
static void *hear(void *arg)
{
    static char text[65536];
    size_t length = 0;
    ssize_t size;
    while ((size = verd_read(listener, text + length, sizeof text - length)) > 0) {
        char *line = text, *newline;
        length += (size_t)size;
        while ((newline = memchr(line, '\n', (size_t)(text + length - line))) != NULL) {
            *newline = '\0';
            note(line);
            line = newline + 1;
        }
        length = (size_t)(text + length - line);
        memmove(text, line, length);
    }
    return arg;
}

static void say_burst(void)
{
    char line[900];
    int begin = heard;
    for (int i = 0; i < BURST; i++) {
        memset(line, 'x', sizeof line);
        line[snprintf(line, sizeof line, "%d", begin + i)] = ' ';
        line[sizeof line - 2] = '\n';
        line[sizeof line - 1] = '\0';
        say(chatterer, line);
    }
    while (heard < begin + BURST)
        verd_sleep(VERD_MS); /* hangs if someone holds up the others */
}

int main(void)
{
    static const char *const arguments[] = {"0", NULL};
    const char *line;
    int little = 4096;
    example_start("chat_server", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "chat_server: listening on port %d", &port) == 1);

    chatterer = join(port);
    CHECK(is_silent(chatterer));
    int other = join(port);
    CHECK(reads(chatterer, "2: is here"));
    say(chatterer, "hello\n");
    CHECK(reads(other, "1: hello"));
    CHECK(is_silent(chatterer)); /* who speaks does not hear himself */
    say(other, "one\ntwo\nth");
    CHECK(reads(chatterer, "2: one") && reads(chatterer, "2: two"));
    say(other, "ree\n");
    CHECK(reads(chatterer, "2: three"));
    verd_close(other);
    CHECK(reads(chatterer, "2: has left"));

    int sleeper = join(port);
    CHECK(reads(chatterer, "3: is here"));
    setsockopt(sleeper, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    listener = join(port);
    CHECK(reads(chatterer, "4: is here"));
    verd_thread *ears = verd_spawn(hear, NULL);
    while (!sleeper_has_left)
        say_burst();
    say_burst();
    printf("%d lines heard, in order\n", heard);

    CHECK(example_exits(0, SIGTERM));
    verd_join(ears, NULL);
    return heard % BURST != 0;
}
