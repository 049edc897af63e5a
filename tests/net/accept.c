/* SPDX-License-Identifier: MIT */

/* Errors of accept that are none of the listener's. */
#include <criterion/criterion.h>

#include "call.h"
#include "net/accept.h"

#define TRIES 1000 /* far more than may be made in a row */

static bool another_ran;

static void run(void *arg)
{
    (void)arg;
    another_ran = true;
}

Test(net, connections_that_die_in_the_backlog_hold_up_neither_accept_nor_others)
{
    struct verd__accept_trouble trouble = {0};
    int port, listener = make_listener(&port), tries = 0;
    verd_spawn_n(run, NULL);
    while (!another_ran && tries < TRIES) {
        errno = ECONNABORTED;
        cr_assert_eq(verd__accept_recover(listener, &trouble), 0);
        tries++;
    }
    cr_expect_lt(tries, TRIES, "nobody else had a turn");
    cr_expect_gt(tries, 10, "a few are passed over at once");
}
