/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http/url.h"

/* Zero-terminated memory of just this size. */
static char *copy(const void *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_expect(text != NULL, "no memory");
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static bool is_hex(char c)
{
    return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* Whether it is made of RFC 3986's characters, and each '%' escapes a byte. */
static bool is_escaped(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~:/?[]@!$&'()*+,;=%";
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr(allowed, *c) == NULL || (*c == '%' && (!is_hex(c[1]) || !is_hex(c[2]))))
            return false;
    }
    return true;
}

/* A name or an address, to which a zone may belong. */
static bool is_host(const char *host)
{
    size_t zone = strcspn(host, "%");
    if (host[zone] == '\0')
        return *host != '\0' && strpbrk(host, "/?#@[]") == NULL;
    return memchr(host, ':', zone) != NULL && strpbrk(host + zone + 1, "/% ") == NULL;
}

/* What is taken for a URL can be sent as it is, leads where it says, and means itself. */
static void check_url(const struct verd__url *url)
{
    struct verd__url again;
    fuzz_expect(is_escaped(url->text), "a URL has what must be escaped");
    fuzz_expect(strchr(url->text, '#') == NULL, "a URL has a fragment");
    fuzz_expect(url->target[0] == '/', "a target does not begin with a slash");
    fuzz_expect(is_host(url->host), "a host is none");
    fuzz_expect(memchr(url->authority, '@', (size_t)(url->target - url->authority)) == NULL,
                "a URL has user information");
    fuzz_expect(url->port > 0 && url->port < 65536, "a port is none");
    fuzz_expect(verd__url_parse(&again, url->text) == 0, "a URL is none when it is parsed again");
    fuzz_expect(strcmp(again.text, url->text) == 0 && verd__url_same_origin(&again, url),
                "a URL is another when it is parsed again");
    verd__url_free(&again);
}

/* A URL and, behind a '|', a Location that it is to be redirected to. */
void fuzz_url(const uint8_t *data, size_t size)
{
    struct verd__url url, next;
    const uint8_t *bar = memchr(data, '|', size);
    size_t first = bar != NULL ? (size_t)(bar - data) : size;
    char *text = copy(data, first);
    char *location = copy(data + first + (bar != NULL), size - first - (bar != NULL));
    if (verd__url_parse(&url, text) == 0) {
        check_url(&url);
        if (verd__url_follow(&next, &url, location) == 0) {
            check_url(&next);
            verd__url_free(&next);
        }
        verd__url_free(&url);
    }
    free(text);
    free(location);
}
