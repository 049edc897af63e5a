/* SPDX-License-Identifier: MIT */
#include "http/stopping.h"

#include <errno.h>

#include "http/server.h"
#include "sched/timeout.h"

/* Has passed with the next look, at which what has come wins over it. */
#define SOON ((verd_duration)1)

static void leave(struct verd__obligation *obligation)
{
    struct verd__stoppable *wait = VERD__CONTAINER_OF(obligation, struct verd__stoppable, leaves);
    verd__list_remove(&wait->server->stoppable, &wait->link);
}

void verd__stoppable_begin(struct verd__stoppable *wait, struct verd_http_server *server)
{
    wait->server = server;
    wait->thread = verd__current->running;
    verd_timeout_begin(&wait->scope, server->stopping ? SOON : VERD_FOREVER);
    verd__list_append(&server->stoppable, &wait->link);
    verd__obligation_begin(verd__current, &wait->leaves, leave);
}

bool verd__stoppable_end(struct verd__stoppable *wait, ssize_t result)
{
    int error = errno;
    verd__obligation_settle(verd__current, &wait->leaves);
    bool over = verd_timeout_end(&wait->scope) && result < 0 && error == ETIMEDOUT;
    errno = error;
    return over;
}

void verd__stoppable_expire(const struct verd_http_server *server)
{
    for (struct verd__link *link = server->stoppable.first; link != NULL; link = link->next) {
        const struct verd__stoppable *wait = VERD__CONTAINER_OF(link, struct verd__stoppable, link);
        verd__timeout_expire(wait->thread, &wait->scope);
    }
}

ssize_t verd__read_unless_stopped(struct verd_http_server *server,
                                  ssize_t (*read)(void *from, void *to, size_t size), void *from,
                                  void *to, size_t size)
{
    for (;;) {
        struct verd__stoppable wait;
        bool was_stopped = server->stopping;
        verd__stoppable_begin(&wait, server);
        ssize_t got = read(from, to, size);
        bool over = verd__stoppable_end(&wait, got);
        if (over && was_stopped)
            errno = ESHUTDOWN;
        if (!over || was_stopped)
            return got;
    }
}
