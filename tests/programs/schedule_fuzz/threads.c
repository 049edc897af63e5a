/* SPDX-License-Identifier: MIT */
/* Threads themselves: park and unpark, wait, join, link, cancel, delays, nested timeouts, locals. */
#include <string.h>

#include "fuzz.h"

static unsigned begun, cancelled, started;

static void begin(void)
{
    begun = cancelled = started = 0;
}

/* ---- parking ---- */

struct signal {
    verd_thread *parked;
    bool given;
    unsigned unparks;
};

static void *give_signal(void *arg)
{
    struct signal *signal = arg;
    for (unsigned i = chance(3); i > 0; i--) {
        linger();
        signal->unparks++;
        verd_unpark(signal->parked); /* for nothing */
    }
    linger();
    signal->given = true;
    signal->unparks++;
    verd_unpark(signal->parked);
    return arg;
}

static void park_until_signalled(void)
{
    struct signal signal = {.parked = verd_self()};
    unsigned parks = 0;
    verd_thread *helper = hire(give_signal, &signal);
    while (!signal.given) {
        int expected = due();
        if (!judged("verd_park", expected, verd_park() == 0, 0))
            break;
        parks++;
    }
    expect(dismiss(helper) == &signal, "a result was not handed over");
    expect(parks <= signal.unparks + 1, "more parks than unparks"); /* one may be from before */
}

static void *unpark_once(void *parked)
{
    linger();
    verd_unpark(parked);
    return parked;
}

/* One unpark is enough for one park, whichever comes first. */
static void park_once(void)
{
    verd_thread *helper = hire(unpark_once, verd_self());
    linger();
    int expected = due();
    judged("park", expected, verd_park() == 0, 0);
    dismiss(helper);
}

/* ---- the end of a thread ---- */

struct ending {
    char order[8];
    unsigned links;
    bool ran;
    verd_duration not_before;
};

static void link_a(verd_thread *thread, void *arg)
{
    struct ending *ending = arg;
    (void)thread;
    ending->order[ending->links++] = 'a';
}

static void link_b(verd_thread *thread, void *arg)
{
    struct ending *ending = arg;
    (void)thread;
    ending->order[ending->links++] = 'b';
}

static void link_c(verd_thread *thread, void *arg)
{
    struct ending *ending = arg;
    (void)thread;
    ending->order[ending->links++] = 'c';
}

static void *run_to_the_end(void *arg)
{
    struct ending *ending = arg;
    expect(verd_now() >= ending->not_before, "a delayed thread has started early");
    ending->ran = true;
    started++;
    linger();
    return arg;
}

static verd_thread *begin_thread(struct ending *ending)
{
    verd_duration delay = one_in(2) ? 0 : chance(80) * VERD_US;
    *ending = (struct ending){.not_before = verd_now() + delay};
    verd_thread *thread = delay == 0 ? verd_spawn(run_to_the_end, ending)
                                     : verd_spawn_after(delay, run_to_the_end, ending);
    expect(thread != NULL, "no memory for a thread");
    begun++;
    verd_link(thread, link_a, ending);
    verd_link(thread, link_b, ending);
    verd_link(thread, link_a, ending);
    verd_link(thread, link_c, ending);
    expect(verd_unlink(thread, link_a, ending) == 0, "a link cannot be taken back");
    return thread;
}

/* One of many ways to disturb it. */
static void disturb(verd_thread *thread)
{
    unsigned way = chance(4);
    if (way == 0)
        cancelled += verd_cancel(thread) == 0;
    else if (way == 1)
        expect(verd_kill(thread) == 0, "verd_kill");
    else if (way == 2)
        linger();
}

/* A wait for a thread that never ran is ESRCH. */
static void see_an_end(void)
{
    struct ending ending;
    void *result = NULL;
    verd_thread *thread = begin_thread(&ending);
    disturb(thread);
    int expected = due();
    bool waited = verd_wait(thread, NULL) == 0;
    judged("verd_wait", expected, waited, ending.ran ? 0 : ESRCH);
    shield_begin();
    expected = due();
    bool joined = verd_join(thread, &result) == 0;
    judged("verd_join", expected, joined, ending.ran ? 0 : ESRCH);
    shield_end();
    expect(joined == ending.ran && (!joined || result == &ending), "the result of a thread");
    expect(ending.links == 3 && memcmp(ending.order, "bac", 3) == 0,
           "links are not called once and in order");
}

/* ---- timeouts ---- */

static void *sleep_for_ever(void *arg)
{
    int expected = due();
    bool slept = judged("verd_sleep", expected, verd_sleep(VERD_FOREVER) == 0, 0);
    expect(!slept, "a sleep for ever has ended");
    return arg;
}

/* Scopes within scopes; one ends them all, the earliest. Neither reaches a shielded thread, so it does
 * not play. */
static void nest_timeouts(void)
{
    struct scope scopes[4];
    size_t depth = 1 + chance(4);
    struct scope probe;
    scope_begin(&probe, 0);
    bool reached = due() != 0;
    scope_end(&probe);
    if (!reached)
        return;
    for (size_t i = 0; i < depth; i++) {
        verd_duration span = i > 0 && one_in(3) ? VERD_FOREVER : (1 + chance(300)) * VERD_US;
        scope_begin(&scopes[i], span);
        if (one_in(3))
            linger();
    }
    sleep_for_ever(NULL);
    for (size_t i = depth; i-- > 0;)
        scope_end(&scopes[i]);
}

static void scene(void)
{
    static void (*const scenes[])(void) = {park_until_signalled, park_once, see_an_end,
                                           nest_timeouts};
    scenes[chance(sizeof scenes / sizeof *scenes)]();
}

static void end(void)
{
    expect(started + cancelled <= begun, "a cancelled thread has run");
}

static void forked(void)
{
    begun = cancelled = started = 0;
}

const struct part fuzz_threads = {.begin = begin, .scene = scene, .end = end, .forked = forked};
