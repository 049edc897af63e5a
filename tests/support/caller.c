/* SPDX-License-Identifier: MIT */
#include "caller.h"

static int turns;

static void *make_call(void *arg)
{
    struct caller *self = arg;
    self->outcome = caller_outcome(self->call(self));
    self->done = true;
    self->turn = ++turns;
    return NULL;
}

void callers_settle(void)
{
    for (int i = 0; i < 8; i++)
        verd_sleep(1);
}

void caller_start(struct caller *self, int (*call)(struct caller *), void *object, void *item)
{
    *self = (struct caller){.call = call, .object = object, .item = item};
    self->thread = verd_spawn(make_call, self);
    callers_settle();
}

int caller_end(struct caller *self)
{
    verd_join(self->thread, NULL);
    return self->outcome;
}

int caller_within(verd_duration after, int (*call)(struct caller *), void *object, void *item)
{
    struct caller self = {.call = call, .object = object, .item = item};
    verd_timeout timeout;
    verd_timeout_begin(&timeout, after);
    int outcome = caller_outcome(call(&self));
    verd_timeout_end(&timeout);
    return outcome;
}
