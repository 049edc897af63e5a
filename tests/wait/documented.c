/* SPDX-License-Identifier: MIT */

/* Every function of the public headers is known to block or not, and those that do are in the table. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"

/* Functions that are not in the table though their comments speak of blocking. */
static const char *const elsewhere[] = {
    /* They block in functions of the caller's, and wait for nothing themselves. */
    "verd_with_timeout",
    "verd_resource_pool_put",
    "verd_resource_pool_discard",
    "verd_resource_pool_resize",
    "verd_resource_pool_free",
    "verd_stream_shut",
    "verd_stream_close",
    /* Neither kill nor timeout reaches it. */
    "verd_bundle_free",
};

/* Functions whose comments say in other words what they have to wait for. */
static const char *const apart[] = {
    /* The OS thread stands still, not the green one. */
    "verd_spawn_process",
    /* It knows no scheduler. */
    "verd_context_switch",
};

static bool is_among(const char *name, const char *const *names, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i < count;
}

static bool has_row(const char *name)
{
    size_t i = 0;
    while (row_number(i) != NULL && strcmp(row_number(i)->call, name) != 0)
        i++;
    return row_number(i) != NULL;
}

/* ---- what a comment says ---- */

#define SAYS_SIZE 8192

/* Its words, with one space between them. */
static void read_words(const char *begin, const char *end, char *words)
{
    size_t length = 0;
    for (; begin < end && length < SAYS_SIZE - 2; begin++) {
        if (isalnum((unsigned char)*begin) || *begin == '_')
            words[length++] = *begin;
        else if (length > 0 && words[length - 1] != ' ')
            words[length++] = ' ';
    }
    words[length] = '\0';
}

static bool says_never(const char *words)
{
    return strstr(words, "Never block") != NULL || strstr(words, "never block") != NULL;
}

static bool says_blocks(const char *words)
{
    static const char *const ways[] = {"Blocks ",      "Block ",       "May block",
                                       "blocks until", "blocks while", "blocking while"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strstr(words, ways[i]) != NULL)
            return true;
    }
    return false;
}

/* ---- what a header declares ---- */

struct reader {
    const char *at;
    char words[SAYS_SIZE]; /* of the last comment */
    char name[64];
};

static void skip_line(struct reader *reader)
{
    while (*reader->at != '\0' && *reader->at != '\n')
        reader->at++;
}

/* A definition is nobody's declaration, nor are the calls in it. */
static void skip_definition(struct reader *reader)
{
    const char *body = strchr(reader->at, '{'), *end = strchr(reader->at, ';');
    if (body != NULL && body < end)
        end = strstr(body, "\n}");
    cr_assert_not_null(end);
    reader->at = end + 1;
}

static void read_comment(struct reader *reader)
{
    const char *end = strstr(reader->at, "*/");
    cr_assert_not_null(end);
    read_words(reader->at + 2, end, reader->words);
    reader->at = end + 2;
}

static bool read_name(struct reader *reader)
{
    size_t length = 0;
    while (isalnum((unsigned char)*reader->at) || *reader->at == '_') {
        if (length < sizeof reader->name - 1)
            reader->name[length++] = *reader->at;
        reader->at++;
    }
    reader->name[length] = '\0';
    return strncmp(reader->name, "verd_", 5) == 0 && *reader->at == '(';
}

/* Goes to the next function that is declared, whose comment is then the last one. */
static bool next_function(struct reader *reader)
{
    while (*reader->at != '\0') {
        if (strncmp(reader->at, "/*", 2) == 0)
            read_comment(reader);
        else if (*reader->at == '#' || strncmp(reader->at, "typedef ", 8) == 0)
            skip_line(reader);
        else if (strncmp(reader->at, "static ", 7) == 0)
            skip_definition(reader);
        else if (!isalpha((unsigned char)*reader->at))
            reader->at++;
        else if (read_name(reader))
            return true;
    }
    return false;
}

/* HTTP waits by the calls of the floors below, and an exchange in which one has failed is over: there is
 * nothing to come back to. What is POSIX's ends its waits as POSIX has it (patch/posix.c, patch/pthread_cancel.c). */
static bool is_upstairs(const char *path)
{
    return strstr(path, "/http") != NULL || strstr(path, "/websocket") != NULL ||
           strstr(path, "/posix.h") != NULL || strstr(path, "/pthread.h") != NULL;
}

static void check_function(const char *name, const char *words, bool upstairs)
{
    bool blocks = says_blocks(words), never = says_never(words);
    if (is_among(name, apart, sizeof apart / sizeof *apart))
        return;
    cr_expect(blocks || never, "%s: its comment does not say whether it may block", name);
    if (upstairs || is_among(name, elsewhere, sizeof elsewhere / sizeof *elsewhere))
        return;
    if (has_row(name))
        cr_expect(blocks, "%s: its comment does not say that it blocks", name);
    else
        cr_expect(!blocks, "%s: its comment says that it blocks, but it has no row", name);
}

static size_t check_header(const char *path)
{
    static char text[1 << 17];
    static struct reader reader;
    size_t count = 0;
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (reader = (struct reader){.at = text}; next_function(&reader); count++)
        check_function(reader.name, reader.words, is_upstairs(path));
    return count;
}

/* The tests run in the repository's directory. */
Test(wait, every_function_that_blocks_is_in_the_table)
{
    glob_t headers;
    size_t count = 0;
    cr_assert_eq(glob("include/verd/*.h", 0, NULL, &headers), 0);
    for (size_t i = 0; i < headers.gl_pathc; i++)
        count += check_header(headers.gl_pathv[i]);
    globfree(&headers);
    cr_assert_gt(count, 100);
}
