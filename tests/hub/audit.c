/* SPDX-License-Identifier: MIT */
/* The audit of long waits: when it comes, and that it lets others run. */
#include <criterion/criterion.h>

#include "call.h"
#include "hub/hub.h"
#include "shortage.h"

#define WAITS 100
#define VERIFY_TIME (10 * VERD_US) /* at the least */
#define SLICE (100 * VERD_US)
#define INTERVAL (100 * VERD_MS)

/* The hub's backend, but for `verify`. */
static struct verd__backend backend;
static int (*real_verify)(struct verd__loop *loop, int fd, const struct verd__fd *record);

static size_t verified;
static size_t at_once, most_at_once; /* between two looks of the hub */
static size_t look;
static verd_duration first;

static int verify(struct verd__loop *loop, int fd, const struct verd__fd *record)
{
    verd_duration begin = verd_now();
    if (verified++ == 0)
        first = begin;
    at_once = look == loop->polls ? at_once + 1 : 1;
    look = loop->polls;
    if (at_once > most_at_once)
        most_at_once = at_once;
    while (verd_now() - begin < VERIFY_TIME)
        ;
    return real_verify(loop, fd, record);
}

static void watch_audits(void)
{
    struct verd__loop *loop = verd__loop(verd__scheduler());
    backend = *loop->backend;
    real_verify = backend.verify;
    backend.verify = verify;
    loop->backend = &backend;
    with_audits();
}

/* Has so many threads wait. */
static void park_readers(struct call *readers, size_t count)
{
    need_descriptors(2 * count);
    for (size_t i = 0; i < count; i++) {
        int fds[2];
        make_pair(fds);
        call_start(&readers[i], call_read, fds[0]);
    }
}

/* Waits until so many have been looked at, and the audit is over. */
static void await_audit(size_t waits)
{
    while (verified < waits || verd__loop(verd__current)->audit_next != 0)
        verd_sleep(VERD_MS);
}

Test(hub, an_audit_of_many_waits_lets_others_run_between)
{
    static struct call readers[WAITS];
    watch_audits();
    park_readers(readers, WAITS);
    await_audit(WAITS);
    cr_assert_leq(most_at_once, SLICE / VERIFY_TIME);
}

/* Else it does not end, either. */
Test(hub, waits_that_go_on_are_not_looked_at_for_ever)
{
    static struct call readers[WAITS];
    watch_audits();
    park_readers(readers, WAITS);
    await_audit(WAITS);
    do {
        verified = 0;
        verd_sleep(3 * INTERVAL);
    } while (verified != 0);
}

Test(hub, an_audit_does_not_come_at_once)
{
    struct call reader = {0};
    watch_audits();
    verd_duration begin = verd_now();
    park_readers(&reader, 1);
    await_audit(1);
    cr_assert_geq(first - begin, INTERVAL);
}

Test(hub, an_audit_does_not_follow_another_at_once)
{
    static struct call readers[2];
    watch_audits();
    park_readers(&readers[0], 1);
    await_audit(1);
    verified = 0;
    verd_duration begin = verd_now();
    park_readers(&readers[1], 1);
    await_audit(1);
    cr_assert_geq(first - begin, INTERVAL);
}

/* Begins to wait while an audit is at it, with a number that it has passed. */
Test(hub, a_wait_that_begins_during_an_audit_is_looked_at_too)
{
    static struct call readers[WAITS];
    static struct call late;
    int fds[2];
    watch_audits();
    make_pair(fds);
    park_readers(readers, WAITS);
    while (verified == 0)
        verd_sleep(VERD_MS);
    call_start(&late, call_read, fds[0]);
    await_audit(2 * WAITS + 1);
}
