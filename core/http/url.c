/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include <verd/http_client.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/host.h"
#include "http/text.h"

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- the host and the port ---- */

/* Digits, maybe none, to the end. 0: not a port */
static int parse_port(const char *digits, const char *end, int none)
{
    int port = 0;
    if (digits == end)
        return none;
    for (; digits < end && port <= UINT16_MAX; digits++)
        port = port * 10 + (*digits - '0');
    return port <= UINT16_MAX ? port : 0;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Takes the escapes out of a zone, in place, where there is something in it and nothing that could not be part of
 * an interface's name. */
static bool unescape_zone(char *zone)
{
    const char *in = zone;
    char *out = zone;
    while (*in != '\0') {
        int byte = *in == '%' ? verd__unescape(in) : (unsigned char)*in;
        if (byte <= ' ' || byte == 0x7f || byte == '/' || byte == '%')
            return false;
        in += *in == '%' ? 3 : 1;
        *out++ = (char)byte;
    }
    *out = '\0';
    return out > zone;
}

/* An address, and perhaps "%25" and a zone (RFC 6874), of which one '%' is left. */
static bool parse_ipv6(char *host)
{
    struct in6_addr address;
    char *percent = strchr(host, '%');
    if (percent == NULL)
        return inet_pton(AF_INET6, host, &address) == 1;
    *percent = '\0';
    bool right = inet_pton(AF_INET6, host, &address) == 1 && strncmp(percent + 1, "25", 2) == 0;
    *percent = '%';
    if (!right)
        return false;
    memmove(percent + 1, percent + 3, strlen(percent + 3) + 1);
    return unescape_zone(percent + 1);
}

/* But for a zone. */
static void to_lower(char *text)
{
    for (; *text != '\0' && *text != '%'; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text |= 0x20;
    }
}

/* Escapes are allowed in a name, but no name that can be looked up has any. */
static int parse_authority(struct verd__url *url, const char *text, size_t size)
{
    const char *end = text + size;
    bool literal = *text == '[';
    if (size == 0 || !verd__is_host(text, size) || (!literal && memchr(text, '%', size) != NULL))
        return fail(EINVAL);
    const char *host_end = literal ? memchr(text, ']', size) : memchr(text, ':', size);
    if (host_end == NULL)
        host_end = end;
    const char *colon = memchr(host_end, ':', (size_t)(end - host_end));
    url->port = url->secure ? 443 : 80;
    if (colon != NULL)
        url->port = parse_port(colon + 1, end, url->port);
    text += literal;
    if (url->port == 0 || text == host_end)
        return fail(EINVAL);
    url->host = strndup(text, (size_t)(host_end - text));
    if (url->host == NULL)
        return fail(ENOMEM);
    to_lower(url->host);
    return !literal || parse_ipv6(url->host) ? 0 : fail(EINVAL);
}

/* ---- the text ---- */

static void add(struct verd__text *text, const char *string)
{
    verd__text_add(text, string, strlen(string));
}

static void add_escaped(struct verd__text *text, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    char escaped[] = {'%', digits[byte >> 4], digits[byte & 15]};
    verd__text_add(text, escaped, sizeof escaped);
}

/* Of a zone, only letters and digits are sure to need no escape. */
static void add_zone(struct verd__text *text, const char *zone)
{
    add(text, "%25");
    for (; *zone != '\0'; zone++) {
        if (is_letter(*zone) || (*zone >= '0' && *zone <= '9'))
            verd__text_add(text, zone, 1);
        else
            add_escaped(text, *zone);
    }
}

static void add_authority(struct verd__text *text, const struct verd__url *url)
{
    size_t size = strcspn(url->host, "%");
    bool literal = strchr(url->host, ':') != NULL;
    char port[20];
    add(text, literal ? "[" : "");
    verd__text_add(text, url->host, size);
    if (url->host[size] != '\0')
        add_zone(text, url->host + size + 1);
    add(text, literal ? "]" : "");
    if (url->port == (url->secure ? 443 : 80))
        return;
    add(text, ":");
    verd__text_add(text, port, verd__decimal(port, (uint64_t)url->port));
}

/* Whether the character must be escaped where it stands (RFC 3986, 2.1 to 2.4). */
static bool must_be_escaped(const char *c)
{
    return *c == '%' ? verd__unescape(c) < 0 : !verd__is_target[(unsigned char)*c];
}

/* Path and query, up to a fragment. `escape`: what can be repaired is. */
static int add_target(struct verd__text *text, const char *target, bool escape)
{
    bool fragment = false;
    if (*target != '/')
        add(text, "/");
    for (; *target != '\0'; target++) {
        unsigned char c = (unsigned char)*target;
        bool wrong = c != '#' && must_be_escaped(target);
        fragment = fragment || c == '#';
        if (c < ' ' || c == 0x7f || (wrong && !escape))
            return fail(EINVAL);
        if (fragment)
            continue;
        if (wrong || (escape && (c == '[' || c == ']')))
            add_escaped(text, *target);
        else
            verd__text_add(text, target, 1);
    }
    return 0;
}

/* Puts the parts together. */
static int write_text(struct verd__url *url, const char *target, bool escape)
{
    struct verd__text text = {0};
    add(&text, url->secure ? "https://" : "http://");
    size_t authority = text.size;
    add_authority(&text, url);
    size_t path = text.size;
    int result = add_target(&text, target, escape);
    verd__text_add(&text, "", 1);
    url->text = text.data; /* NULL if there was no memory for any of it */
    if (text.failed)
        return result != 0 ? result : fail(ENOMEM);
    url->authority = text.data + authority;
    url->target = text.data + path;
    return result;
}

/* The size of "scheme:" at its beginning (RFC 3986, 3.1); 0: it has none. */
static size_t scheme_size(const char *text)
{
    const char *c = text;
    if (!is_letter(*c))
        return 0;
    while (is_letter(*c) || (*c >= '0' && *c <= '9') || *c == '+' || *c == '-' || *c == '.')
        c++;
    return *c == ':' ? (size_t)(c - text) + 1 : 0;
}

static int parse(struct verd__url *url, const char *text, bool escape)
{
    *url = (struct verd__url){0};
    size_t scheme = text != NULL ? scheme_size(text) : 0;
    if (scheme == 0)
        return fail(EINVAL);
    url->secure = scheme == 6 && verd__begins(text, "https");
    if (!url->secure && (scheme != 5 || !verd__begins(text, "http")))
        return fail(EPROTONOSUPPORT);
    if (text[scheme] != '/' || text[scheme + 1] != '/')
        return fail(EINVAL);
    const char *authority = text + scheme + 2;
    size_t size = strcspn(authority, "/?#");
    if (parse_authority(url, authority, size) == 0 &&
        write_text(url, authority + size, escape) == 0)
        return 0;
    int error = errno;
    verd__url_free(url);
    return fail(error);
}

int verd__url_parse(struct verd__url *url, const char *text)
{
    return parse(url, text, false);
}

int verd__url_copy(struct verd__url *url, const struct verd__url *from)
{
    return parse(url, from->text, false);
}

void verd__url_free(struct verd__url *url)
{
    free(url->text);
    free(url->host);
    *url = (struct verd__url){0};
}

bool verd__url_same_origin(const struct verd__url *one, const struct verd__url *other)
{
    return one->secure == other->secure && one->port == other->port &&
           strcmp(one->host, other->host) == 0;
}

/* ---- references ---- */

/* RFC 3986, 5.2.4, in place: the segments "." and ".." of a path. Returns its new end. */
static char *remove_dots(char *path, const char *end)
{
    char *out = path;
    for (const char *in = path, *next; in < end; in = next) {
        next = memchr(in + 1, '/', (size_t)(end - in) - 1);
        if (next == NULL)
            next = end;
        size_t size = (size_t)(next - in);
        bool here = size == 2 && in[1] == '.';
        bool up = size == 3 && in[1] == '.' && in[2] == '.';
        if (!here && !up) {
            memmove(out, in, size);
            out += size;
            continue;
        }
        while (up && out > path && *--out != '/')
            ;
        if (next == end)
            *out++ = '/';
    }
    return out;
}

/* How much of the base's text the reference is added to: up to its scheme, its authority, its path's
 * last segment, its path, or all. */
static size_t kept_size(const struct verd__url *base, const char *reference)
{
    size_t query = strcspn(base->target, "?");
    size_t path = query;
    switch (*reference) {
    case '/':
        return reference[1] == '/' ? (size_t)(strchr(base->text, ':') - base->text) + 1
                                   : (size_t)(base->target - base->text);
    case '?':
        return (size_t)(base->target - base->text) + query;
    case '#':
    case '\0':
        return strlen(base->text);
    default:
        while (base->target[path - 1] != '/')
            path--;
        return (size_t)(base->target - base->text) + path;
    }
}

/* Leaves dots in a query alone. */
static void tidy(struct verd__url *url)
{
    char *target = url->text + (url->target - url->text);
    char *query = target + strcspn(target, "?");
    char *end = remove_dots(target, query);
    memmove(end, query, strlen(query) + 1);
}

/* Parses what was put together, and frees it. */
static int parse_text(struct verd__url *url, struct verd__text *text)
{
    verd__text_add(text, "", 1);
    int result = text->failed ? fail(ENOMEM) : parse(url, text->data, true);
    int error = errno;
    verd__text_free(text);
    return result == 0 ? 0 : fail(error);
}

/* A server does not know by which of the client's zones its address is reached. */
static int keep_zone(struct verd__url *url, const struct verd__url *base)
{
    struct verd__text text = {0};
    struct verd__url with_zone;
    size_t size = strlen(url->host);
    if (strncmp(url->host, base->host, size) != 0 || base->host[size] != '%')
        return 0;
    const char *end = strchr(url->authority, ']');
    verd__text_add(&text, url->text, (size_t)(end - url->text));
    add_zone(&text, base->host + size + 1);
    add(&text, end);
    int result = parse_text(&with_zone, &text);
    int error = errno;
    verd__url_free(url);
    if (result != 0)
        return fail(error);
    *url = with_zone;
    return 0;
}

int verd__url_follow(struct verd__url *url, const struct verd__url *base, const char *location)
{
    struct verd__text text = {0};
    if (scheme_size(location) == 0)
        verd__text_add(&text, base->text, kept_size(base, location));
    add(&text, location);
    if (parse_text(url, &text) != 0)
        return -1;
    tidy(url);
    return keep_zone(url, base);
}

char *verd_http_join(const char *base, const char *reference)
{
    struct verd__url from;
    struct verd__url to;
    if (reference == NULL) {
        errno = EINVAL;
        return NULL;
    }
    if (verd__url_parse(&from, base) != 0)
        return NULL;
    int result = verd__url_follow(&to, &from, reference);
    int error = errno;
    verd__url_free(&from);
    if (result != 0) {
        errno = error;
        return NULL;
    }
    char *text = to.text;
    free(to.host);
    return text;
}
