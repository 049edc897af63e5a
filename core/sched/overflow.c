/* SPDX-License-Identifier: MIT */
#include "sched/overflow.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/auxv.h>

#include "sched/name.h"
#include "sched/report.h"
#include "sched/slab.h"
#include "sched/thread.h"

/* Since Linux 5.14, <linux/auxvec.h>: the bytes that a signal's frame takes. */
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

#define HANDLER_STACK ((size_t)32 * 1024) /* for reports, which are made in handlers */

/* Whether the address lies in the guard of the thread's stack. */
static bool is_below(const struct verd__thread *thread, const void *address)
{
    if (thread->state != VERD__STARTED || thread->stack == NULL)
        return false;
    size_t below = (size_t)((uintptr_t)thread->stack->low - (uintptr_t)address);
    return below - 1 < verd__stack_guard(thread->stack);
}

/* The thread in the guard of whose stack the address lies; NULL: none. It need not be the running one:
 * in a switch, that is the next already. */
static const struct verd__thread *find_below(const struct verd__scheduler *scheduler,
                                             const void *address)
{
    const struct verd__slab *slab = scheduler != NULL ? scheduler->slabs : NULL;
    for (; slab != NULL; slab = slab->next) {
        for (size_t i = 1; i < slab->used; i++) {
            const struct verd__thread *thread = &verd__slab_blocks(slab)[i];
            if (thread != scheduler->main && is_below(thread, address))
                return thread;
        }
    }
    return NULL;
}

static void add_advice(struct verd__line *line, const struct verd__thread *thread)
{
    verd__line_text(line, ": its stack of ");
    verd__line_number(line, verd__stack_class_size(thread->stack));
    verd__line_text(line, " bytes is full; larger ones are made with verd_attr.stack_size, "
                          "pthread_attr_setstacksize, verd_stack_default or VERD_STACK_SIZE");
}

static void say_overflow(const struct verd__thread *thread, const ucontext_t *context)
{
    struct verd__line line = {0};
    struct verd__view view;
    struct verd__backtrace backtrace;
    struct verd__report *report = verd__report_begin(&verd__stderr);
    bool has_view = verd__view_take(&view, verd__current, thread);
    verd__line_text(&line, "stack overflow in ");
    if (has_view)
        verd__name_tell(&line, &view, report != NULL ? &report->symbols : NULL);
    add_advice(&line, thread);
    verd__line_write(&line);
    if (report == NULL)
        return;
    verd__backtrace_of_signal(&backtrace, context, (uintptr_t)thread->stack);
    view.is_running = true; /* in a switch it may be the next one already */
    backtrace.sp = (uintptr_t)thread->stack->low;
    if (has_view)
        verd__report_details(report, &view, &backtrace);
    verd__report_end(report);
}

/* Says what it knows, and lets the same fault come again with the default action. */
static void on_fault(int signal, siginfo_t *info, void *ucontext)
{
    const struct verd__thread *thread = find_below(verd__current, info->si_addr);
    if (thread != NULL)
        say_overflow(thread, ucontext);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
    if (info->si_code <= 0) /* sent by someone: it does not come again by itself */
        raise(signal);
}

void verd__overflow_install(void)
{
    struct sigaction action;
    if (sigaction(SIGSEGV, NULL, &action) != 0 || (action.sa_flags & SA_SIGINFO) ||
        action.sa_handler != SIG_DFL)
        return;
    action = (struct sigaction){.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
}

void verd__overflow_begin(struct verd__scheduler *scheduler)
{
    stack_t current;
    if (sigaltstack(NULL, &current) != 0 || !(current.ss_flags & SS_DISABLE))
        return;
    size_t size = HANDLER_STACK + getauxval(AT_MINSIGSTKSZ);
    void *memory = malloc(size);
    if (memory == NULL)
        return;
    stack_t fresh = {.ss_sp = memory, .ss_size = size};
    if (sigaltstack(&fresh, NULL) == 0)
        scheduler->signal_stack = memory;
    else
        free(memory);
}

void verd__overflow_end(struct verd__scheduler *scheduler)
{
    stack_t current;
    if (scheduler->signal_stack == NULL)
        return;
    if (sigaltstack(NULL, &current) == 0 && current.ss_sp == scheduler->signal_stack) {
        stack_t none = {.ss_flags = SS_DISABLE};
        sigaltstack(&none, NULL);
    }
    free(scheduler->signal_stack);
}
