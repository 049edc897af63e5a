/* SPDX-License-Identifier: MIT */
/* Threads: their beginning, and who waits for them. */
#include "patch/pthread_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sched/area.h"
#include "sched/thread.h"

_Static_assert(sizeof(pthread_t) == sizeof(verd_thread *), "a handle is a pthread_t");

/* ---- create ---- */

/* What every thread runs. The functions of its keys, which come after it, are not cancelled either. */
static void *thread_main(void *arg)
{
    struct verd__thread *self = verd__current->running;
    struct verd__area *area = verd__area(self);
    struct verd__pthread *posix = arg;
    jmp_buf exit;
    posix->exit = &exit;
    area->posix.thread = posix;
    area->start.call = posix->start.call; /* for messages */
    memcpy(area->name, posix->name, sizeof posix->name);
    if (posix->is_cancelled)
        self->interrupt |= VERD__INTERRUPT_KILL;
    if (_setjmp(exit) == 0) {
        posix->result = posix->is_c11 ? (void *)(intptr_t)posix->start.run(posix->arg)
                                      : posix->start.call(posix->arg);
        verd_shield_begin();
    }
    return posix->result;
}

bool verd__pthread_is_unstarted(const struct verd__thread *thread)
{
    return (thread->flags & VERD__RESULT) && thread->start.call == thread_main;
}

static void ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    (void)error;
    if (thread->state == VERD__STARTED && thread->stack != NULL)
        verd__area(thread)->posix.thread = NULL;
    free(VERD__CONTAINER_OF(watch, struct verd__pthread, watch));
}

/* The size that an attribute wants, if it is one that threads have. */
static size_t stack_size_of(const pthread_attr_t *attr)
{
    size_t size = VERD_STACK_SIZE;
    if (attr != NULL)
        pthread_attr_getstacksize(attr, &size);
    return size < VERD_STACK_SIZE_MIN ? VERD_STACK_SIZE_MIN : size;
}

/* A stack of the default size is bound when the thread begins. */
static struct verd__thread *spawn(size_t stack_size, struct verd__pthread *posix, const void *site)
{
    verd_attr attr = {.stack_size = stack_size};
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    return stack_size == VERD_STACK_SIZE
               ? verd__spawn(scheduler, thread_main, posix, site)
               : verd__spawn_with(scheduler, &attr, thread_main, posix, site);
}

static int start(pthread_t *handle, const pthread_attr_t *attr, struct verd__pthread *posix,
                 const void *site)
{
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attr != NULL)
        pthread_attr_getdetachstate(attr, &detached);
    struct verd__thread *thread = spawn(stack_size_of(attr), posix, site);
    if (thread == NULL)
        return errno == EINVAL ? EINVAL : EAGAIN;
    verd__watch_add(thread, &posix->watch);
    *handle = verd__pthread_of(verd__handle(thread));
    if (detached == PTHREAD_CREATE_DETACHED)
        verd__thread_release(verd__current, thread);
    return 0;
}

int verd__pthread_create(pthread_t *handle, const pthread_attr_t *attr, void *(*call)(void *),
                         int (*run)(void *), void *arg, const void *site)
{
    int before = errno;
    struct verd__pthread *posix = malloc(sizeof *posix);
    if (posix == NULL) {
        errno = before;
        return EAGAIN;
    }
    posix->watch.ended = ended;
    posix->is_c11 = run != NULL;
    if (run != NULL)
        posix->start.run = run;
    else
        posix->start.call = call;
    posix->is_cancelled = false;
    posix->name[0] = '\0';
    posix->arg = arg;
    int error = start(handle, attr, posix, site);
    if (error != 0)
        free(posix);
    errno = before;
    return error;
}

__attribute__((noinline)) int verd_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                                  void *(*fn)(void *), void *arg)
{
    return verd__pthread_create(thread, attr, fn, NULL, arg, __builtin_return_address(0));
}

/* ---- which thread ---- */

