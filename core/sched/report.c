/* SPDX-License-Identifier: MIT */
/* What the person with a hung server wants printed. */
#include <string.h>

#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "stack/line.h"

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
}

static void add_state(struct verd__line *line, const struct verd__scheduler *scheduler,
                      const struct verd__thread *thread)
{
    if (thread->state == VERD__UNSTARTED) {
        verd__line_text(line, thread->flags & VERD__DELAYED ? "is not due to start yet"
                                                            : "has not started");
    } else if (verd__area(thread)->wait.kind != NULL) {
        add_wait(line, &verd__area(thread)->wait);
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

static void report_thread(const struct verd__scheduler *scheduler,
                          const struct verd__thread *thread)
{
    struct verd__line line = {0};
    verd__line_text(&line, "thread ");
    verd__line_number(&line, verd__thread_number(thread));
    if (thread == scheduler->main)
        verd__line_text(&line, " (main)");
    if (verd__thread_name(thread)[0] != '\0') {
        verd__line_text(&line, " \"");
        verd__line_text(&line, verd__thread_name(thread));
        verd__line_text(&line, "\"");
    }
    verd__line_text(&line, " ");
    add_state(&line, scheduler, thread);
    verd__line_write(&line);
}

static void report_living(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED)
        report_thread(scheduler, thread);
}

void verd__report(struct verd__scheduler *scheduler)
{
    verd__slabs_each(scheduler, NULL, report_living);
}

void verd_report(void)
{
    if (verd__current != NULL)
        verd__report(verd__current);
}
