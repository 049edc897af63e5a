/* SPDX-License-Identifier: MIT */
#include "sched/report.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sched/name.h"
#include "sched/wait.h"

/* ---- one at a time ---- */

static _Atomic(pid_t) busy; /* the OS thread that makes a report; 0: none */

static void refuse(const struct verd__output *output)
{
    struct verd__line line = {0};
    verd__line_text(&line, "another report is being made");
    verd__line_write_to(&line, output);
}

struct verd__report *verd__report_begin(const struct verd__output *output)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    static struct verd__report report;
    int error = errno;
    pid_t self = gettid();
    pid_t nobody = 0;
    for (int patience = 100; !atomic_compare_exchange_strong(&busy, &nobody, self); patience--) {
        if (nobody == self || patience == 0) {
            refuse(output);
            errno = error;
            return NULL;
        }
        nobody = 0;
        nanosleep(&pause, NULL);
    }
    report.output = *output;
    report.output.lost = &report.is_lost;
    report.is_lost = false;
    report.scheduler = NULL;
    verd__symbols_open(&report.symbols);
    errno = error;
    return &report;
}

void verd__report_end(struct verd__report *report)
{
    verd__symbols_close(&report->symbols);
    atomic_store(&busy, 0);
}

void verd__report_forked(void)
{
    atomic_store(&busy, 0);
}

/* ---- what a thread does ---- */

/* What it waits for in particular, and who has it. */
static void add_object(struct verd__report *report, struct verd__line *line,
                       const struct verd__view *view, const struct verd__wait *wait)
{
    const struct verd__wait_kind *kind = wait->kind;
    struct verd__view holder;
    bool has_ended;
    if (kind->is_users || kind->is_object) {
        uintptr_t address = (uintptr_t)wait->entry.queue - kind->queue_offset;
        verd__line_text(line, ", at ");
        verd__line_address(line, address);
        verd__symbols_tell_variable(line, &report->symbols, address);
    }
    bool is_held = verd__view_holder(view, &holder, &has_ended);
    if (is_held || has_ended)
        verd__line_text(line, kind->is_users ? ", held by " : ", ");
    if (is_held)
        verd__name_tell(line, &holder, NULL);
    else if (has_ended)
        verd__line_text(line, "a thread that has ended");
}

/* "2.1 s" */
static void add_span(struct verd__line *line, verd_duration span)
{
    verd__line_number(line, (size_t)(span / VERD_SEC));
    verd__line_text(line, ".");
    verd__line_number(line, (size_t)(span % VERD_SEC / (100 * VERD_MS)));
    verd__line_text(line, " s");
}

/* The name of a kind of wait, with its number, or with an s for several numbers. */
static void add_kind(struct verd__line *line, const struct verd__wait_kind *kind,
                     const struct verd__wait *wait)
{
    size_t length = strlen(kind->name);
    verd__line_text(line, kind->name);
    if (kind->name[length - 1] != '#')
        return;
    line->length -= wait != NULL ? 1 : 2;
    if (wait != NULL)
        verd__line_number(line, (size_t)wait->entry.value);
    else
        verd__line_text(line, "s");
}

/* What it waits for, and since when: as far back as the last time that nobody could run. */
static void add_wait(struct verd__report *report, struct verd__line *line,
                     const struct verd__view *view)
{
    const struct verd__wait *wait = verd__view_wait(view);
    verd__line_text(line, "waits for ");
    add_kind(line, wait->kind, wait);
    verd__line_text(line, ", for ");
    add_span(line, report->now - wait->since);
    if (wait->kind->tell != NULL)
        wait->kind->tell(line, wait);
    add_object(report, line, view, wait);
}

static void add_activity(struct verd__report *report, struct verd__line *line,
                         const struct verd__view *view)
{
    static const char *const texts[] = {
        [VERD__RUNS] = "runs",
        [VERD__CAN_RUN] = "can run",
        [VERD__NOT_STARTED] = "has not started",
        [VERD__NOT_DUE] = "is not due to start yet",
    };
    enum verd__activity activity = verd__activity_of(view);
    if (activity == VERD__WAITS)
        add_wait(report, line, view);
    else
        verd__line_text(line, texts[activity]);
    if (view->thread.interrupt & VERD__INTERRUPT_KILL)
        verd__line_text(line, ", killed");
    if (view->thread.interrupt & VERD__INTERRUPT_TIMEOUT)
        verd__line_text(line, ", out of time");
    if (view->thread.shield != 0)
        verd__line_text(line, ", shielded");
}

