/* SPDX-License-Identifier: MIT */
/* What a thread has of its OS thread: the processor, its clock, signals; and its stack. */
#include <errno.h>
#include <signal.h>

#include "offload/handler.h"
#include "patch/pthread_thread.h"
#include "sched/thread.h"

int verd_sched_yield(void)
{
    verd_yield();
    return 0;
}

/* ---- signals ---- */

static int send_signal(pthread_t handle, int signal, const union sigval *value)
{
    int error;
    struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (thread == NULL)
        return error;
    struct verd__thread *before = verd__handler_address(thread);
#ifdef __GLIBC__
    if (value != NULL)
        error = pthread_sigqueue(pthread_self(), signal, *value);
    else
#endif
        error = pthread_kill(pthread_self(), signal);
    (void)value;
    verd__handler_address(before);
    return error;
}

int verd_pthread_kill(pthread_t thread, int signal)
{
    return send_signal(thread, signal, NULL);
}

int verd_pthread_sigqueue(pthread_t thread, int signal, const union sigval value)
{
    return send_signal(thread, signal, &value);
}

/* ---- priorities ---- */

int verd_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
    int error;
    if (verd__pthread_find(thread, &error) == NULL)
        return error;
    return policy == SCHED_OTHER && param->sched_priority == 0 ? 0 : EINVAL;
}

int verd_pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *param)
{
    int error;
    if (verd__pthread_find(thread, &error) == NULL)
        return error;
    *policy = SCHED_OTHER;
    *param = (struct sched_param){.sched_priority = 0};
    return 0;
}

int verd_pthread_setschedprio(pthread_t thread, int priority)
{
    struct sched_param param = {.sched_priority = priority};
    return verd_pthread_setschedparam(thread, SCHED_OTHER, &param);
}

int verd_pthread_getcpuclockid(pthread_t thread, clockid_t *clock)
{
    int error;
    return verd__pthread_find(thread, &error) != NULL ? pthread_getcpuclockid(pthread_self(), clock)
                                                      : error;
}

int verd_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *processors)
{
    int error;
    return verd__pthread_find(thread, &error) != NULL
               ? pthread_setaffinity_np(pthread_self(), size, processors)
               : error;
}

int verd_pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *processors)
{
    int error;
    return verd__pthread_find(thread, &error) != NULL
               ? pthread_getaffinity_np(pthread_self(), size, processors)
               : error;
}

/* ---- stacks ---- */

int verd_pthread_attr_init(pthread_attr_t *attr)
{
    int error = pthread_attr_init(attr);
    return error == 0 ? pthread_attr_setstacksize(attr, VERD_STACK_SIZE) : error;
}

int verd_pthread_getattr_np(pthread_t handle, pthread_attr_t *attr)
{
    int error;
    const struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (thread == NULL)
        return error;
    if (thread == verd__current->main)
        return pthread_getattr_np(pthread_self(), attr);
    error = verd_pthread_attr_init(attr);
    if (error == 0 && !(thread->flags & VERD__HANDLE))
        error = pthread_attr_setdetachstate(attr, PTHREAD_CREATE_DETACHED);
    if (error == 0 && thread->stack != NULL)
        error = pthread_attr_setstack(attr, thread->stack->low + verd__stack_extra,
                                      verd__stack_class_size(thread->stack));
    return error;
}
