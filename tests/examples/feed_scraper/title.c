/* SPDX-License-Identifier: MIT */
/*
 * As much of XML as a title needs: elements, one in another, and text with its CDATA sections and
 * entities. The title is that of <channel> (RSS) or <feed> (Atom), and not of an image, an item, an
 * entry, or of another vocabulary, such as <media:title>.
 */
#include "title.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 16 /* of elements; the title is not deeper */

struct name {
    const char *text, *local; /* "atom:title" and, in it, "title" */
    size_t size;
};

struct scan {
    const char *at, *end;
    struct name open[DEPTH];
    size_t depth;  /* of `at` */
    size_t inside; /* the title's depth; 0: outside */
    char *title;
    size_t size;
};

static bool begins(const struct scan *scan, const char *what)
{
    size_t size = strlen(what);
    return (size_t)(scan->end - scan->at) >= size && memcmp(scan->at, what, size) == 0;
}

/* Goes on behind the next `what`, or to the end. Returns where it stands. */
static const char *skip(struct scan *scan, const char *what)
{
    const char *found = memmem(scan->at, (size_t)(scan->end - scan->at), what, strlen(what));
    const char *stop = found != NULL ? found : scan->end;
    scan->at = found != NULL ? found + strlen(what) : scan->end;
    return stop;
}

/* ---- text ---- */

/* White space is one space; none is first. */
static void add_byte(struct scan *scan, char c)
{
    bool blank = (unsigned char)c <= ' ' || c == 0x7f;
    if (!blank)
        scan->title[scan->size++] = c;
    else if (scan->size > 0 && scan->title[scan->size - 1] != ' ')
        scan->title[scan->size++] = ' ';
}

static void add_utf8(struct scan *scan, unsigned long c)
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd; /* what stands for what is not known */
    if (c < 0x80) {
        add_byte(scan, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    add_byte(scan, (char)((0xff00 >> (more + 1) & 0xff) | c >> 6 * more));
    while (more-- > 0)
        add_byte(scan, (char)(0x80 | (c >> 6 * more & 0x3f)));
}

/* The entity at '&', or, if it is none that is known, the '&' alone. Returns what is behind it. */
static const char *add_entity(struct scan *scan, const char *text, const char *end)
{
    static const struct {
        const char *name;
        char c;
    } known[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
    char digits[12] = "", *rest;
    size_t left = (size_t)(end - ++text);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t size = strlen(known[i].name);
        if (left >= size && memcmp(text, known[i].name, size) == 0) {
            add_byte(scan, known[i].c);
            return text + size;
        }
    }
    memcpy(digits, text, left < sizeof digits - 1 ? left : sizeof digits - 1);
    bool hex = digits[0] == '#' && digits[1] == 'x';
    unsigned long c = digits[0] == '#' ? strtoul(digits + 1 + hex, &rest, hex ? 16 : 10) : 0;
    if (digits[0] == '#' && *rest == ';' && rest > digits + 1 + hex) {
        add_utf8(scan, c);
        return text + (rest + 1 - digits);
    }
    add_byte(scan, '&');
    return text;
}

static void add_text(struct scan *scan, const char *text, const char *end, bool entities)
{
    while (scan->inside > 0 && text < end) {
        if (entities && *text == '&')
            text = add_entity(scan, text, end);
        else
            add_byte(scan, *text++);
    }
}

/* ---- elements ---- */

static bool is_called(const struct name *name, const char *local)
{
    size_t size = (size_t)(name->text + name->size - name->local);
    return size == strlen(local) && memcmp(name->local, local, size) == 0;
}

/* Whether the innermost element is the title that is looked for: of its parent's vocabulary. */
static bool is_title(const struct scan *scan)
{
    if (scan->depth < 2 || scan->depth > DEPTH)
        return false;
    const struct name *name = &scan->open[scan->depth - 1], *parent = name - 1;
    size_t prefix = (size_t)(name->local - name->text);
    return is_called(name, "title") &&
           (is_called(parent, "channel") || is_called(parent, "feed")) &&
           prefix == (size_t)(parent->local - parent->text) &&
           memcmp(name->text, parent->text, prefix) == 0;
}

static void open_element(struct scan *scan)
{
    struct name name = {scan->at, scan->at, 0};
    while (scan->at < scan->end && strchr(" \t\r\n/>", *scan->at) == NULL) {
        if (*scan->at++ == ':')
            name.local = scan->at;
    }
    name.size = (size_t)(scan->at - name.text);
    bool empty = false;
    for (char quote = 0; scan->at < scan->end; scan->at++) { /* attributes */
        if (quote == 0 && *scan->at == '>')
            break;
        empty = *scan->at == '/';
        if (quote != 0)
            quote = *scan->at == quote ? 0 : quote;
        else if (*scan->at == '"' || *scan->at == '\'')
            quote = *scan->at;
    }
    skip(scan, ">");
    if (empty)
        return;
    if (scan->depth < DEPTH)
        scan->open[scan->depth] = name;
    scan->depth++;
    if (scan->inside == 0 && is_title(scan))
        scan->inside = scan->depth;
}

/* One piece of markup, at a '<'. False: the title is complete. */
static bool take_markup(struct scan *scan)
{
    if (begins(scan, "<![CDATA[")) {
        scan->at += strlen("<![CDATA[");
        const char *text = scan->at;
        add_text(scan, text, skip(scan, "]]>"), false);
    } else if (begins(scan, "<!--")) {
        skip(scan, "-->");
    } else if (begins(scan, "<?")) {
        skip(scan, "?>");
    } else if (begins(scan, "<!")) {
        skip(scan, ">");
    } else if (begins(scan, "</")) {
        skip(scan, ">");
        if (scan->inside > 0 && scan->depth == scan->inside)
            return false;
        scan->depth -= scan->depth > 0;
    } else {
        scan->at++;
        open_element(scan);
    }
    return true;
}

char *feed_title(const char *text, size_t size)
{
    struct scan scan = {.at = text, .end = text + size, .title = malloc(size + 4)};
    if (scan.title == NULL)
        return NULL;
    do {
        const char *from = scan.at, *markup = memchr(from, '<', (size_t)(scan.end - from));
        scan.at = markup != NULL ? markup : scan.end;
        add_text(&scan, from, scan.at, true);
    } while (scan.at < scan.end && take_markup(&scan));
    if (scan.size > 0 && scan.title[scan.size - 1] == ' ')
        scan.size--;
    scan.title[scan.size] = '\0';
    return scan.title;
}
