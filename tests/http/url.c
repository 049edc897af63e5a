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

Test(url, may_name_the_zone_of_an_ipv6_address)
{
    cr_expect_str_eq(parts("http://[FE80::1%25Eth0]:81/"), "fe80::1%Eth0 81 [fe80::1%25Eth0]:81 /");
    cr_expect_str_eq(parts("http://[fe80::1%251]"), "fe80::1%1 80 [fe80::1%251] /");
    cr_expect_str_eq(parts("http://[fe80::1%25a%2eb-c]/"),
                     "fe80::1%a.b-c 80 [fe80::1%25a%2Eb%2Dc] /");
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
        "http://[fe80::1%25]/",
        "http://[fe80::1%eth0]/",
        "http://[fe80::1%25%00]/",
        "http://[fe80::1%25a%2Fb]/",
        "http://[fe80::1%25a%]/",
        "http://[fe80::%25eth0%251]/",
        "http://[v1.a%25eth0]/",
        "http://a%25eth0/",
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

Test(url, with_what_must_be_escaped_is_EINVAL)
{
    static const char wrong[] = "<>\"{|}\\^` \x7f\x80\xff\x1f";
    char text[] = "http://a/b?c";
    for (size_t i = 0; i < sizeof wrong - 1; i++) {
        text[9] = wrong[i];
        cr_expect_str_eq(parts(text), strerror(EINVAL), "a path of %c", wrong[i]);
        text[9] = 'b';
        text[11] = wrong[i];
        cr_expect_str_eq(parts(text), strerror(EINVAL), "a query of %c", wrong[i]);
    }
    cr_expect_str_eq(parts("http://a/%"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://a/%4"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://a/%4g"), strerror(EINVAL));
    cr_expect_str_eq(parts("http://a/?%g4"), strerror(EINVAL));
}

Test(url, has_all_that_the_standard_allows_and_brackets)
{
    cr_expect_str_eq(parts("http://a/-._~!$&'()*+,;=:@%41%aF/?-._~!$&'()*+,;=:@%41/?a[]=1"),
                     "a 80 a /-._~!$&'()*+,;=:@%41%aF/?-._~!$&'()*+,;=:@%41/?a[]=1");
}

/* Where a Location leads from http://a/b/c/d;p?q, or what errno says. */
static const char *follow_from(const char *from, const char *location)
{
    static char room[256];
    struct verd__url base, url;
    cr_assert_eq(verd__url_parse(&base, from), 0);
    int result = verd__url_follow(&url, &base, location);
    snprintf(room, sizeof room, "%s", result == 0 ? url.text : strerror(errno));
    if (result == 0) {
        cr_expect_str_eq(strstr(room + 7, url.target), url.target, "%s", room);
        verd__url_free(&url);
    }
    verd__url_free(&base);
    return room;
}

static const char *follow(const char *location)
{
    return follow_from("http://a/b/c/d;p?q", location);
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
    cr_expect_str_eq(follow("<>\"{|}\\^`[]"), "http://a/b/c/%3C%3E%22%7B%7C%7D%5C%5E%60%5B%5D");
    cr_expect_str_eq(follow("?<>\"{|}\\^`[]"),
                     "http://a/b/c/d;p?%3C%3E%22%7B%7C%7D%5C%5E%60%5B%5D");
    cr_expect_str_eq(follow("/100%"), "http://a/100%25");
    cr_expect_str_eq(follow("/%4%zz%41%"), "http://a/%254%25zz%41%25");
    cr_expect_str_eq(follow("/#<%>"), "http://a/");
}

Test(url, is_a_path_where_no_scheme_is)
{
    cr_expect_str_eq(follow("page#sec:1"), "http://a/b/c/page");
    cr_expect_str_eq(follow("page?sec:1"), "http://a/b/c/page?sec:1");
    cr_expect_str_eq(follow("a_b:c"), "http://a/b/c/a_b:c");
    cr_expect_str_eq(follow("1a:b"), "http://a/b/c/1a:b");
    cr_expect_str_eq(follow(":a"), "http://a/b/c/:a");
    cr_expect_str_eq(follow("a%3A:b"), "http://a/b/c/a%3A:b");
    cr_expect_str_eq(follow("a~b:c"), "http://a/b/c/a~b:c");
    cr_expect_str_eq(follow("./a:b"), "http://a/b/c/a:b");
    cr_expect_str_eq(follow("a+b-c.1:d"), strerror(EPROTONOSUPPORT));
}

Test(url, keeps_the_zone_of_the_address_that_it_is_at)
{
    static const char base[] = "http://[fe80::1%25Eth0]/a";
    cr_expect_str_eq(follow_from(base, "b"), "http://[fe80::1%25Eth0]/b");
    cr_expect_str_eq(follow_from(base, "http://[FE80::1]/[b]"), "http://[fe80::1%25Eth0]/%5Bb%5D");
    cr_expect_str_eq(follow_from(base, "//[fe80::1]:81/b"), "http://[fe80::1%25Eth0]:81/b");
    cr_expect_str_eq(follow_from(base, "//[fe80::2]/b"), "http://[fe80::2]/b");
    cr_expect_str_eq(follow_from(base, "//[fe80::1%25Eth1]/b"), "http://[fe80::1%25Eth1]/b");
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
