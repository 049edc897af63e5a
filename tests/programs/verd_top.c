/* SPDX-License-Identifier: MIT */

/* The example in the style of top, which looks at this very process. */
#include "example.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/verd-top-XXXXXX";
static char path[64];

static void *park(void *arg)
{
    verd_park();
    return arg;
}

/* Holds this OS thread until the example says so; where it is found by a signal. */
static size_t hold(char *text, size_t size)
{
    struct pollfd line = {.fd = example.output, .events = POLLIN};
    size_t length = 0;
    while (strstr(text, "thread 0 (main) holds its OS thread") == NULL) {
        if (poll(&line, 1, -1) < 0)
            continue;
        ssize_t n = read(example.output, text + length, size - 1 - length);
        CHECK(n > 0);
        length += (size_t)n;
        text[length] = '\0';
    }
    return length;
}

/* What it prints until its end, as one string. */
static const char *output(const char *times, bool holds)
{
    static char text[65536];
    const char *arguments[] = {path, times, NULL};
    ssize_t n;
    text[0] = '\0';
    example_start("verd_top", arguments);
    size_t length = holds ? hold(text, sizeof text) : 0;
    while (length < sizeof text - 1 &&
           (n = verd_read(example.output, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    CHECK(example_exits(0, 0));
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text++;
        count++;
    }
    return count;
}

int main(void)
{
    verd_attr attr = {.name = "parked"};
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/door", directory);
    CHECK(verd_backdoor(path) == 0);
    verd_pool *pool = verd_pool_new_with(100, &attr);
    for (int i = 0; i < 37; i++)
        verd_pool_spawn(pool, park, NULL);
    CHECK(verd_stats_watch(true) == 0);
    const char *text = output("1", false);
    CHECK(strstr(text, "threads   39 alive") != NULL); /* 37, main, and the inbox */
    CHECK(strstr(text, "      37 ") != NULL);
    CHECK(strstr(text, "parked#") != NULL);
    CHECK(strstr(text, "waits for verd_unpark") != NULL);
    CHECK(strstr(text, "switches  ") != NULL);
    text = output("2", false);
    CHECK(count_of(text, "verd_top  ") == 2);
    text = output("1", true);
    CHECK(strstr(text, "parked#") != NULL);
    CHECK(verd_backdoor(NULL) == 0);
    CHECK(rmdir(directory) == 0);
    return 0;
}
