/* SPDX-License-Identifier: MIT */
#include "http/line.h"

#include <string.h>

#include "http/host.h"
#include "http/list.h"
#include "http/text.h"

#define VERSION "HTTP/1.1"
#define VERSION_SIZE 8

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* HTTP/x.y: a later minor version is taken for the latest that is known here. */
static int parse_version(struct verd__head *head, const char *text)
{
    if (memcmp(text, VERSION, 5) != 0 || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7]))
        return 400;
    if (text[5] != '1')
        return 505;
    head->minor = text[7] != '0';
    return 200;
}

/* The end of a target. What would have to be escaped is not part of any: who reads it further on may read
 * something else. */
static char *target_end(char *target)
{
    while (verd__is_target[(unsigned char)*target])
        target++;
    return target;
}

/* scheme://host and the rest, which is returned; NULL: it is not that. The host moves a byte towards
 * the slashes to have room for a zero. */
static char *parse_origin(struct verd__head *head, char *target)
{
    size_t scheme = verd__begins(target, "http://") ? 7 : verd__begins(target, "https://") ? 8 : 0;
    char *host = target + scheme;
    size_t size = strcspn(host, "/?");
    if (scheme == 0 || size == 0 || *host == ':' || !verd__is_host(host, size))
        return NULL;
    memmove(host - 1, host, size);
    host[size - 1] = '\0';
    head->host = host - 1;
    head->bits |= VERD__HEAD_ABSOLUTE;
    return host + size;
}

static void cut_query(struct verd__head *head, char *path)
{
    char *query = strchr(path, '?');
    if (query == NULL)
        return;
    *query = '\0';
    head->query = query + 1;
}

/* Which of the four forms a target may have depends on the method. */
static bool parse_target(struct verd__head *head, char *target)
{
    bool options = head->bits & VERD__HEAD_OPTIONS;
    head->path = target;
    if (head->bits & VERD__HEAD_CONNECT) {
        head->host = target;
        return *target != ':' && verd__is_host(target, strlen(target)) &&
               is_digit(target[strlen(target) - 1]) && strrchr(target, ':') != NULL;
    }
    if (*target == '*')
        return target[1] == '\0' && options;
    if (*target != '/') {
        target = parse_origin(head, target);
        if (target == NULL)
            return false;
        head->path = *target == '/' ? target : *target == '\0' && options ? "*" : "/";
    }
    cut_query(head, target);
    return true;
}

/* The methods that say something of the message itself. */
static unsigned method_bit(const char *method, size_t size)
{
    switch (size) {
    case sizeof "HEAD" - 1:
        return memcmp(method, "HEAD", size) == 0 ? VERD__HEAD_HEAD : 0;
    case sizeof "CONNECT" - 1:
        return memcmp(method, "CONNECT", size) == 0   ? VERD__HEAD_CONNECT
               : memcmp(method, "OPTIONS", size) == 0 ? VERD__HEAD_OPTIONS
                                                      : 0;
    default:
        return 0;
    }
}

int verd__line_request(struct verd__head *head)
{
    char *method = head->line;
    char *space = method;
    while (verd__is_token[(unsigned char)*space])
        space++;
    if (space == method || *space != ' ')
        return 400;
    char *target = space + 1;
    char *end = target_end(target);
    if (end == target || *end != ' ' || head->line_end - end != 1 + VERSION_SIZE)
        return 400;
    int status = parse_version(head, end + 1);
    if (status != 200)
        return status;
    *space = *end = '\0';
    head->method = method;
    head->bits |= (uint16_t)method_bit(method, (size_t)(space - method));
    return parse_target(head, target) ? 200 : 400;
}

int verd__line_response(struct verd__head *head)
{
    const char *line = head->line;
    size_t size = (size_t)(head->line_end - line);
    if (size < sizeof VERSION " 200" - 1)
        return 400;
    int status = parse_version(head, line);
    const char *code = line + VERSION_SIZE + 1;
    if (status != 200)
        return status;
    if (code[-1] != ' ' || !is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]) ||
        (code[3] != ' ' && code[3] != '\0'))
        return 400;
    head->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    return head->status >= 100 && verd__is_text(code, size - VERSION_SIZE - 1) ? 200 : 400;
}

/* ---- fields ---- */

/* Bits for the members of a comma-separated list, each of which has one, or `other`. */
struct member {
    const char *name;
    unsigned bit;
};

static const struct member connection_members[] = {
    {"close", VERD__HEAD_CLOSE},
    {"keep-alive", VERD__HEAD_KEEP_ALIVE},
    {"upgrade", VERD__HEAD_UPGRADE},
    {NULL, 0},
};

static int note_connection(struct verd__head *head, const char *value)
{
    if (strcmp(value, "keep-alive") == 0) { /* what most say */
        head->bits |= VERD__HEAD_KEEP_ALIVE;
        return 200;
    }
    for (size_t size; (size = verd__list_next(&value)) > 0; value += size) {
        for (const struct member *m = connection_members; m->name != NULL; m++) {
            if (verd__list_is(value, size, m->name, true))
                head->bits |= (uint16_t)m->bit;
        }
    }
    return 200;
}

