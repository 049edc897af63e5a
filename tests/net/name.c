/* SPDX-License-Identifier: MIT */

/* Names and addresses. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <verd.h>

#include "caller.h"
#include "offload/workers.h"
#include "process.h"

static const struct addrinfo stream = {.ai_socktype = SOCK_STREAM};

Test(net, a_numeric_address_is_resolved_without_another_os_thread)
{
    struct addrinfo *found = NULL;
    cr_assert_eq(verd_getaddrinfo("127.0.0.1", "80", &stream, &found), 0);
    cr_assert_eq(verd__workers_counts().submitted, 0);
    freeaddrinfo(found);
}

Test(net, a_numeric_address_is_resolved_to_itself)
{
    struct addrinfo *found = NULL;
    verd_getaddrinfo("127.0.0.1", "80", &stream, &found);
    const struct sockaddr_in *address = (const void *)found->ai_addr;
    cr_assert(address->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && address->sin_port == htons(80));
    freeaddrinfo(found);
}

Test(net, the_wildcard_address_is_resolved_without_another_os_thread)
{
    struct addrinfo hints = stream, *found = NULL;
    hints.ai_flags = AI_PASSIVE;
    cr_assert_eq(verd_getaddrinfo(NULL, "80", &hints, &found), 0);
    cr_assert_eq(verd__workers_counts().submitted, 0);
    freeaddrinfo(found);
}

Test(net, a_name_is_resolved_on_another_os_thread)
{
    struct addrinfo *found = NULL;
    cr_assert_eq(verd_getaddrinfo("localhost", "80", &stream, &found), 0);
    cr_assert_eq(verd__workers_counts().submitted, 1);
    freeaddrinfo(found);
}

Test(net, hints_may_be_left_out)
{
    struct addrinfo *found = NULL;
    cr_assert_eq(verd_getaddrinfo("localhost", NULL, NULL, &found), 0);
    freeaddrinfo(found);
}

Test(net, neither_host_nor_service_is_EAI_NONAME)
{
    struct addrinfo *found = NULL;
    cr_assert_eq(verd_getaddrinfo(NULL, NULL, &stream, &found), EAI_NONAME);
}

Test(net, a_name_where_only_numbers_are_allowed_is_EAI_NONAME_at_once)
{
    struct addrinfo hints = stream, *found = NULL;
    hints.ai_flags = AI_NUMERICHOST;
    cr_assert_eq(verd_getaddrinfo("localhost", "80", &hints, &found), EAI_NONAME);
    cr_assert_eq(verd__workers_counts().submitted, 0);
}

/* Without a name server the answer may be that it cannot be found out. */
Test(net, an_unknown_name_is_an_error_of_the_resolver, .timeout = 120)
{
    struct addrinfo *found = NULL;
    int error = verd_getaddrinfo("no-such-host.invalid", "80", &stream, &found);
    cr_assert(error == EAI_NONAME || error == EAI_AGAIN || error == EAI_NODATA, "%s",
              gai_strerror(error));
}

static int resolve(struct caller *self)
{
    struct addrinfo *found = NULL;
    int error = verd_getaddrinfo(self->object, "80", &stream, &found);
    if (error == 0)
        freeaddrinfo(found);
    if (error == 0 || error == EAI_SYSTEM)
        return -(error != 0);
    errno = EADDRNOTAVAIL;
    return -1;
}

Test(net, resolving_without_time_is_EAI_SYSTEM_and_ETIMEDOUT)
{
    cr_assert_eq(caller_within(0, resolve, (void *)"localhost", NULL), -ETIMEDOUT);
}

/* Whatever comes late is freed, which AddressSanitizer would miss. */
Test(net, resolving_can_be_given_up)
{
    struct caller caller;
    caller.object = NULL;
    for (int i = 0; i < 10; i++) {
        caller_start(&caller, resolve, (void *)"localhost", NULL);
        verd_kill(caller.thread);
        int outcome = caller_end(&caller);
        cr_assert(outcome == 0 || outcome == -ECANCELED);
    }
    cr_assert_geq(verd__workers_counts().submitted, 1);
}

Test(net, a_hundred_names_are_resolved_at_once)
{
    static struct caller callers[100];
    int right = 0;
    for (int i = 0; i < 100; i++)
        caller_start(&callers[i], resolve, (void *)"localhost", NULL);
    for (int i = 0; i < 100; i++)
        right += caller_end(&callers[i]) == 0;
    cr_assert_eq(right, 100);
}

static int accept_one(struct caller *self)
{
    return verd_accept(*(int *)self->object, NULL, NULL);
}

Test(net, connect_resolves_a_name_on_another_os_thread)
{
    struct caller accepter;
    int listener = verd_listen("127.0.0.1", 0, 0);
    caller_start(&accepter, accept_one, &listener, NULL);
    cr_assert_geq(verd_connect("localhost", verd_port(listener)), 0);
    cr_assert_geq(caller_end(&accepter), 0);
    cr_assert_eq(verd__workers_counts().submitted, 1);
}

Test(net, listen_at_a_numeric_address_needs_no_other_os_thread)
{
    cr_assert_geq(verd_listen("127.0.0.1", 0, 0), 0);
    cr_assert_eq(verd__workers_counts().submitted, 0);
}
