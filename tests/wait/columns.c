/* SPDX-License-Identifier: MIT */
/* The columns: what happens to a call that waits, and what must come of it. */
#include <stdio.h>
#include <stdlib.h>

#include "caller.h"
#include "sched/area.h"
#include "sched/slab.h"
#include "subject.h"

const char *const column_names[COLUMNS] = {
    [EVENT_FIRST] = "the event comes first",
    [TIMEOUT_FIRST] = "the timeout fires first",
    [BOTH_AT_ONCE] = "both come at once",
    [ZERO_TIMEOUT] = "the timeout is zero",
    [TIMEOUT_UNDER_SHIELD] = "the timeout fires under a shield",
    [TIMEOUT_IN_SHIELD] = "the timeout is begun under a shield, and it is killed",
    [KILL] = "it is killed",
    [KILLED_BEFORE] = "it was killed before",
    [EVENT_THEN_KILL] = "it is killed after the event",
    [KILL_THEN_EVENT] = "it is killed before the event",
    [KILL_UNDER_SHIELD] = "it is killed under a shield",
    [FORKS_CHILD] = "the process forks",
    [OS_THREAD_END] = "its OS thread ends",
    [DISCARDED] = "its object is freed",
};

enum column column_played;
verd_duration patience;
verd_thread *recipient;

const struct row *row;
const struct verdicts *verdicts;

void must(bool holds, const char *what)
{
    if (holds)
        return;
    perror(what);
    abort();
}

/* ---- the gate ---- */

static verd_event gate = VERD_EVENT_INIT;
static verd_duration stall_from, stall_until; /* 0: do not */
static bool slow;

static void stall(verd_duration until)
{
    while (verd_now() <= until)
        ;
}

void pass_gate(void)
{
    verd_event_wait(&gate, NULL);
    if (stall_until == 0)
        return;
    slow |= verd_now() >= stall_from;
    stall(stall_until);
}

void open_gate(void)
{
    verd_event_set(&gate, NULL);
}

/* ---- who makes the call ---- */

static int next_call(void)
{
    return verd_sleep(0) == 0 ? 0 : -errno;
}

static void call_once(struct subject *self)
{
    verd_timeout limit;
    if (self->inside)
        verd_shield_begin();
    if (self->limited) {
        self->limit_begin = verd_now() + self->limit;
        if (self->inside)
            verd_timeout_begin_as(&limit, self->limit, VERD_ERROR_OWN);
        else
            verd_timeout_begin(&limit, self->limit);
        self->limit_end = verd_now() + self->limit + 10 * VERD_US;
    }
    if (self->shielded)
        verd_shield_begin();
    if (self->killed)
        verd_kill(verd_self());
    self->begun = true;
    self->first = row->make();
    if (self->shielded)
        verd_shield_end();
    self->next = next_call();
    if (self->limited)
        self->fired = verd_timeout_end(&limit);
    if (self->inside)
        verd_shield_end();
}

static void *call(void *arg)
{
    struct subject *self = arg;
    call_once(self);
    self->returned = true;
    if (self->again) {
        self->left = self->limit == 0 || row->untouched == NULL || row->untouched();
        self->second = row->make();
    }
    self->ended = true;
    return NULL;
}

static bool is_waiting(const struct subject *subject)
{
    const struct verd__thread *thread = verd__thread_find(subject->thread);
    return subject->begun && thread != NULL && thread->state == VERD__STARTED &&
           verd__area(thread)->wait.kind != NULL;
}

static void spawn(struct subject *subject)
{
    subject->thread = row->start != NULL ? row->start(call, subject) : verd_spawn(call, subject);
    must(subject->thread != NULL, "verd_spawn");
    recipient = subject->thread;
}

void subject_start(struct subject *subject)
{
    spawn(subject);
    callers_settle();
}

void subject_join(struct subject *subject)
{
    if (row->start == NULL)
        must(verd_join(subject->thread, NULL) == 0, "verd_join");
    while (!subject->ended) /* a handler is the server's to join */
        verd_sleep(VERD_MS);
}