verd_duration verd__keep_alive(const char *value)
{
    static const char name[] = "timeout=";
    const verd_duration most = VERD_FOREVER / VERD_SEC;
    verd_duration seconds = 0;
    size_t size = 0;
    if (value == NULL)
        return VERD_FOREVER;
    while ((size = verd__list_next(&value)) > 0 && !verd__begins(value, name))
        value += size;
    if (size <= sizeof name - 1 || !is_digit(value[sizeof name - 1]))
        return VERD_FOREVER;
    for (value += sizeof name - 1; is_digit(*value); value++) {
        if (seconds > most / 10 - 1)
            return VERD_FOREVER;
        seconds = seconds * 10 + (*value - '0');
    }
    return seconds > 1 ? (seconds - 1) * VERD_SEC : 0;
}

/* Codings in the order in which they were applied: chunked is the last, and only once. */
static int note_transfer(struct verd__head *head, const char *value)
{
    size_t count = 0;
    head->bits |= VERD__HEAD_TRANSFER;
    for (size_t size; (size = verd__list_next(&value)) > 0; value += size, count++) {
        if (head->bits & VERD__HEAD_CHUNKED)
            return 400;
        bool chunked = verd__list_is(value, size, "chunked", true);
        if (!chunked && size > 7 && verd__begins(value, "chunked") &&
            !verd__is_token[(unsigned char)value[7]])
            return 400; /* it has no parameters */
        head->bits |= (uint16_t)(chunked ? VERD__HEAD_CHUNKED : VERD__HEAD_UNKNOWN);
    }
    return count > 0 ? 200 : 400;
}

static int note_length(struct verd__head *head, const char *value)
{
    uint64_t length = 0;
    bool large = false;
    if ((head->bits & VERD__HEAD_LENGTH) || *value == '\0')
        return 400;
    for (; *value != '\0'; value++) {
        if (!is_digit(*value))
            return 400;
        if (__builtin_mul_overflow(length, (uint64_t)10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(*value - '0'), &length))
            large = true;
    }
    head->bits |= VERD__HEAD_LENGTH;
    head->length = large ? UINT64_MAX : length;
    return 200;
}

static int note_host(struct verd__head *head, const char *value)
{
    if ((head->bits & VERD__HEAD_HOST) || !verd__is_host(value, strlen(value)))
        return 400;
    head->bits |= VERD__HEAD_HOST;
    if (*head->host == '\0') /* a target that names the host counts for more */
        head->host = value;
    return 200;
}

static int note_expect(struct verd__head *head, const char *value)
{
    head->bits |= VERD__HEAD_CONTINUE;
    return verd__same(value, "100-continue") || head->minor == 0 ? 200 : 417;
}

/* Whether a name, of the size of the other, is the same: mostly it is written as the RFCs write it. */
#define IS(name, other) (memcmp(name, other, sizeof(other) - 1) == 0 || verd__same(name, other))

/* What the field says of the message, if it is one of those that do. */
static int note_field(struct verd__head *head, const char *name, size_t size, const char *value)
{
    switch (size) {
    case sizeof "Host" - 1:
        return !head->response && IS(name, "Host") ? note_host(head, value) : 200;
    case sizeof "Expect" - 1:
        return !head->response && IS(name, "Expect") ? note_expect(head, value) : 200;
    case sizeof "Upgrade" - 1:
        if (IS(name, "Upgrade"))
            head->bits |= VERD__HEAD_SWITCH;
        return 200;
    case sizeof "Connection" - 1:
        return IS(name, "Connection") ? note_connection(head, value) : 200;
    case sizeof "Content-Length" - 1:
        return IS(name, "Content-Length") ? note_length(head, value) : 200;
    case sizeof "Transfer-Encoding" - 1:
        return IS(name, "Transfer-Encoding") ? note_transfer(head, value) : 200;
    default:
        return 200;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the white space around a value. Whether what is left can be one. */
static inline bool trim(char **value, char **end)
{
    while (is_blank(**value))
        ++*value;
    while (*end > *value && is_blank((*end)[-1]))
        --*end;
    return verd__is_text(*value, (size_t)(*end - *value));
}

int verd__line_note(struct verd__head *head)
{
    if (head->noted == head->count)
        return 200;
    const verd_http_field *field = &head->fields[head->noted++];
    return note_field(head, field->name, strlen(field->name), field->value);
}

/* A client takes folded lines for one, with spaces in between (RFC 9112, 5.2); a server need not. */
int verd__line_fold(struct verd__head *head, char *line, char *end)
{
    if (!head->response || head->count == 0)
        return 400;
    const char **value = &head->fields[head->count - 1].value;
    char *value_end = line - (line - *value) + strlen(*value);
    if (!trim(&line, &end))
        return 400;
    if (line == end)
        return 200;
    if (value_end == *value)
        *value = line;
    else
        memset(value_end, ' ', (size_t)(line - value_end));
    *end = '\0';
    return 200;
}

int verd__line_field(struct verd__head *head, char *line, char *end)
{
    char *colon = line;
    while (verd__is_token[(unsigned char)*colon])
        colon++;
    if (colon == line || *colon != ':')
        return 400;
    char *value = colon + 1;
    if (!trim(&value, &end))
        return 400;
    if (head->count == head->limits.fields)
        return 431;
    *colon = *end = '\0';
    head->fields[head->count++] = (verd_http_field){line, value};
    if (head->response) /* more of it may come */
        return 200;
    head->noted = head->count;
    return note_field(head, line, (size_t)(colon - line), value);
}
