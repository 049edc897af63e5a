/* SPDX-License-Identifier: MIT */

/* URLs, taken apart and followed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd/http_client.h>

#include "http/url.h"

/* "host port authority target", or what errno says. */
static const char *parts(const char *text)
{
    static char room[256];
    struct verd__url url;
    if (verd__url_parse(&url, text) != 0)
        return strerror(errno);
    snprintf(room, sizeof room, "%s %d %.*s %s", url.host, url.port,
             (int)(url.target - url.authority), url.authority, url.target);
    verd__url_free(&url);
    return room;
}

Test(url, has_a_host_a_port_and_a_target)
{
    cr_expect_str_eq(parts("http://a.b/c?d"), "a.b 80 a.b /c?d");
    cr_expect_str_eq(parts("http://a:8080/c"), "a 8080 a:8080 /c");
    cr_expect_str_eq(parts("https://a/c"), "a 443 a /c");
    cr_expect_str_eq(parts("https://a:80"), "a 80 a:80 /");
    cr_expect_str_eq(parts("http://127.0.0.1:1/"), "127.0.0.1 1 127.0.0.1:1 /");
}

Test(url, leaves_out_what_goes_without_saying)
{
    cr_expect_str_eq(parts("HTTP://A.b:80"), "a.b 80 a.b /");
    cr_expect_str_eq(parts("https://a:443/"), "a 443 a /");
    cr_expect_str_eq(parts("http://a:"), "a 80 a /");
    cr_expect_str_eq(parts("http://a?b/c"), "a 80 a /?b/c");
    cr_expect_str_eq(parts("http://a/b#c"), "a 80 a /b");
    cr_expect_str_eq(parts("http://a#b/c"), "a 80 a /");
    cr_expect_str_eq(parts("http://a/b?c#d?e"), "a 80 a /b?c");
}

Test(url, names_an_ipv6_address_in_brackets)
{
    cr_expect_str_eq(parts("http://[::1]:90/x"), "::1 90 [::1]:90 /x");
    cr_expect_str_eq(parts("http://[FE80::1]"), "fe80::1 80 [fe80::1] /");
}

Test(url, is_sent_as_it_is_written)
{
    cr_expect_str_eq(parts("http://a/../b//c/./%2e?../d"), "a 80 a /../b//c/./%2e?../d");
}

Test(url, that_is_none_is_EINVAL)
{
    static const char *const wrong[] = {
        "",
        "/",
        "a",
        "//a/",
        "http:",
        "http:/a",
        "http:a",
        "http://",
        "http:///a",
        "http://?a",
        "http://:80/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:8x/",
        "http://a:-1/",
        "http://a:99999999999999999999/",
        "http://a b/",
        "http://a\\b/",
        "http://a%41/",
        "http://[::1/",
        "http://[]/",
        "http://[1]/",
        "http://[a.b]/",
        "http://[::1]a/",
        "http://[fe80::1%25eth0]/",
        "http://::1/",
        "http://\xc3\xa4/",
        "http://a/\xc3\xa4",
        "http://a/b c",
        "http://a/b\tc",
        "http://a/\r\nX: y",
        "http://a\r\n/",
        "http://a/\x7f",
        "http://a/#b\n",
        "1http://a/",
        NULL,
    };
    for (size_t i = 0; wrong[i] != NULL; i++)
        cr_expect_str_eq(parts(wrong[i]), strerror(EINVAL), "%s", wrong[i]);
    cr_expect_str_eq(parts(NULL), strerror(EINVAL));
}