void provoke(void)
{
    row->provoke();
    if (row->arrive != NULL)
        row->arrive();
}

/* ---- verdicts ---- */

void check(const char *what, intptr_t found, intptr_t expected)
{
    if (found != expected)
        verdicts->wrong(what, found, expected);
}

void check_whole(void)
{
    check("nothing is lost or left", row->whole == NULL || row->whole(), true);
}

void check_untouched(void)
{
    check("it has left all as it was", row->untouched == NULL || row->untouched(), true);
}

void check_waits(const char *what, const struct subject *subject)
{
    if (!(row->traits & TIMED))
        check(what, is_waiting(subject), true);
}

/* Another thread makes the call, as if nobody had before. The event has been, or comes. */
void check_another(bool event_was)
{
    struct subject other = {.limited = true, .limit = LONG};
    subject_start(&other);
    if (!event_was || (row->traits & FLEETING)) {
        check_waits("another waits", &other);
        provoke();
    }
    subject_join(&other);
    check("another gets", other.first, row->right);
    check_whole();
}

/* ---- the columns ---- */

static void event_first(void)
{
    struct subject one = {.limited = true, .limit = LONG};
    subject_start(&one);
    check_waits("it waits", &one);
    provoke();
    subject_join(&one);
    check("it gets", one.first, row->right);
    check("the next call gets", one.next, 0);
    check("the timeout has fired", one.fired, false);
    check_whole();
}

static void timeout_first(void)
{
    struct subject one = {.limited = true, .limit = patience / 10, .again = true};
    subject_start(&one);
    while (!one.returned)
        verd_sleep(VERD_MS);
    callers_settle();
    check("it gets", one.first, -ETIMEDOUT);
    check("the next call gets", one.next, -ETIMEDOUT);
    check("the timeout has fired", one.fired, true);
    check("it has left all as it was", one.left, true);
    if (row->traits & LAST) {
        subject_join(&one);
        check("the next call gets", one.second, row->after_last);
        return;
    }
    check_waits("it waits again", &one);
    provoke();
    subject_join(&one);
    check("then it gets", one.second, row->right);
    check_whole();
}

/* Whatever the loser sees, the event is there for the next call. */
static void both_at_once(void)
{
    struct subject one = {.limited = true, .limit = patience};
    subject_start(&one);
    if (!is_waiting(&one))
        verdicts->slow();
    if (row->traits & INDIRECT) {
        stall_from = one.limit_begin;
        stall_until = one.limit_end;
    } else {
        stall(one.limit_end);
    }
    provoke();
    subject_join(&one);
    if (slow)
        verdicts->slow();
    if ((row->traits & EITHER) && one.first == -ETIMEDOUT) {
        check_another(true);
        return;
    }
    check("it gets", one.first, row->right);
    check("the next call gets", one.next, -ETIMEDOUT);
    check("the timeout has fired", one.fired, true);
    check_whole();
}

/* The event is there before the call, where that can be. */
static void zero_timeout(void)
{
    struct subject one = {.limited = true, .limit = 0, .again = true};
    spawn(&one);
    provoke();
    callers_settle();
    check("it gets", one.first, -ETIMEDOUT);
    check("the next call gets", one.next, -ETIMEDOUT);
    check("the timeout has fired", one.fired, true);
    if ((row->traits & FLEETING) && !one.ended)
        provoke();
    subject_join(&one);
    check("then it gets", one.second, row->right);
    check_whole();
}

static void timeout_under_shield(void)
{
    struct subject one = {.limited = true, .limit = patience / 10, .shielded = true};
    subject_start(&one);
    while (one.limit_end >= verd_now())
        verd_sleep(VERD_MS);
    callers_settle();
    check_waits("it waits on", &one);
    provoke();
    subject_join(&one);
    check("it gets", one.first, row->right);
    check("the next call gets", one.next, -ETIMEDOUT);
    check("the timeout has fired", one.fired, true);
    check_whole();
}

