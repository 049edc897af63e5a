/* SPDX-License-Identifier: MIT */
/* What a thread of the load knows of itself, and so what a blocking call has to do. */
#include <stdlib.h>

#include "fuzz.h"

struct self {
    unsigned number;
    unsigned shields;
    struct scope *scopes; /* the innermost */
    struct held held;
};

unsigned selves_made, selves_ended;
static verd_key key;

static void forget(void *self)
{
    selves_ended++;
    free(self);
}

void selves_begin(void)
{
    static bool made;
    if (!made)
        expect(verd_key_create(&key, forget) == 0, "there is no key");
    made = true;
    selves_made = selves_ended = 0;
}

static struct self *self(void)
{
    struct self *self = verd_get(key);
    if (self != NULL)
        return self;
    self = calloc(1, sizeof *self);
    expect(self != NULL && verd_set(key, self) == 0, "no memory");
    self->number = ++selves_made;
    return self;
}

struct held *held(void)
{
    return &self()->held;
}

void shield_begin(void)
{
    self()->shields++;
    verd_shield_begin();
}

void shield_end(void)
{
    verd_shield_end();
    self()->shields--;
}

void scope_begin(struct scope *scope, verd_duration after)
{
    struct self *me = self();
    verd_duration now = verd_now();
    scope->deadline = after == VERD_FOREVER ? after : now + after;
    scope->fired = after <= 0;
    scope->outer = me->scopes;
    me->scopes = scope;
    verd_timeout_begin(&scope->timeout, after);
}

void scope_end(struct scope *scope)
{
    bool fired = verd_timeout_end(&scope->timeout);
    self()->scopes = scope->outer;
    expect(!fired || scope->deadline <= verd_now(), "a timeout has fired early");
    expect(fired || !scope->fired, "a timeout that has fired does not say so");
}

static bool has_fired(const struct scope *scope)
{
    while (scope != NULL && !scope->fired)
        scope = scope->outer;
    return scope != NULL;
}

int due(void)
{
    const struct self *me = self();
    if (me->shields != 0)
        return 0;
    if (verd_killed())
        return ECANCELED;
    return has_fired(me->scopes) ? ETIMEDOUT : 0;
}

/* Unless it is known already which scope has fired, it was the one with the earliest deadline. */
static void note_timeout(struct self *me)
{
    struct scope *earliest = me->scopes;
    expect(earliest != NULL, "a timeout without a scope");
    if (has_fired(me->scopes))
        return;
    for (struct scope *at = earliest; at != NULL; at = at->outer) {
        if (at->deadline < earliest->deadline)
            earliest = at;
    }
    expect(earliest->deadline <= verd_now(), "a call has timed out early");
    earliest->fired = true;
}

static uint64_t name_of(const char *call)
{
    uint64_t name = 0;
    while (*call != '\0')
        name = name * 31 + (unsigned char)*call++;
    return name;
}

bool judged(const char *call, int due, bool succeeded, int other)
{
    int error = succeeded ? 0 : errno;
    struct self *me = self();
    note(name_of(call));
    note((uint64_t)me->number << 32 | (unsigned)error);
    note((uint64_t)verd_now());
    bool killed = error == ECANCELED && verd_killed() && me->shields == 0;
    bool too_late = error == ETIMEDOUT && me->shields == 0;
    if (due == ECANCELED)
        expect(killed, call);
    else if (due == ETIMEDOUT)
        expect(killed || too_late, call);
    else
        expect(succeeded || killed || too_late || error == other, call);
    if (too_late)
        note_timeout(me);
    return succeeded;
}

void linger(void)
{
    fork_at_times();
    for (unsigned i = chance(4); i > 0; i--)
        verd_yield();
    if (one_in(4))
        compute(chance(20) * VERD_US);
    if (!one_in(3))
        return;
    int expected = due();
    verd_duration span = chance(60) * VERD_US, begin = verd_now();
    bool slept = judged("verd_sleep", expected, verd_sleep(span) == 0, 0);
    expect(!slept || verd_now() - begin >= span, "a sleep was too short");
}

verd_thread *hire(void *(*fn)(void *), void *arg)
{
    verd_thread *helper = verd_spawn(fn, arg);
    expect(helper != NULL, "no memory for a thread");
    return helper;
}

void *dismiss(verd_thread *helper)
{
    void *result = NULL;
    shield_begin();
    int expected = due();
    judged("verd_join", expected, verd_join(helper, &result) == 0, 0);
    shield_end();
    return result;
}

int accept_one(int listener)
{
    int expected = due();
    int client = verd_accept(listener, NULL, NULL);
    judged("verd_accept", expected, client >= 0, 0);
    shield_begin();
    if (client < 0)
        client = verd_accept(listener, NULL, NULL);
    shield_end();
    return client;
}
