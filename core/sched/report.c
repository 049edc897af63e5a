/* SPDX-License-Identifier: MIT */
/* What the person with a hung server wants printed. Nothing is allocated for it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "sched/name.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"

/* Longer cycles are not looked for. */
#define CYCLE_MAX 64

static const struct verd__wait *wait_of(const struct verd__thread *thread)
{
    const struct verd__wait *wait =
        thread->state == VERD__STARTED ? &verd__area(thread)->wait : NULL;
    return wait != NULL && wait->kind != NULL ? wait : NULL;
}

/* Who has what the thread waits for; NULL: nobody, it is not known, or that one has ended. */
static const struct verd__thread *holder_for(const struct verd__thread *thread)
{
    const struct verd__wait *wait = wait_of(thread);
    if (wait == NULL || wait->kind->holder == NULL)
        return NULL;
    const struct verd__thread *holder = verd__thread_find(wait->kind->holder(wait));
    return holder != NULL && holder->state != VERD__ENDED ? holder : NULL;
}

/* What it waits for in particular, and who has it. */
static void add_object(struct verd__line *line, const struct verd__wait *wait)
{
    if (wait->kind->is_users) {
        verd__line_text(line, ", at ");
        verd__line_address(line, (uintptr_t)wait->entry.queue);
    }
    if (wait->kind->holder == NULL || wait->kind->holder(wait) == NULL)
        return;
    const struct verd__thread *holder = holder_for(wait->thread);
    verd__line_text(line, wait->kind->is_users ? ", held by " : ", ");
    if (holder != NULL)
        verd__name_tell(line, holder, NULL);
    else
        verd__line_text(line, "a thread that has ended");
}

/* What it waits for, and since when: as far back as the last time that nobody could run. */
static void add_wait(struct verd__line *line, const struct verd__wait *wait)
{
    verd_duration span = verd_now() - wait->since;
    const char *name = wait->kind->name;
    size_t length = strlen(name);
    verd__line_text(line, "waits for ");
    verd__line_text(line, name);
    if (name[length - 1] == '#') {
        line->length--;
        verd__line_number(line, (size_t)wait->entry.value);
    }
    verd__line_text(line, ", for ");
    verd__line_number(line, (size_t)(span / VERD_SEC));
    verd__line_text(line, ".");
    verd__line_number(line, (size_t)(span % VERD_SEC / (100 * VERD_MS)));
    verd__line_text(line, " s");
    add_object(line, wait);
}

static void add_state(struct verd__line *line, const struct verd__scheduler *scheduler,
                      const struct verd__thread *thread)
{
    if (thread->state == VERD__UNSTARTED) {
        verd__line_text(line, thread->flags & VERD__DELAYED ? "is not due to start yet"
                                                            : "has not started");
    } else if (wait_of(thread) != NULL) {
        add_wait(line, wait_of(thread));
    } else {
        verd__line_text(line, thread == scheduler->running ? "runs" : "can run");
    }
    if (thread->interrupt & VERD__INTERRUPT_KILL)
        verd__line_text(line, ", killed");
    if (thread->interrupt & VERD__INTERRUPT_TIMEOUT)
        verd__line_text(line, ", out of time");
    if (thread->shield != 0)
        verd__line_text(line, ", shielded");
}

/* The process's first one goes without saying. */
static void add_os_thread(struct verd__line *line)
{
    long id = syscall(SYS_gettid);
    if (id == getpid())
        return;
    verd__line_text(line, ", on OS thread ");
    verd__line_number(line, (size_t)id);
}

static void report_thread(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    struct verd__line line = {0};
    if (thread->state != VERD__STARTED && thread->state != VERD__UNSTARTED)
        return;
    verd__name_tell(&line, thread, scheduler->symbols);
    verd__line_text(&line, " ");
    add_state(&line, scheduler, thread);
    add_os_thread(&line);
    verd__line_write(&line);
}

/* Whether the thread is that with the lowest address in a cycle of those that wait for one another. */
static bool begins_cycle(const struct verd__thread *thread)
{
    const struct verd__thread *next = holder_for(thread);
    for (unsigned i = 1; i < CYCLE_MAX && next > thread; i++)
        next = holder_for(next);
    return next == thread;
}

static void report_cycle(struct verd__scheduler *scheduler, struct verd__thread *first)
{
    struct verd__line line = {0};
    (void)scheduler;
    if (!begins_cycle(first))
        return;
    const struct verd__thread *thread = first;
    verd__line_text(&line, "deadlock: ");
    verd__name_tell(&line, first, NULL);
    do {
        thread = holder_for(thread);
        verd__line_text(&line, thread == holder_for(first) ? " waits for " : ", that for ");
        verd__name_tell(&line, thread, NULL);
    } while (thread != first);
    add_os_thread(&line);
    verd__line_write(&line);
}

void verd__report(struct verd__scheduler *scheduler)
{
    int error = errno;
    struct verd__symbols symbols;
    verd__symbols_open(&symbols);
    scheduler->symbols = &symbols;
    verd__slabs_each(scheduler, NULL, report_thread);
    verd__slabs_each(scheduler, NULL, report_cycle);
    scheduler->symbols = NULL;
    verd__symbols_close(&symbols);
    errno = error;
}

void verd_report(void)
{
    if (verd__current != NULL)
        verd__report(verd__current);
}
