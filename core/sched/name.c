/* SPDX-License-Identifier: MIT */
#include "sched/name.h"

#include <errno.h>
#include <string.h>

#include "sched/area.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "stack/peek.h"

void verd__name_copy(char name[VERD_NAME_SIZE], const char *wanted)
{
    size_t length = wanted != NULL ? strnlen(wanted, VERD_NAME_SIZE - 1) : 0;
    memmove(name, wanted != NULL ? wanted : "", length);
    name[length] = '\0';
}

/* Where the thread's own name is kept; NULL: nowhere, for it has ended, or has no stack yet. */
static char *own_name(const struct verd__thread *thread)
{
    return thread->stack != NULL && thread->state != VERD__ENDED ? verd__area(thread)->name : NULL;
}

/* What the threads of its owner are called; NULL: nothing. */
static const char *shared_name(const struct verd__thread *thread)
{
    bool has_owner =
        thread->state != VERD__ENDED && !(thread->flags & VERD__DELAYED) && thread->owner != NULL;
    return has_owner ? thread->owner->name : NULL;
}

/* `shared`, cut to make room, and "#17". */
static void number_name(char name[VERD_NAME_SIZE], const char *shared, size_t number)
{
    char digits[VERD_NAME_SIZE];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    *--at = '#';
    size_t size = (size_t)(digits + sizeof digits - at);
    size_t length = strnlen(shared, VERD_NAME_SIZE - size);
    memcpy(name, shared, length);
    memcpy(name + length, at, size);
}

void verd__name_write(const struct verd__thread *thread, char name[VERD_NAME_SIZE])
{
    const char *own = own_name(thread), *shared = shared_name(thread);
    if (shared == NULL || shared[0] == '\0' || (own != NULL && own[0] != '\0'))
        verd__name_copy(name, own);
    else
        number_name(name, shared, verd__thread_number(thread));
}

/* The same of a view: whose owner may be another OS thread's, and gone meanwhile. */
static void view_name(const struct verd__view *view, char name[VERD_NAME_SIZE])
{
    const struct verd__thread *thread = &view->thread;
    struct verd__owner owner;
    verd__name_copy(name, view->has_stack ? verd__view_area(view)->name : NULL);
    if (name[0] != '\0' || thread->owner == NULL || (thread->flags & VERD__DELAYED) ||
        !verd__peek(&owner, thread->owner, sizeof owner) || owner.name == NULL)
        return;
    char shared[VERD_NAME_SIZE];
    verd__peek_text(shared, sizeof shared, owner.name);
    if (shared[0] != '\0')
        number_name(name, shared, verd__thread_number(view->at));
}

void verd__name_tell(struct verd__line *line, const struct verd__view *view,
                     struct verd__symbols *symbols)
{
    char name[VERD_NAME_SIZE];
    view_name(view, name);
    verd__line_text(line, "thread ");
    verd__line_number(line, verd__thread_number(view->at));
    if (view->is_main)
        verd__line_text(line, " (main)");
    if (name[0] != '\0') {
        verd__line_text(line, " \"");
        verd__line_text(line, name);
        verd__line_text(line, "\"");
    } else if (!view->is_main && symbols != NULL) {
        verd__symbols_tell_function(line, symbols, verd__view_start(view));
    }
}

const char *verd_name(const verd_thread *t)
{
    int error = errno;
    const struct verd__thread *thread = verd__thread_find(t);
    errno = error;
    char *own = thread != NULL ? own_name(thread) : NULL;
    if (own == NULL)
        return "";
    verd__name_write(thread, own);
    return own;
}

int verd_set_name(verd_thread *t, const char *name)
{
    const struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    char *own = own_name(thread);
    if (own == NULL) {
        errno = EINVAL;
        return -1;
    }
    verd__name_copy(own, name);
    return 0;
}
