/* SPDX-License-Identifier: MIT */

/* The pile of connections: answers beside the names of those who gave them, whoever was first. */
#include "example.h"

#define SERVERS 3

static const verd_duration delays[SERVERS] = {60 * VERD_MS, 30 * VERD_MS, 0};

static void answer(int client, void *ctx)
{
    const verd_duration *delay = ctx;
    char text[LINE];
    verd_read(client, text, sizeof text);
    verd_sleep(*delay);
    snprintf(text, sizeof text, "server %d\r\nmore\r\n", (int)(delay - delays));
    verd_write_full(client, text, strlen(text), NULL);
}

int main(void)
{
    char hosts[SERVERS + 2][32], expected[LINE];
    const char *arguments[SERVERS + 3] = {NULL};
    for (int i = 0; i < SERVERS; i++) {
        int listener = verd_listen("127.0.0.1", 0, 0);
        CHECK(verd_serve(listener, answer, (void *)(uintptr_t)&delays[i], NULL) != NULL);
        snprintf(hosts[i], sizeof hosts[i], "127.0.0.1:%d", verd_port(listener));
    }
    int nobody = verd_listen("127.0.0.1", 0, 0);
    snprintf(hosts[SERVERS], sizeof hosts[SERVERS], "127.0.0.1:%d", verd_port(nobody));
    verd_close(nobody);
    strcpy(hosts[SERVERS + 1], hosts[0]);
    for (int i = 0; i < SERVERS + 2; i++)
        arguments[i] = hosts[i];

    example_start("connect", arguments);
    for (int i = 0; i < SERVERS; i++) {
        snprintf(expected, sizeof expected, "%-24s server %d", hosts[i], i);
        CHECK(reads(example.output, expected));
    }
    snprintf(expected, sizeof expected, "%-24s (Connection refused)", hosts[SERVERS]);
    CHECK(reads(example.output, expected));
    snprintf(expected, sizeof expected, "%-24s server 0", hosts[0]);
    CHECK(reads(example.output, expected));
    CHECK(at_end(example.output));
    CHECK(example_exits(0, 0));
    return 0;
}