Test(url, with_user_information_is_EINVAL)
{
    cr_expect_str_eq(parts("http://me@a/"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://me:secret@a:80/"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://@a/"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://a\\@b/"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://a/@b"), "a 80 a /@b");
}

Test(url, of_another_scheme_is_EPROTONOSUPPORT)
{
    cr_expect_str_eq(parts("ftp://a/"), strerror(EPROTONOSUPPORT));
    cr_expect_str_eq(parts("javascript:alert(1)"), strerror(EPROTONOSUPPORT));
    cr_expect_str_eq(parts("file:///etc/passwd"), strerror(EPROTONOSUPPORT));
    cr_expect_str_eq(parts("httpsx://a/"), strerror(EPROTONOSUPPORT));
}

/* Where a Location leads from http://a/b/c/d;p?q, or what errno says. */
static const char *follow(const char *location)
{
    static char room[256];
    struct verd__url base, url;
    cr_assert_eq(verd__url_parse(&base, "http://a/b/c/d;p?q"), 0);
    int result = verd__url_follow(&url, &base, location);
    snprintf(room, sizeof room, "%s", result == 0 ? url.text : strerror(errno));
    if (result == 0) {
        cr_expect_str_eq(strstr(room + 7, url.target), url.target, "%s", room);
        verd__url_free(&url);
    }
    verd__url_free(&base);
    return room;
}

/* RFC 3986, 5.4, but for what is another scheme's. */
Test(url, is_followed_as_the_standard_says)
{
    static const char *const examples[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/../x", "http://a/b/c/g"},
        {"https://B:444/x", "https://b:444/x"},
        {"//b:81/x?y", "http://b:81/x?y"},
        {"HTTP://b", "http://b/"},
        {NULL, NULL},
    };
    for (size_t i = 0; examples[i][0] != NULL; i++)
        cr_expect_str_eq(follow(examples[i][0]), examples[i][1], "%s", examples[i][0]);
}

Test(url, is_escaped_where_a_server_has_forgotten_to)
{
    cr_expect_str_eq(follow("/\xc3\xa4 b?c d"), "http://a/%C3%A4%20b?c%20d");
    cr_expect_str_eq(follow("/%20"), "http://a/%20");
}

Test(url, is_not_followed_into_what_is_none)
{
    cr_expect_str_eq(follow("http:g"), strerror(EINVAL));
    cr_expect_str_eq(follow("//me@g/"), strerror(EINVAL));
    cr_expect_str_eq(follow("/a\tb"), strerror(EINVAL));
    cr_expect_str_eq(follow("///g"), strerror(EINVAL));
    cr_expect_str_eq(follow("mailto:me"), strerror(EPROTONOSUPPORT));
}

/* What they are joined to, or what errno says. */
static const char *join(const char *base, const char *reference)
{
    static char room[256];
    char *joined = verd_http_join(base, reference);
    snprintf(room, sizeof room, "%s", joined != NULL ? joined : strerror(errno));
    free(joined);
    return room;
}

Test(url, is_joined_with_a_reference_for_whoever_asks)
{
    cr_expect_str_eq(join("http://a/b/c", "../d e?f#g"), "http://a/d%20e?f");
    cr_expect_str_eq(join("http://a/b/c", "https://B"), "https://b/");
    cr_expect_str_eq(join("http://a/", "mailto:me@a"), strerror(EPROTONOSUPPORT));
    cr_expect_str_eq(join("http://a/", "http://me@b/"), strerror(EINVAL));
    cr_expect_str_eq(join("a", "b"), strerror(EINVAL));
    cr_expect_str_eq(join(NULL, "b"), strerror(EINVAL));
    cr_expect_str_eq(join("http://a/", NULL), strerror(EINVAL));
}

static bool are_same(const char *one, const char *other)
{
    struct verd__url a, b;
    verd__url_parse(&a, one);
    verd__url_parse(&b, other);
    bool same = verd__url_same_origin(&a, &b);
    verd__url_free(&a);
    verd__url_free(&b);
    return same;
}

Test(url, has_an_origin_of_scheme_host_and_port)
{
    cr_expect(are_same("http://a/b", "HTTP://A:80/c"));
    cr_expect_not(are_same("http://a", "https://a"));
    cr_expect_not(are_same("http://a:443", "https://a"));
    cr_expect_not(are_same("http://a", "http://a:81"));
    cr_expect_not(are_same("http://a", "http://b"));
}