/* As for a cleanup that may take so long. The scope has an errno of its own. */
static void timeout_in_shield(void)
{
    struct subject one = {.limited = true, .limit = patience / 10, .inside = true};
    subject_start(&one);
    verd_kill(one.thread);
    subject_join(&one);
    check("it gets", one.first, -VERD_ERROR_OWN);
    check("the next call gets", one.next, -VERD_ERROR_OWN);
    check("the timeout has fired", one.fired, true);
    check("it has left all as it was", row->untouched == NULL || row->untouched(), true);
    check_another(false);
}

static void check_killed(struct subject *one)
{
    subject_join(one);
    check("it gets", one->first, -ECANCELED);
    check("the next call gets", one->next, -ECANCELED);
}

static void kill_it(void)
{
    struct subject one = {.limited = false};
    subject_start(&one);
    check("it waits", is_waiting(&one), true);
    verd_kill(one.thread);
    check_killed(&one);
    check_untouched();
    check_another(false);
}

static void killed_before(void)
{
    struct subject one = {.killed = true};
    spawn(&one);
    provoke();
    check_killed(&one);
    check_another(true);
}

/* As far as the event goes before the thread runs: perhaps to the kernel or another OS thread, perhaps to
 * the thread. */
static void let_event_come(const struct subject *one)
{
    for (int i = 0; i < 4 && is_waiting(one); i++)
        verd_sleep(1);
}

static void event_then_kill(void)
{
    struct subject one = {.limited = false};
    subject_start(&one);
    check("it waits", is_waiting(&one), true);
    provoke();
    let_event_come(&one);
    bool in_time = is_waiting(&one), returned = one.returned;
    verd_kill(one.thread);
    subject_join(&one);
    if (one.first == -ECANCELED && (in_time || (row->traits & EITHER))) {
        check("the next call gets", one.next, -ECANCELED);
        check_another(true);
        return;
    }
    check("it gets", one.first, row->right);
    check("the next call gets", one.next, returned ? 0 : -ECANCELED);
    check_whole();
}

static void kill_then_event(void)
{
    struct subject one = {.limited = false}, behind = {.limited = false};
    subject_start(&one);
    check("it waits", is_waiting(&one), true);
    if (!(row->traits & ALONE))
        subject_start(&behind);
    verd_kill(one.thread);
    provoke();
    subject_join(&one);
    if (!(row->traits & FINISHES) || one.first != row->right)
        check("it gets", one.first, -ECANCELED);
    check("the next call gets", one.next, -ECANCELED);
    if (row->traits & ALONE) {
        check_another(true);
        return;
    }
    subject_join(&behind);
    check("the next in line gets", behind.first, row->right);
    check_whole();
}

static void kill_under_shield(void)
{
    struct subject one = {.shielded = true};
    subject_start(&one);
    check_waits("it waits", &one);
    if (one.returned)
        verdicts->slow();
    verd_kill(one.thread);
    callers_settle();
    check_waits("it waits on", &one);
    provoke();
    subject_join(&one);
    check("it gets", one.first, row->right);
    check("the next call gets", one.next, -ECANCELED);
    check_whole();
}

void play(const struct row *wanted, enum column column, verd_duration time,
          const struct verdicts *judges)
{
    static void (*const columns[COLUMNS])(void) = {
        [EVENT_FIRST] = event_first,
        [TIMEOUT_FIRST] = timeout_first,
        [BOTH_AT_ONCE] = both_at_once,
        [ZERO_TIMEOUT] = zero_timeout,
        [TIMEOUT_UNDER_SHIELD] = timeout_under_shield,
        [TIMEOUT_IN_SHIELD] = timeout_in_shield,
        [KILL] = kill_it,
        [KILLED_BEFORE] = killed_before,
        [EVENT_THEN_KILL] = event_then_kill,
        [KILL_THEN_EVENT] = kill_then_event,
        [KILL_UNDER_SHIELD] = kill_under_shield,
        [FORKS_CHILD] = forks_child,
        [OS_THREAD_END] = os_thread_end,
        [DISCARDED] = discarded,
    };
    row = wanted;
    patience = time;
    verdicts = judges;
    column_played = column;
    if (column != OS_THREAD_END && row->setup != NULL) /* the other OS thread does it */
        row->setup();
    columns[column]();
}