struct verd__thread *verd__pthread_find(pthread_t handle, int *error)
{
    int before = errno;
    struct verd__thread *thread =
        verd__scheduler() != NULL ? verd__thread_find(verd__handle_of(handle)) : NULL;
    *error = thread != NULL ? 0 : errno == EPERM ? EPERM : ESRCH;
    errno = before;
    return thread;
}

pthread_t verd_pthread_self(void)
{
    return verd__pthread_of(verd_self());
}

/* ---- join ---- */

/* Whether it can be waited for. */
static int check_joinable(pthread_t handle)
{
    int error;
    const struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (thread == NULL)
        return error;
    if (thread == verd__current->running)
        return EDEADLK;
    return thread == verd__current->main || (thread->flags & VERD__HANDLE) ? 0 : EINVAL;
}

/* One that was killed before it began has no result of its own. To POSIX one of verd_fail is like others. */
static int join(pthread_t handle, void **result)
{
    void *value = NULL;
    int before = errno;
    int error = verd__outcome(verd_join(verd__handle_of(handle), &value), before);
    if (error == ESRCH && value == NULL)
        value = PTHREAD_CANCELED;
    else if (error != 0 && value == NULL)
        return error;
    if (result != NULL)
        *result = value;
    return 0;
}

int verd_pthread_join(pthread_t handle, void **result)
{
    int error = check_joinable(handle);
    if (error == 0)
        error = join(handle, result);
    if (error == ECANCELED)
        verd__cancel_here();
    return error;
}

int verd_pthread_tryjoin_np(pthread_t handle, void **result)
{
    int error = check_joinable(handle);
    if (error == 0 && !verd_ended(verd__handle_of(handle)))
        error = EBUSY;
    if (error != 0)
        return error;
    verd_shield_begin();
    error = join(handle, result);
    verd_shield_end();
    return error;
}

int verd_pthread_clockjoin_np(pthread_t handle, void **result, clockid_t clock,
                              const struct timespec *until)
{
    struct verd__deadline deadline;
    int error = verd_pthread_tryjoin_np(handle, result);
    if (error != EBUSY)
        return error;
    error = verd__deadline_begin(&deadline, clock, until);
    if (error != 0)
        return error;
    error = deadline.has_passed ? ETIMEDOUT : join(handle, result);
    verd__deadline_end(&deadline);
    if (error == ECANCELED)
        verd__cancel_here();
    return error;
}

int verd_pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *until)
{
    return verd_pthread_clockjoin_np(handle, result, CLOCK_REALTIME, until);
}

int verd_pthread_detach(pthread_t handle)
{
    int error;
    struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (thread == NULL)
        return error;
    if (!(thread->flags & VERD__HANDLE))
        return thread == verd__current->main ? 0 : EINVAL;
    verd__thread_release(verd__current, thread);
    return 0;
}

/* ---- names ---- */

/* Where a thread's name is; NULL: it has none. */
static char *name_of(struct verd__thread *thread)
{
    if (thread->state == VERD__STARTED)
        return verd__area(thread)->name;
    return thread->state == VERD__UNSTARTED && verd__pthread_is_unstarted(thread)
               ? verd__pthread_unstarted(thread)->name
               : NULL;
}

int verd_pthread_setname_np(pthread_t handle, const char *name)
{
    int error;
    struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (strlen(name) >= VERD__PTHREAD_NAME)
        return ERANGE;
    if (thread == NULL || name_of(thread) == NULL)
        return thread == NULL ? error : ESRCH;
    memcpy(name_of(thread), name, strlen(name) + 1);
    return 0;
}

int verd_pthread_getname_np(pthread_t handle, char *name, size_t size)
{
    int error;
    struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (size < VERD__PTHREAD_NAME)
        return ERANGE;
    if (thread == NULL || name_of(thread) == NULL)
        return thread == NULL ? error : ESRCH;
    size_t length =
        strnlen(name_of(thread), VERD__PTHREAD_NAME - 1); /* verd_spawn_with's are longer */
    memcpy(name, name_of(thread), length);
    name[length] = '\0';
    return 0;
}