/* The process's first one goes without saying. */
void verd__report_os_thread(struct verd__line *line, const struct verd__scheduler *scheduler)
{
    if (scheduler->os_thread == getpid())
        return;
    verd__line_text(line, ", on OS thread ");
    verd__line_number(line, (size_t)scheduler->os_thread);
}

/* ---- where it is ---- */

static void tell_site(struct verd__report *report, const struct verd__view *view)
{
    struct verd__line line = {0};
    uintptr_t site = (uintptr_t)verd__view_site(view);
    if (site == 0)
        return;
    verd__line_text(&line, "    spawned at ");
    verd__symbols_tell(&line, &report->symbols, site, true);
    verd__line_write_to(&line, &report->output);
}

static void tell_stack(const struct verd__report *report, const struct verd__view *view,
                       uintptr_t sp)
{
    struct verd__line line = {0};
    uintptr_t high = verd__view_high(view);
    uintptr_t low = (uintptr_t)view->stack.low;
    if (high == UINTPTR_MAX || sp < low || sp >= high)
        return;
    verd__line_text(&line, "    uses ");
    verd__line_number(&line, high - sp);
    verd__line_text(&line, " of ");
    verd__line_number(&line, high - low);
    verd__line_text(&line, " bytes of stack");
    verd__line_write_to(&line, &report->output);
}

/* In the middle of a switch the OS thread stands on another's stack still. */
static bool is_on(const struct verd__view *view, uintptr_t sp)
{
    uintptr_t high = verd__view_high(view);
    return high == UINTPTR_MAX || (sp < high && sp >= (uintptr_t)view->stack.low);
}

void verd__report_details(struct verd__report *report, const struct verd__view *view,
                          const struct verd__backtrace *running)
{
    struct verd__backtrace *own = &report->own;
    tell_site(report, view);
    if (view->thread.state != VERD__STARTED)
        return;
    if (view->is_running && (running == NULL || !is_on(view, running->sp)))
        return;
    if (view->is_running) {
        *own = *running;
        verd__backtrace_mend(own, &report->symbols, verd__view_high(view));
    } else {
        verd__backtrace_of_context(own, &view->thread.context, verd__view_high(view));
    }
    tell_stack(report, view, own->sp);
    verd__backtrace_write(&report->output, "    at ", own, &report->symbols);
}

void verd__report_thread(struct verd__report *report, const struct verd__view *view)
{
    struct verd__line line = {0};
    verd__name_tell(&line, view, &report->symbols);
    verd__line_text(&line, " ");
    add_activity(report, &line, view);
    verd__report_os_thread(&line, view->scheduler);
    verd__line_write_to(&line, &report->output);
}

static void tell_thread(const struct verd__view *view, void *arg)
{
    struct verd__report *report = arg;
    verd__report_thread(report, view);
    verd__report_details(report, view, report->running);
}

/* ---- many ---- */

/* "9,812" */
static void add_count(struct verd__line *line, size_t count)
{
    if (count >= 1000) {
        add_count(line, count / 1000);
        verd__line_text(line, ",");
        for (size_t digit = 100; digit > 1 && count % 1000 < digit; digit /= 10)
            verd__line_text(line, "0");
    }
    verd__line_number(line, count % 1000);
}

/* What all of them wait for, and who has it. */
static void add_common_object(struct verd__report *report, struct verd__line *line,
                              const struct verd__alike *alike, const struct verd__view *example)
{
    const struct verd__wait *wait = verd__view_wait(example);
    if (alike->is_various)
        verd__line_text(line, alike->kind->is_users || alike->kind->is_object
                                  ? ", at various addresses"
                                  : ", of various ones");
    if (alike->is_various || wait == NULL || wait->kind != alike->kind)
        return;
    if (alike->object != 0 && alike->kind->tell != NULL)
        alike->kind->tell(line, wait);
    add_object(report, line, example, wait);
}

static void tell_alike(struct verd__report *report, const struct verd__alike *alike,
                       const struct verd__view *example)
{
    static const char *const texts[] = {
        [VERD__RUNS] = " run",
        [VERD__CAN_RUN] = " can run",
        [VERD__NOT_STARTED] = " have not started",
        [VERD__NOT_DUE] = " are not due to start yet",
    };
    struct verd__line line = {0};
    add_count(&line, alike->count);
    verd__line_text(&line, " threads");
    verd__symbols_tell_function(&line, &report->symbols, alike->start);
    if (alike->activity == VERD__WAITS) {
        verd__line_text(&line, " wait for ");
        add_kind(&line, alike->kind, NULL);
        verd__line_text(&line, ", one for ");
        add_span(&line, report->now - alike->since);
        add_common_object(report, &line, alike, example);
    } else {
        verd__line_text(&line, texts[alike->activity]);
    }
    verd__report_os_thread(&line, report->scheduler);
    verd__line_write_to(&line, &report->output);
}

