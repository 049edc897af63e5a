/* SPDX-License-Identifier: MIT */
/*
 * Reads what the headers say of errnos. The rules:
 *
 *   - A function's errnos are those that the comment in front of it names behind its first
 *     "errno" or "Errors". Functions that stand together behind one comment have them all.
 *   - "as verd_f" adds those of verd_f.
 *   - "as above" adds those of the comment at the head of the file, from its indented lines.
 *   - Where the comment refers to a manual page, "as f(2)", to what a callback says ("the
 *     errno of"), or ends in dots, the list is open: there may be others. So it is behind "others",
 *     where it ends.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define FUNCTIONS_MAX 600
#define REFERENCES_MAX 4

static struct function known[FUNCTIONS_MAX];
static char references[FUNCTIONS_MAX][REFERENCES_MAX][64]; /* of each, "" after the last */
static size_t known_count;

static _Noreturn void give_up(const char *what, const char *which)
{
    printf("%s: %s\n", what, which);
    exit(1);
}

/* Its number; 0: it is not an errno. */
static int number_of(const char *name)
{
    if (strcmp(name, "ENOTSUP") == 0)
        return ENOTSUP;
    for (int error = 1; error < ERRNO_MAX; error++) {
        const char *other = strerrorname_np(error);
        if (other != NULL && strcmp(name, other) == 0)
            return error;
    }
    return 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Copies the word at `at`; where it ends. */
static const char *read_word(const char *at, const char *end, char word[64])
{
    size_t length = 0;
    while (at < end && is_word(*at)) {
        if (length < 63)
            word[length++] = *at;
        at++;
    }
    word[length] = '\0';
    return at;
}

/* The next word from `at` on, "" if there is none; where it ends. */
static const char *next_word(const char *at, const char *end, char word[64])
{
    while (at < end && !is_word(*at))
        at++;
    return read_word(at, end, word);
}

static void note_error(struct function *function, const char *word)
{
    if (word[0] != 'E' || !isupper((unsigned char)word[1]) || strncmp(word, "EAI_", 4) == 0)
        return;
    int error = number_of(word);
    if (error == 0)
        give_up("not an errno", word);
    function->errors[error] = true;
}

static void note_reference(size_t function, const char *name)
{
    size_t i = 0;
    while (references[function][i][0] != '\0')
        i++;
    if (i == REFERENCES_MAX - 1)
        give_up("too many references", known[function].name);
    snprintf(references[function][i], sizeof references[function][i], "%s", name);
}

/* Where a comment begins to speak of errnos; NULL: it does not. */
static const char *find_errors(const char *begin, const char *end)
{
    char word[64];
    for (const char *at = next_word(begin, end, word); word[0] != '\0';
         at = next_word(at, end, word)) {
        if (strcmp(word, "errno") == 0 || strcmp(word, "Errors") == 0)
            return at - strlen(word);
    }
    return NULL;
}

struct comment {
    const char *begin, *end;
};

/* The errnos of the indented lines at the head of a file. */
static void read_head(struct comment head, struct function *function)
{
    char word[64];
    for (const char *line = head.begin; line != NULL && line < head.end;
         line = memchr(line + 1, '\n', (size_t)(head.end - line - 1))) {
        const char *end = memchr(line + 1, '\n', (size_t)(head.end - line - 1));
        if (strncmp(line, "\n *   E", 7) != 0)
            continue;
        if (end == NULL)
            end = head.end;
        for (const char *at = next_word(line, end, word); word[0] != '\0';
             at = next_word(at, end, word))
            note_error(function, word);
    }
}

/* Whether what is read leaves it open which others there may be: a manual page, "others", what a
 * callback says, or dots. */
static bool leaves_open(const char *before, const char *word, const char *at, const char *end)
{
    if (strcmp(word, "errno") == 0)
        return strcmp(before, "the") == 0 || strcmp(before, "s") == 0;
    if (strcmp(word, "others") == 0 || (end - at > 5 && strncmp(at, ", ...", 5) == 0))
        return true;
    return end - at > 3 && at[0] == '(' && isdigit((unsigned char)at[1]) && at[2] == ')';
}

/* What the comment says of errnos, for one function. */
static void read_errors(struct comment comment, struct comment head, size_t index)
{
    struct function *function = &known[index];
    char word[64], before[64] = "";
    const char *at = find_errors(comment.begin, comment.end);
    if (at == NULL)
        return;
    for (at = next_word(at, comment.end, word); word[0] != '\0';
         at = next_word(at, comment.end, word)) {
        bool as = strcmp(before, "as") == 0;
        function->open |= leaves_open(before, word, at, comment.end);
        if (strcmp(word, "others") == 0)
            return;
        if (as && strcmp(word, "above") == 0)
            read_head(head, function);
        else if (as && strncmp(word, "verd_", 5) == 0)
            note_reference(index, word);
        else
            note_error(function, word);
        memcpy(before, word, sizeof before);
    }
}

static void add_function(const char *name, struct comment comment, struct comment head)
{
    if (known_count == FUNCTIONS_MAX)
        give_up("too many functions", name);
    snprintf(known[known_count].name, sizeof known[known_count].name, "%s", name);
    if (comment.begin != NULL)
        read_errors(comment, head, known_count);
    known_count++;
}

static const char *end_of_line(const char *at)
{
    const char *end = strchr(at, '\n');
    return end != NULL ? end : at + strlen(at);
}

/* Reads one thing: a comment, a directive, a type, a declaration. Where it ends. */
static const char *read_thing(const char *at, struct comment *comment, struct comment *head)
{
    char word[64];
    if (isspace((unsigned char)*at))
        return at + 1;
    if (strncmp(at, "/*", 2) == 0) {
        const char *end = strstr(at, "*/");
        *comment = (struct comment){at, end};
        if (head->begin == NULL && strncmp(at, "/* SPDX", 7) != 0)
            *head = *comment;
        return end + 2;
    }
    if (strncmp(at, "static ", 7) == 0 || strncmp(at, "typedef ", 8) == 0)
        *comment = (struct comment){NULL, NULL}; /* was theirs */
    if (*at == '#' || comment->begin == NULL)
        return end_of_line(at);
    if (!is_word(*at))
        return at + 1;
    const char *end = read_word(at, at + strlen(at), word);
    if (*end != '(' || strncmp(word, "verd_", 5) != 0)
        return end;
    add_function(word, *comment, *head);
    return strchr(end, ';');
}

void read_header(const char *header)
{
    static char text[1 << 17];
    char path[128];
    struct comment comment = {NULL, NULL}, head = {NULL, NULL};
    snprintf(path, sizeof path, "include/verd/%s", header);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        give_up("cannot be read", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (const char *at = text; *at != '\0';)
        at = read_thing(at, &comment, &head);
}

static size_t index_of(const char *name)
{
    size_t i = 0;
    while (i < known_count && strcmp(known[i].name, name) != 0)
        i++;
    if (i == known_count)
        give_up("a comment refers to what is not there", name);
    return i;
}

/* Adds what is referred to; false: nothing was new. */
static bool follow_references(void)
{
    bool grown = false;
    for (size_t i = 0; i < known_count; i++) {
        for (size_t r = 0; references[i][r][0] != '\0'; r++) {
            const struct function *other = &known[index_of(references[i][r])];
            for (int error = 1; error < ERRNO_MAX; error++) {
                grown |= other->errors[error] && !known[i].errors[error];
                known[i].errors[error] |= other->errors[error];
            }
            known[i].open |= other->open;
        }
    }
    return grown;
}

const struct function *functions(size_t *count)
{
    while (follow_references())
        ;
    *count = known_count;
    return known;
}
