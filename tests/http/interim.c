/* SPDX-License-Identifier: MIT */

/* Replies before the reply, and the one that asks for another protocol. */
#include <criterion/criterion.h>
#include <string.h>

#include "call.h"
#include "site.h"

static struct site site;
static ssize_t first, wrong[4], late;

static int handle_hints(verd_http_exchange *x, void *ctx)
{
    static const verd_http_field link = {"Link", "</a.css>; rel=preload"};
    static const verd_http_field split = {"Link", "a\r\nb"};
    first = outcome(verd_http_inform(x, 103, &link, 1));
    wrong[0] = outcome(verd_http_inform(x, 103, &split, 1));
    wrong[1] = outcome(verd_http_inform(x, 101, NULL, 0));
    wrong[2] = outcome(verd_http_inform(x, 200, NULL, 0));
    wrong[3] = outcome(verd_http_inform(x, 103, NULL, 1));
    verd_http_inform(x, 102, NULL, 0);
    int result = handle_hello(x, ctx);
    late = outcome(verd_http_inform(x, 103, NULL, 0));
    return result;
}

Test(http, interim_replies_come_before_the_reply)
{
    site_open(&site, handle_hints, NULL);
    cr_expect_str_eq(ask(&site, GET),
                     "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
                     "HTTP/1.1 102 Processing\r\n\r\n" HELLO);
    cr_expect_eq(first, 0);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(wrong[i], -EINVAL, "%d", i);
    cr_expect_eq(late, -EALREADY);
    site_close(&site);
}

Test(http, to_http_1_0_there_are_none)
{
    site_open(&site, handle_hints, NULL);
    const char *text = ask(&site, "GET / HTTP/1.0\r\n\r\n");
    cr_expect_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0, "%s", text);
    cr_expect_eq(first, 0);
    site_close(&site);
}

static int handle_required(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    if (verd_http_add(x, "Upgrade", "websocket") != 0 ||
        verd_http_add(x, "Connection", "upgrade") != 0)
        return -1;
    return verd_http_reply(x, 426, NULL, NULL, 0);
}

Test(http, what_may_be_upgraded_to_goes_along_with_its_connection)
{
    site_open(&site, handle_required, NULL);
    cr_expect_str_eq(ask(&site, GET), "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
                                      "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    site_close(&site);
}