/* Of several one stands for all, the one that waits for longest. */
static void tell_example(struct verd__report *report, const struct verd__alike *alike)
{
    struct verd__view view;
    if (!verd__view_take(&view, report->scheduler, alike->example))
        return;
    if (alike->count == 1) {
        tell_thread(&view, report);
        return;
    }
    tell_alike(report, alike, &view);
    verd__report_details(report, &view, report->running);
}

/* Who has what a thread waits for, who has what that one waits for, and so on. */
static void single_holders(struct verd__report *report, const struct verd__thread *thread)
{
    struct verd__view view;
    bool has_ended, more = verd__view_take(&view, report->scheduler, thread);
    while (more && verd__view_holder(&view, &view, &has_ended) &&
           !verd__singled_has(&report->singled, view.at)) {
        verd__singled_add(&report->singled, view.at);
        more = report->singled.count < VERD__SINGLED_MAX;
    }
}

/* Who holds others up is told of by itself. */
static void single_out(struct verd__report *report)
{
    report->singled.count = 0;
    for (size_t i = 0; i < report->cycles.count; i++)
        verd__singled_add(&report->singled, report->cycles.each[i]);
    verd__census_count(&report->census, report->scheduler, &report->singled);
    for (size_t i = 0; i < report->census.count; i++) {
        if (report->census.each[i].object != 0)
            single_holders(report, report->census.each[i].example);
    }
}

static void tell_many(struct verd__report *report)
{
    struct verd__view view;
    single_out(report);
    for (size_t i = 0; i < report->singled.count; i++) {
        if (verd__view_take(&view, report->scheduler, report->singled.each[i]))
            tell_thread(&view, report);
    }
    verd__census_count(&report->census, report->scheduler, &report->singled);
    for (size_t i = 0; i < report->census.count; i++)
        tell_example(report, &report->census.each[i]);
    if (report->census.rest == 0)
        return;
    struct verd__line line = {0};
    add_count(&line, report->census.rest);
    verd__line_text(&line, " threads do other things");
    verd__report_os_thread(&line, report->scheduler);
    verd__line_write_to(&line, &report->output);
}

/* ---- who wait for one another ---- */

static void name_thread(struct verd__line *line, const struct verd__report *report,
                        const struct verd__thread *thread)
{
    struct verd__view view;
    if (verd__view_take(&view, report->scheduler, thread))
        verd__name_tell(line, &view, NULL);
    else
        verd__line_text(line, "a thread that has ended");
}

/* Returns where the next one begins. */
static size_t tell_cycle(struct verd__report *report, size_t first)
{
    const struct verd__cycles *cycles = &report->cycles;
    struct verd__line line = {0};
    size_t i = first;
    verd__line_text(&line, "deadlock: ");
    name_thread(&line, report, cycles->each[i]);
    for (i++; i < cycles->count && !cycles->begins[i]; i++) {
        verd__line_text(&line, i == first + 1 ? " waits for " : ", that for ");
        name_thread(&line, report, cycles->each[i]);
    }
    verd__line_text(&line, i == first + 1 ? " waits for " : ", that for ");
    name_thread(&line, report, cycles->each[first]);
    verd__report_os_thread(&line, report->scheduler);
    verd__line_write_to(&line, &report->output);
    return i;
}

static void tell_cycles(struct verd__report *report)
{
    for (size_t i = 0; i < report->cycles.count;)
        i = tell_cycle(report, i);
}

/* ---- all ---- */

void verd__report_hub(struct verd__report *report, const struct verd__scheduler *scheduler,
                      const struct verd__backtrace *running)
{
    int error = errno;
    report->scheduler = scheduler;
    report->running = running;
    report->now = verd_now();
    verd__cycles_find(&report->cycles, scheduler);
    verd__census_begin(&report->census, scheduler);
    if (report->census.total > VERD__REPORT_SINGLY)
        tell_many(report);
    else
        verd__views_each(scheduler, tell_thread, report);
    tell_cycles(report);
    errno = error;
}

void verd__report(struct verd__scheduler *scheduler)
{
    struct verd__report *report = verd__report_begin(&verd__stderr);
    if (report == NULL)
        return;
    verd__backtrace_of_caller(&report->calls, UINTPTR_MAX);
    verd__report_hub(report, scheduler, &report->calls);
    verd__report_end(report);
}

void verd_report(void)
{
    if (verd__current != NULL)
        verd__report(verd__current);
}
