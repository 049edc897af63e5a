/* SPDX-License-Identifier: MIT */
#include "sync/case.h"

#include <errno.h>

#include "hub/identity.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "stack/line.h"
#include "sync/home.h"
#include "sync/queue.h"

#define LOOKED_AT 16 /* descriptors, by one system call */

static int check_event(verd_event *event)
{
    bool here = event == NULL || event->set || verd__home_check(event->home, &event->waiters) == 0;
    return here ? 0 : EPERM;
}

static int check_thread(const verd_thread *handle, const struct verd__scheduler *scheduler)
{
    const struct verd__thread *thread = handle != NULL ? verd__thread_find(handle) : NULL;
    if (thread == NULL)
        return handle != NULL ? errno : 0;
    bool own = thread == scheduler->running && !verd__thread_has_ended(scheduler, thread);
    return own ? EDEADLK : 0;
}

int verd__case_check_other(const verd_case *one, const struct verd__scheduler *scheduler)
{
    switch (one->kind) {
    case VERD_CASE_EVENT:
        return check_event(one->event);
    case VERD_CASE_END:
        return check_thread(one->thread, scheduler);
    case VERD_CASE_DEFAULT:
    case VERD_CASE_READABLE:
    case VERD_CASE_WRITABLE:
    case VERD_CASE_AFTER:
        return 0;
    default:
        return EINVAL;
    }
}

/* poll(2) for some descriptors; a signal interrupts it though it does not wait. */
static int look(struct pollfd *fds, verd_case *const *cases, nfds_t count)
{
    int result;
    do {
        result = poll(fds, count, 0);
    } while (result < 0 && errno == EINTR);
    for (nfds_t i = 0; i < count; i++)
        cases[i]->ready = result > 0 ? fds[i].revents : 0;
    return result < 0 ? -1 : 0;
}

int verd__cases_look(verd_case *cases, size_t n)
{
    struct pollfd fds[LOOKED_AT];
    verd_case *of[LOOKED_AT];
    nfds_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!verd__case_is_of_descriptor(&cases[i]))
            continue;
        /* A regular file is always ready, as POSIX has it. */
        if (verd__may_have_server(cases[i].fd)) {
            cases[i].ready = verd__case_events(&cases[i]);
            continue;
        }
        of[count] = &cases[i];
        fds[count++] = (struct pollfd){.fd = cases[i].fd, .events = verd__case_events(&cases[i])};
        if (count < LOOKED_AT)
            continue;
        if (look(fds, of, count) != 0)
            return -1;
        count = 0;
    }
    return count > 0 ? look(fds, of, count) : 0;
}

bool verd__case_other_is_possible(const verd_case *one)
{
    const struct verd__thread *thread;
    switch (one->kind) {
    case VERD_CASE_EVENT:
        return verd_event_ready(one->event);
    case VERD_CASE_END:
        thread = one->thread != NULL ? verd__thread_find(one->thread) : NULL;
        return thread != NULL && verd__thread_has_ended(verd__current, thread);
    case VERD_CASE_READABLE:
    case VERD_CASE_WRITABLE:
        return one->fd >= 0 && one->ready != 0;
    case VERD_CASE_AFTER:
        return one->after <= 0;
    default:
        return false;
    }
}

static int take_event(const verd_case *one)
{
    if (one->event->error == 0 && one->result != NULL)
        *one->result = one->event->value;
    return one->event->error;
}

static int take_end(const verd_case *one)
{
    const struct verd__thread *thread = verd__thread_find(one->thread);
    int error = thread->state == VERD__ENDED ? thread->error : 0;
    return verd__thread_result(thread, error, one->result);
}

static int outcome(const verd_case *one)
{
    switch (one->kind) {
    case VERD_CASE_PUT:
        return verd__queue_put_now(one->queue, one->item);
    case VERD_CASE_GET:
        return verd__queue_get_now(one->queue, one->result);
    case VERD_CASE_EVENT:
        return take_event(one);
    case VERD_CASE_END:
        return take_end(one);
    case VERD_CASE_READABLE:
    case VERD_CASE_WRITABLE:
        return one->ready & POLLNVAL ? EBADF : 0;
    default:
        return 0;
    }
}

int verd__case_take(verd_case *one)
{
    int error = outcome(one);
    if (error == ENOMEM && one->kind == VERD_CASE_PUT)
        return verd__errno(error);
    one->error = error;
    return 0;
}

static void tell_number(struct verd__line *line, const char *text, size_t number)
{
    verd__line_text(line, text);
    verd__line_number(line, number);
}

static void tell_address(struct verd__line *line, const char *text, const void *address)
{
    verd__line_text(line, text);
    verd__line_address(line, (uintptr_t)address);
}

void verd__case_tell(struct verd__line *line, const verd_case *one)
{
    switch (one->kind) {
    case VERD_CASE_PUT:
        tell_address(line, "room in the queue at ", one->queue);
        break;
    case VERD_CASE_GET:
        tell_address(line, "an item of the queue at ", one->queue);
        break;
    case VERD_CASE_EVENT:
        tell_address(line, "the event at ", one->event);
        break;
    case VERD_CASE_END:
        verd__line_text(line, "the end of a thread");
        break;
    case VERD_CASE_READABLE:
        tell_number(line, "input from descriptor ", (size_t)one->fd);
        break;
    case VERD_CASE_WRITABLE:
        tell_number(line, "output to descriptor ", (size_t)one->fd);
        break;
    default:
        tell_number(line, "", (size_t)(one->after / VERD_MS));
        verd__line_text(line, " ms to pass");
    }
}
