/* SPDX-License-Identifier: MIT */
#include "debug/holder.h"

#include "debug/ask.h"
#include "sched/name.h"

static void add_span(struct verd__line *line, verd_duration span)
{
    verd__line_number(line, (size_t)(span / VERD_SEC));
    verd__line_text(line, ".");
    for (verd_duration digit = 100 * VERD_MS; digit >= VERD_MS; digit /= 10)
        verd__line_number(line, (size_t)(span / digit % 10));
    verd__line_text(line, " s");
}

/* The view comes first: a call that the question interrupts may be the thread's last. Then the calls, all of them: whoever
 * reads the line may let the thread go on. */
void verd__holder_tell(struct verd__report *report, const struct verd__scheduler *scheduler,
                       const struct verd__thread *running, const char *what, verd_duration span)
{
    struct verd__line line = {0};
    struct verd__view view;
    if (!verd__view_take(&view, scheduler, running))
        return;
    bool is_known = verd__ask_calls(scheduler, &report->calls);
    if (is_known)
        verd__backtrace_mend(&report->calls, &report->symbols, verd__view_high(&view));
    verd__name_tell(&line, &view, &report->symbols);
    verd__line_text(&line, what);
    add_span(&line, span);
    verd__report_os_thread(&line, scheduler);
    verd__line_write_to(&line, &report->output);
    verd__report_details(report, &view, is_known ? &report->calls : NULL);
}
