/* SPDX-License-Identifier: MIT */

/* The threads of a server's own pool. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sched/slab.h"
#include "site.h"
#include "stack/stack.h"

static char name[VERD_NAME_SIZE];
static size_t size;

static int see(verd_http_exchange *x, void *ctx)
{
    const verd_thread *self = verd_self();
    (void)ctx;
    strcpy(name, verd_name(self));
    *strchr(name, '#') = '\0';
    size = verd__stack_class_size(verd__thread_find(self)->stack);
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

static void see_with(const verd_http_options *options)
{
    struct site site;
    site_open(&site, see, options);
    cr_expect_str_eq(ask(&site, GET), OK("5", "hello"));
    site_close(&site);
}

Test(http, threads_of_its_own_pool_are_called_http)
{
    see_with(NULL);
    cr_expect_str_eq(name, "http");
    cr_expect_eq(size, VERD_STACK_SIZE);
}

Test(http, threads_of_its_own_pool_have_the_name_and_stack_that_are_asked_for)
{
    see_with(&(verd_http_options){.threads = {.name = "site", .stack_size = 128 * 1024}});
    cr_expect_str_eq(name, "site");
    cr_expect_eq(size, 128 * 1024);
}

Test(http, threads_of_a_stack_that_cannot_be_are_refused)
{
    verd_http_options options = {.threads = {.stack_size = 1}};
    int listener = verd_listen("127.0.0.1", 0, 0);
    errno = 0;
    cr_expect(verd_http_serve(listener, see, NULL, &options) == NULL && errno == EINVAL);
}
