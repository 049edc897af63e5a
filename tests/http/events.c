/* SPDX-License-Identifier: MIT */

/* Events of chance, read as browsers read them (WHATWG HTML, 9.2.6): what is heard is what was sent. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "random.h"
#include "site.h"

#define EVENTS 500
#define ROOM 24 /* bytes of a text, and its zero */

static struct site site;
/* What is sent; texts that are NULL are not. */
static struct sent {
    char *type, *data, *id;
    char texts[3][ROOM];
    long retry;
} sent[EVENTS];

static char *make_text(char *text, const char *characters)
{
    size_t size = random_below(ROOM);
    for (size_t i = 0; i < size; i++)
        text[i] = characters[random_below(strlen(characters))];
    text[size] = '\0';
    return random_below(4) > 0 ? text : NULL;
}

static void make_events(void)
{
    for (size_t i = 0; i < EVENTS; i++) {
        sent[i].type = make_text(sent[i].texts[0], "ab: \xc3\xa4");
        sent[i].data = make_text(sent[i].texts[1], "\r\n\r\n: data");
        sent[i].id = make_text(sent[i].texts[2], "12: \t");
        sent[i].retry = (long)random_below(3);
    }
}

static int send_all(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    if (verd_http_events_begin(x) != 0)
        return -1;
    for (size_t i = 0; i < EVENTS; i++) {
        const verd_http_event event = {.type = sent[i].type,
                                       .data = sent[i].data,
                                       .id = sent[i].id,
                                       .retry = sent[i].retry * VERD_MS};
        if (verd_http_events_send(x, &event) != 0 || (i % 7 == 0 && verd_http_events_keep(x) != 0))
            return -1;
    }
    return 0;
}

/* ---- a browser's reader ---- */

static struct {
    char type[ROOM], id[ROOM], data[4 * ROOM];
    long retry;
    size_t next; /* of `sent`: the first that was not heard */
} reader;

/* The texts of an event that is heard: its data's ends of lines are LF. */
static void expect_next(void)
{
    char data[ROOM], *to = data;
    static const char *last_id = "";
    const struct sent *event;
    do {
        event = &sent[reader.next++];
        last_id = event->id != NULL ? event->id : last_id;
    } while (event->data == NULL);
    for (const char *from = event->data; *from != '\0'; from++) {
        if (from[0] != '\r' || from[1] != '\n')
            *to++ = *from == '\r' ? '\n' : *from;
    }
    *to = '\0';
    cr_assert_str_eq(reader.data, data, "event %zu", reader.next - 1);
    cr_assert_str_eq(reader.type, event->type != NULL ? event->type : "");
    cr_assert_str_eq(reader.id, last_id);
    cr_assert(event->retry == 0 || reader.retry == event->retry);
}

static void dispatch(void)
{
    size_t size = strlen(reader.data);
    if (size > 0) {
        reader.data[size - 1] = '\0'; /* a LF */
        expect_next();
    }
    reader.data[0] = reader.type[0] = '\0';
}

static void read_line(char *line)
{
    char *value = strchr(line, ':');
    if (*line == '\0')
        dispatch();
    if (*line == '\0' || value == line)
        return;
    cr_assert_not_null(value);
    *value++ = '\0';
    value += *value == ' ';
    if (strcmp(line, "data") == 0)
        strcat(strcat(reader.data, value), "\n");
    else if (strcmp(line, "event") == 0)
        strcpy(reader.type, value);
    else if (strcmp(line, "id") == 0)
        strcpy(reader.id, value);
    else if (strcmp(line, "retry") == 0)
        reader.retry = strtol(value, NULL, 10);
    else
        cr_assert_fail("a line with \"%s\"", line);
}

Test(http, events_of_chance_are_heard_as_they_were_sent)
{
    char url[64];
    size_t heard = 0, size;
    make_events();
    site_open(&site, send_all, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", site.port);
    verd_http_response *response = verd_http_get(url, NULL);
    char *text = verd_http_response_body(response, 1 << 20, &size);
    cr_assert_not_null(text);
    cr_assert_eq(strlen(text), size);
    while (heard < size) {
        size_t length = strcspn(text + heard, "\r\n");
        cr_assert_eq(text[heard + length], '\n');
        text[heard + length] = '\0';
        read_line(text + heard);
        heard += length + 1;
    }
    while (reader.next < EVENTS)
        cr_assert_null(sent[reader.next++].data);
    verd_http_response_free(response);
    verd_http_client_close_idle(NULL);
    site_close(&site);
}
