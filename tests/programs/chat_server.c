/* SPDX-License-Identifier: MIT */

/* The chat server: who hears what, over TCP and in a browser, and that one who does not read holds up nobody. */
#include "example.h"

#include <signal.h>

#define BURST 20 /* lines said before they are heard: fewer than may wait */

static int port, page_port, chatterer, listener;
static int heard; /* lines of the flood, in their order */
static bool sleeper_has_left;

static void note(const char *line)
{
    int number;
    if (strcmp(line, "4: has left") == 0)
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

/* ---- browsers ---- */

/* A WebSocket that a page of this origin makes; NULL: it is refused by *status. */
static verd_websocket *join_from(const char *from, int *status)
{
    char url[64];
    const verd_http_field origin = {"Origin", from};
    const verd_websocket_options options = {.fields = &origin, .field_count = 1, .status = status};
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/talk", page_port);
    return verd_websocket_connect(url, &options);
}

static verd_websocket *open_page(void)
{
    char url[64];
    int status;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", page_port);
    verd_http_response *page = verd_http_get(url, NULL);
    CHECK(page != NULL && verd_http_response_status(page) == 200);
    CHECK(strstr(verd_http_response_body(page, 1 << 16, NULL), "new WebSocket") != NULL);
    verd_http_response_free(page);
    verd_websocket *browser = join_from(url, &status);
    CHECK(browser != NULL && status == 101);
    return browser;
}

static void say_there(verd_websocket *browser, const char *text)
{
    CHECK(verd_websocket_send(browser, VERD_WEBSOCKET_TEXT, text, strlen(text)) == 0);
}

static bool hears(verd_websocket *browser, const char *expected)
{
    verd_websocket_message message;
    CHECK(verd_websocket_receive(browser, &message) == 1);
    if (strcmp(message.data, expected) != 0)
        printf("heard \"%s\"\n", message.data);
    return strcmp(message.data, expected) == 0;
}

static void talk_in_browser(void)
{
    int status = 0;
    CHECK(join_from("http://evil.example", &status) == NULL && status == 403);
    verd_websocket *browser = open_page();
    CHECK(reads(chatterer, "3: is here"));
    say(chatterer, "hello, \xc3\xa4\n");
    CHECK(hears(browser, "1: hello, \xc3\xa4"));
    say(chatterer, "not \xff UTF-8\n");
    CHECK(hears(browser, "1: not ? UTF-8"));
    say_there(browser, "from the page\nin two lines");
    CHECK(reads(chatterer, "3: from the page") && reads(chatterer, "3: in two lines"));
    CHECK(verd_websocket_close(browser, 1000, NULL) == 0);
    CHECK(reads(chatterer, "3: has left"));
    verd_websocket_free(browser);
}

/* A browser that is there when the server ends. */
static void *stay(void *arg)
{
    verd_websocket_message message;
    int result;
    do
        result = verd_websocket_receive(arg, &message); /* others leave */
    while (result == 1);
    CHECK(result == 0 && verd_websocket_code(arg) == 1001);
    verd_websocket_free(arg);
    return NULL;
}

int main(void)
{
    static const char *const arguments[] = {"0", "0", NULL};
    const char *line;
    int little = 4096;
    example_start("chat_server", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "chat_server: listening on port %d", &port) == 1);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "chat_server: page at http://127.0.0.1:%d/", &page_port) == 1);

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

    talk_in_browser();

    int sleeper = join(port);
    CHECK(reads(chatterer, "4: is here"));
    setsockopt(sleeper, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    listener = join(port);
    CHECK(reads(chatterer, "5: is here"));
    verd_thread *ears = verd_spawn(hear, NULL);
    while (!sleeper_has_left)
        say_burst();
    say_burst();
    printf("%d lines heard, in order\n", heard);

    verd_thread *browser = verd_spawn(stay, open_page());
    CHECK(example_exits(0, SIGTERM));
    verd_join(browser, NULL);
    verd_join(ears, NULL);
    return heard % BURST != 0;
}
