/* SPDX-License-Identifier: MIT */
/* Questions for the hub: on their way there, and back. */
#include "debug/backdoor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/valgrind.h"

/* ---- the hub's OS thread ---- */

static void send_back(struct verd__request *request)
{
    static const uint64_t one = 1;
    struct verd__backdoor *backdoor = request->backdoor;
    request->next = atomic_load(&backdoor->answered);
    do {
        verd__helgrind_before(request);
    } while (!atomic_compare_exchange_weak(&backdoor->answered, &request->next, request));
    (void)!write(backdoor->wake, &one, sizeof one);
}

static void lost(struct verd__message *message)
{
    free(VERD__CONTAINER_OF(message, struct verd__request, message));
}

/* In the green thread of the inbox. Nobody else runs before it is done, so the backdoor stays. */
static void arrive(struct verd__message *message)
{
    struct verd__request *request = VERD__CONTAINER_OF(message, struct verd__request, message);
    if (request->backdoor == NULL) {
        lost(message);
        return;
    }
    if (verd__backdoor_open_file(&request->file))
        verd__backdoor_answer(request->backdoor, request->line, request->file);
    send_back(request);
}

void verd__requests_leave(struct verd__backdoor *backdoor)
{
    struct verd__link *link, *next;
    verd__requests_take_back(backdoor);
    for (link = backdoor->requests.first; link != NULL; link = next) {
        struct verd__request *request = VERD__CONTAINER_OF(link, struct verd__request, link);
        next = link->next;
        if (request->is_answered)
            verd__request_free(request);
        else
            request->backdoor = NULL;
    }
}

/* ---- the backdoor's ---- */

struct verd__request *verd__request_send(struct verd__backdoor *backdoor, const char *line)
{
    struct verd__request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->message.arrive = arrive;
    request->message.lost = lost;
    request->backdoor = backdoor;
    request->file = -1;
    request->since = verd_now();
    memcpy(request->line, line, strlen(line) + 1);
    pthread_mutex_lock(&verd__backdoor_lock);
    verd__list_append(&backdoor->requests, &request->link);
    pthread_mutex_unlock(&verd__backdoor_lock);
    verd__inbox_send(backdoor->inbox, &request->message); /* the hub ends after this OS thread */
    return request;
}

void verd__requests_take_back(struct verd__backdoor *backdoor)
{
    struct verd__request *next = atomic_exchange(&backdoor->answered, NULL);
    while (next != NULL) {
        struct verd__request *request = next;
        verd__helgrind_after(request);
        next = request->next;
        request->is_answered = true;
        if (request->is_abandoned)
            verd__request_free(request);
    }
}

void verd__request_free(struct verd__request *request)
{
    verd__backdoor_close(&request->file);
    pthread_mutex_lock(&verd__backdoor_lock);
    verd__list_remove(&request->backdoor->requests, &request->link);
    pthread_mutex_unlock(&verd__backdoor_lock);
    free(request);
}
