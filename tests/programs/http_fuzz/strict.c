/* SPDX-License-Identifier: MIT */
#include "strict.h"

#include <string.h>
#include <strings.h>

/* ---- characters and words ---- */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_of(char c, const char *others)
{
    return is_alnum(c) || (c != '\0' && strchr(others, c) != NULL);
}

#define TCHAR "!#$%&'*+-.^_`|~"
#define REG_NAME "-._~!$&'()*+,;=%"
#define TARGET "-._~!$&'()*+,;=%:@/?[]" /* '[' and ']' are browsers' */

static bool are_of(struct strict_slice text, const char *others)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_of(text.at[i], others))
            return false;
    }
    return true;
}

static bool are_digits(struct strict_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    return true;
}

/* field-vchar, SP, HTAB */
static bool is_content(struct strict_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c != '\t' && (c < ' ' || c == 0x7f))
            return false;
    }
    return true;
}

static bool is_word(struct strict_slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

/* The text up to a character, which is cut off with it; or all. */
static struct strict_slice cut(struct strict_slice *rest, char c)
{
    const char *end = rest->size > 0 ? memchr(rest->at, c, rest->size) : NULL;
    struct strict_slice first = {rest->at, end != NULL ? (size_t)(end - rest->at) : rest->size};
    size_t gone = first.size + (end != NULL);
    *rest = (struct strict_slice){rest->at + gone, rest->size - gone};
    return first;
}

static struct strict_slice trimmed(struct strict_slice text)
{
    while (text.size > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.size--;
    }
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* The next line, without its CR LF. False: none is whole, or a CR or LF stands alone. */
static bool next_line(struct strict_slice *rest, struct strict_slice *line)
{
    if (rest->size == 0 || memchr(rest->at, '\n', rest->size) == NULL)
        return false;
    *line = cut(rest, '\n');
    if (line->size == 0 || line->at[line->size - 1] != '\r')
        return false;
    line->size--;
    return line->size == 0 || memchr(line->at, '\r', line->size) == NULL;
}

/* ---- hosts and targets ---- */

/* uri-host [ ":" port ]; what is in brackets is not looked at closely. */
static bool is_host(struct strict_slice host)
{
    struct strict_slice name = host, port = {host.at + host.size, 0};
    const char *bracket =
        host.size > 0 && host.at[0] == '[' ? memchr(host.at, ']', host.size) : NULL;
    if (bracket != NULL) {
        name = (struct strict_slice){host.at + 1, (size_t)(bracket - host.at) - 1};
        port = (struct strict_slice){bracket + 1, (size_t)(host.at + host.size - bracket) - 1};
        if (name.size == 0 || !are_of(name, REG_NAME ":") || (port.size > 0 && *port.at != ':'))
            return false;
        cut(&port, ':');
    } else {
        name = cut(&(struct strict_slice){host.at, host.size}, ':');
        port = (struct strict_slice){host.at + name.size, host.size - name.size};
        if (name.size == 0 && port.size > 0)
            return false;
        cut(&port, ':');
    }
    return are_digits(port) && (bracket != NULL || are_of(name, REG_NAME));
}

static bool begins(struct strict_slice text, const char *word)
{
    return text.size >= strlen(word) && strncasecmp(text.at, word, strlen(word)) == 0;
}

/* What stands between "scheme://" and the path. */
static struct strict_slice authority_of(struct strict_slice target)
{
    size_t scheme = begins(target, "http://") ? 7 : begins(target, "https://") ? 8 : 0, size = 0;
    const char *at = target.at + scheme;
    if (scheme == 0)
        return (struct strict_slice){NULL, 0};
    while (size < target.size - scheme && at[size] != '/' && at[size] != '?')
        size++;
    return (struct strict_slice){at, size};
}

/* RFC 9112, 3.2 */
static bool is_target(struct strict_request *request)
{
    struct strict_slice target = request->target;
    if (!are_of(target, TARGET) || target.size == 0)
        return false;
    if (request->method.size == 7 && memcmp(request->method.at, "CONNECT", 7) == 0) {
        request->host = target;
        char last = target.at[target.size - 1];
        return is_host(target) && last >= '0' && last <= '9' &&
               memchr(target.at, ':', target.size) != NULL && target.at[0] != ':';
    }
    if (target.at[0] == '*')
        return target.size == 1 && request->method.size == 7 &&
               memcmp(request->method.at, "OPTIONS", 7) == 0;
    if (target.at[0] == '/')
        return true;
    request->host = authority_of(target);
    return request->host.size > 0 && is_host(request->host);
}

static bool is_request_line(struct strict_request *request, struct strict_slice line)
{
    request->method = cut(&line, ' ');
    request->target = cut(&line, ' ');
    if (request->method.size == 0 || !are_of(request->method, TCHAR) || line.size != 8 ||
        memcmp(line.at, "HTTP/1.", 7) != 0 || line.at[7] < '0' || line.at[7] > '9')
        return false;
    request->minor = line.at[7] != '0';
    return is_target(request);
}

/* ---- fields ---- */

static bool is_field(struct strict_slice line, struct strict_slice *name,
                     struct strict_slice *value)
{
    if (memchr(line.at, ':', line.size) == NULL)
        return false;
    *name = cut(&line, ':');
    *value = trimmed(line);
    return name->size > 0 && are_of(*name, TCHAR) && is_content(*value);
}

/* Whether the list of all fields of a name has one member, which is `word`, and each field has one. */
static bool is_all_there_is(const struct strict_request *request, const char *name,
                            const char *word)
{
    size_t count = 0;
    for (size_t i = 0; i < request->count; i++) {
        struct strict_slice rest = request->values[i];
        if (!is_word(request->names[i], name))
            continue;
        size_t before = count;
        while (rest.size > 0) {
            struct strict_slice member = trimmed(cut(&rest, ','));
            if (member.size > 0 && !is_word(member, word))
                return false;
            count += member.size > 0;
        }
        if (count == before) /* who overlooks such a field, and who does not, reads two things */
            return false;
    }
    return count == 1;
}

/* How many fields have a name, and the last. */
static size_t count_fields(const struct strict_request *request, const char *name,
                           struct strict_slice *value)
{
    size_t count = 0;
    for (size_t i = 0; i < request->count; i++) {
        if (is_word(request->names[i], name)) {
            count++;
            *value = request->values[i];
        }
    }
    return count;
}

/* RFC 9112, 3.2 and 6; of codings, a server need know none but chunked; of expectations, one. */
static bool fits_together(struct strict_request *request)
{
    struct strict_slice host = {"", 0}, value;
    size_t hosts = count_fields(request, "Host", &host);
    size_t lengths = count_fields(request, "Content-Length", &request->length);
    size_t codings = count_fields(request, "Transfer-Encoding", &value);
    if (hosts > 1 || (hosts == 0 && request->minor > 0) || !is_host(host))
        return false;
    if (request->host.size == 0)
        request->host = host;
    if (lengths > 1 ||
        (lengths == 1 && (request->length.size == 0 || !are_digits(request->length))))
        return false;
    for (size_t i = 0; i < request->count && request->minor > 0; i++) {
        if (is_word(request->names[i], "Expect") && !is_word(request->values[i], "100-continue"))
            return false;
    }
    request->chunked = codings > 0;
    if (codings == 0)
        return true;
    return lengths == 0 && request->minor > 0 &&
           is_all_there_is(request, "Transfer-Encoding", "chunked");
}

bool strict_request(struct strict_request *request, const char *data, size_t size)
{
    struct strict_slice rest = {data, size}, line;
    *request = (struct strict_request){0};
    do {
        if (!next_line(&rest, &line))
            return false;
    } while (line.size == 0);
    if (!is_request_line(request, line))
        return false;
    for (;;) {
        if (!next_line(&rest, &line))
            return false;
        if (line.size == 0)
            break;
        if (request->count == STRICT_FIELDS ||
            !is_field(line, &request->names[request->count], &request->values[request->count]))
            return false;
        request->count++;
    }
    request->end = (size_t)(rest.at - data);
    return fits_together(request);
}

/* ---- chunks ---- */

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = c != '\0' ? strchr(digits, c) : NULL;
    return digit != NULL ? (int)((digit - digits) % 16) : -1;
}

/* chunk-size [ chunk-ext ]: of extensions, which nobody knows, any text is let through. */
static bool read_size(struct strict_slice line, uint64_t *size)
{
    size_t digits = 0;
    *size = 0;
    for (; digits < line.size && hex_of(line.at[digits]) >= 0; digits++)
        *size = *size << 4 | (uint64_t)hex_of(line.at[digits]);
    struct strict_slice rest = {line.at + digits, line.size - digits};
    if (digits == 0 || digits > 16)
        return false;
    return rest.size == 0 ||
           (trimmed(rest).size > 0 && *trimmed(rest).at == ';' && is_content(rest));
}

static bool read_trailers(struct strict_slice *rest, struct strict_body *body)
{
    struct strict_slice line, name, value;
    for (;;) {
        if (!next_line(rest, &line))
            return false;
        if (line.size == 0)
            return true;
        if (line.at[0] == ' ' || line.at[0] == '\t') {
            if (body->trailers == 0 || !is_content(line))
                return false;
            continue;
        }
        if (!is_field(line, &name, &value))
            return false;
        body->trailers++;
    }
}

bool strict_body(struct strict_body *body, const char *data, size_t size)
{
    struct strict_slice rest = {data, size}, line;
    uint64_t chunk;
    body->size = body->trailers = 0;
    for (;;) {
        if (!next_line(&rest, &line) || !read_size(line, &chunk))
            return false;
        if (chunk == 0)
            break;
        if (chunk > rest.size || rest.size - (size_t)chunk < 2 ||
            memcmp(rest.at + chunk, "\r\n", 2) != 0)
            return false;
        memcpy(body->data + body->size, rest.at, (size_t)chunk);
        body->size += (size_t)chunk;
        rest = (struct strict_slice){rest.at + chunk + 2, rest.size - (size_t)chunk - 2};
    }
    if (!read_trailers(&rest, body))
        return false;
    body->end = (size_t)(rest.at - data);
    return true;
}
