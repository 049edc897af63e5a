/* SPDX-License-Identifier: MIT */

/* What handlers read of queries, forms and paths. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/form.h"
#include "site.h"

static struct site site;

/* "name=value;" of each field, or what errno says. */
static const char *write_fields(const verd_http_field *fields, size_t count)
{
    static char text[512];
    size_t size = 0;
    if (fields == NULL)
        return strerror(errno);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s=%s;", fields[i].name,
                                 fields[i].value);
    return text;
}

static const char *parsed(const char *text, size_t size)
{
    struct verd__form *form = verd__form_parse(text, size);
    const char *fields =
        write_fields(form != NULL ? form->fields : NULL, form != NULL ? form->count : 0);
    free(form);
    return fields;
}

#define PARSED(text) parsed(text, sizeof(text) - 1)

Test(http, fields_are_taken_apart_and_unescaped)
{
    static const struct {
        const char *text, *fields;
    } rows[] = {
        {"", ""},
        {"a=b", "a=b;"},
        {"a=b&c=d", "a=b;c=d;"},
        {"a=1&a=2&A=3", "a=1;a=2;A=3;"},
        {"a", "a=;"},
        {"a=", "a=;"},
        {"=b", "=b;"},
        {"=", "=;"},
        {"&&a=b&&c&", "a=b;c=;"},
        {"a=b=c&d==", "a=b=c;d==;"},
        {"a+b=c+d", "a b=c d;"},
        {"a%20b=%2B%26%3d", "a b=+&=;"},
        {"%C3%a4=%e2%82%ac", "\xc3\xa4=\xe2\x82\xac;"},
        {"a=%0d%0a", "a=\r\n;"},
        {"a=%&b=%4&c=%zz&d=%4g&e=100%", "a=%;b=%4;c=%zz;d=%4g;e=100%;"},
        {"a=%2541", "a=%41;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(parsed(rows[i].text, strlen(rows[i].text)), rows[i].fields, "%s",
                         rows[i].text);
}

Test(http, a_field_with_a_zero_is_refused)
{
    cr_expect_str_eq(PARSED("a=b&c=d%00e"), strerror(EBADMSG));
    cr_expect_str_eq(PARSED("%00=b"), strerror(EBADMSG));
    cr_expect_str_eq(PARSED("a=b\0c"), strerror(EBADMSG));
}

/* ---- paths ---- */

static const char *cleaned(const char *path)
{
    static char *text;
    free(text);
    text = malloc(strlen(path) + 1); /* no more, so that a sanitizer sees who needs it */
    return verd__path_clean(text, path) == 0 ? text : strerror(errno);
}

Test(http, a_clean_path_climbs_nowhere)
{
    static const struct {
        const char *path, *clean;
    } rows[] = {
        {"/", "/"},
        {"/a", "/a"},
        {"/a/b", "/a/b"},
        {"/a/b/", "/a/b/"},
        {"//a///b//", "/a/b/"},
        {"/.", "/"},
        {"/a/.", "/a/"},
        {"/a/./b", "/a/b"},
        {"/..", "/"},
        {"/../../etc/passwd", "/etc/passwd"},
        {"/a/..", "/"},
        {"/a/../b", "/b"},
        {"/a/b/../../../c", "/c"},
        {"/a/b/..", "/a/"},
        {"/a/b//../c", "/a/c"},
        {"/%2e%2e/a", "/a"},
        {"/a/.%2E/%2e./b", "/b"},
        {"/a/%2e/b", "/a/b"},
        {"/...", "/..."},
        {"/.a/..b/c..", "/.a/..b/c.."},
        {"/a%20b+c", "/a b+c"},
        {"/%252e%252e/%252f", "/%2e%2e/%2f"},
        {"/a;b=c/..;d", "/a;b=c/..;d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(cleaned(rows[i].path), rows[i].clean, "%s", rows[i].path);
}

Test(http, a_path_with_what_no_name_has_is_refused)
{
    static const char *const paths[] = {"/a%2fb", "/..%2F..%2fetc", "/a%00.png",
                                        "/%",     "/a%4",           "/%zz"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cr_expect_str_eq(cleaned(paths[i]), strerror(EBADMSG), "%s", paths[i]);
}

/* ---- in a handler ---- */

/* Replies with the path and with the fields of the query and of the form; what cannot be had, it leaves to the
 * server. */
static int handle(verd_http_exchange *x, void *ctx)
{
    char text[1024];
    size_t count;
    const char *path = verd_http_clean_path(x);
    int size = snprintf(text, sizeof text, "%s ", path);
    const verd_http_field *fields = verd_http_query_fields(x, &count);
    (void)ctx;
    if (path == NULL || fields == NULL)
        return -1;
    size += snprintf(text + size, sizeof text - (size_t)size, "%s ", write_fields(fields, count));
    fields = verd_http_form_fields(x, 20, &count);
    if (fields == NULL)
        return -1;
    cr_expect_eq(verd_http_form_fields(x, 20, &count), fields);
    cr_expect_eq(verd_http_clean_path(x), path);
    const char *a = verd_http_value(fields, count, "a");
    size += snprintf(text + size, sizeof text - (size_t)size, "%s %s", write_fields(fields, count),
                     a != NULL ? a : "-");
    return verd_http_reply(x, 200, NULL, text, (size_t)size);
}

#define POST(path, type, length, body)                             \
    "POST " path " HTTP/1.0\r\nContent-Type: " type "\r\nContent-" \
    "Length: " length "\r\n\r\n" body
#define FORM "application/x-www-form-urlencoded"

static const char *body_of(const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");
    return end != NULL ? end + 4 : reply;
}

Test(http, a_handler_gets_fields_and_a_path)
{
    site_open(&site, handle, NULL);
    cr_expect_str_eq(body_of(ask(&site, "GET /a/../b HTTP/1.0\r\n\r\n")), "/b   -");
    cr_expect_str_eq(body_of(ask(&site, "GET /?x=%31&y HTTP/1.0\r\n\r\n")), "/ x=1;y=;  -");
    cr_expect_str_eq(body_of(ask(&site, POST("/?x", FORM, "7", "a=b+c&a"))), "/ x=; a=b c;a=; b c");
    cr_expect_str_eq(
        body_of(
            ask(&site, POST("/", "Application/X-WWW-Form-URLencoded; charset=utf-8", "3", "b=c"))),
        "/  b=c; -");
    site_close(&site);
}

Test(http, what_the_client_has_escaped_wrongly_is_its_own_fault)
{
    site_open(&site, handle, NULL);
    cr_expect_str_eq(body_of(ask(&site, "GET /%2f HTTP/1.0\r\n\r\n")), "400 Bad Request\n");
    cr_expect_str_eq(body_of(ask(&site, "GET /?%00 HTTP/1.0\r\n\r\n")), "400 Bad Request\n");
    cr_expect_str_eq(body_of(ask(&site, POST("/", FORM, "3", "%00"))), "400 Bad Request\n");
    cr_expect_str_eq(body_of(ask(&site, POST("/", "text/plain", "3", "a=b"))),
                     "415 Unsupported Media Type\n");
    cr_expect_str_eq(body_of(ask(&site, POST("/", FORM "x", "3", "a=b"))),
                     "415 Unsupported Media Type\n");
    cr_expect_str_eq(body_of(ask(&site, POST("/", FORM, "21", "a=bcdefghijklmnopqrst"))),
                     "413 Content Too Large\n");
    site_close(&site);
}
