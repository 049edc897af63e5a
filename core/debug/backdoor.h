/* SPDX-License-Identifier: MIT */
/*
 * The backdoor: who comes in by it, and what is asked and answered.
 *
 * It has an OS thread of its own (client.c), so that it answers whatever the hub is doing. What the hub itself has to tell
 * or do is handed to it by its inbox, and comes back to the backdoor with the answer. The hub's OS thread opens the
 * backdoor and closes it, at its own end at the latest (backdoor.c).
 */
#ifndef VERD_DEBUG_BACKDOOR_H
#define VERD_DEBUG_BACKDOOR_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <verd/time.h>

#include "offload/inbox.h"
#include "sched/list.h"
#include "sched/scheduler.h"
#include "stack/line.h"

#define VERD__BACKDOOR_CLIENTS 8
#define VERD__BACKDOOR_LINE 1024 /* bytes of a question */

/* One question. `argument` is what stands behind the command's name, or "". The answer goes to a
 * file in memory, so nothing of it waits for the client. */
struct verd__question {
    struct verd__scheduler *scheduler; /* that of the backdoor's hub, which stays */
    const char *argument;
    const char *path; /* of the backdoor */
    struct verd__output output;
};

/*
 * A question for the hub. The backdoor's OS thread makes it, lends it to the hub, gets it back when it is answered, and
 * frees it, whether its client is there still or not. If the backdoor is closed meanwhile it is the hub's, which frees it
 * when it comes to it.
 */
struct verd__request {
    struct verd__message message;
    struct verd__link link;          /* in `requests` of the backdoor */
    struct verd__backdoor *backdoor; /* NULL: it was closed */
    int file;                        /* with the answer; the hub's, until it comes back; -1: none */
    struct verd__request *next;      /* in `answered`; the hub's, until it comes back */
    verd_duration since;             /* the rest is the backdoor's */
    bool is_answered;                /* it has come back */
    bool is_explained;               /* the client knows why it has no answer yet */
    bool is_abandoned;               /* the client has left */
    char line[VERD__BACKDOOR_LINE];
};

struct verd__client {
    int fd;                        /* -1: nobody, and the rest is not valid */
    int file;                      /* with what is being sent; -1: nothing is */
    off_t sent;                    /* of the file */
    struct verd__request *request; /* of the hub, and not sent yet; NULL: nothing is */
    bool has_ended;                /* nothing more comes from it */
    size_t length;                 /* of what has come and was not answered yet */
    char text[VERD__BACKDOOR_LINE];
};

struct verd__backdoor {
    struct verd__exit_hook hook; /* of the hub's OS thread */
    struct verd__link link;      /* in the list of all */
    struct verd__scheduler *scheduler;
    struct verd_hub *inbox;
    pthread_t os_thread;
    _Atomic(bool) stops;
    int wake;                                 /* an eventfd: an answer has come, or it stops */
    _Atomic(struct verd__request *) answered; /* what comes back, the newest first */

    /* The rest is its OS thread's own. */
    int listener;
    verd_duration paused;       /* until when nobody is let in */
    struct verd__list requests; /* of the hub, and not freed yet */
    struct verd__client clients[VERD__BACKDOOR_CLIENTS];
    struct stat socket;  /* what has been made there */
    char path[PATH_MAX]; /* absolute */
};

/* Whoever changes a descriptor of a backdoor's, or its list of requests, holds this: so the child of a fork finds what is
 * there. Nothing is waited for meanwhile. */
extern pthread_mutex_t verd__backdoor_lock;

/* A file in memory, for an answer. False: there can be none. */
bool verd__backdoor_open_file(int *file);

/* Closes a descriptor, which is -1 from then on; -1: there is none. */
void verd__backdoor_close(int *fd);

/* What the OS thread of a backdoor does until that stops (client.c); `arg` is the backdoor. */
void *verd__backdoor_run(void *arg);

/* ---- questions for the hub (request.c) ---- */

/* Hands a line to the hub. NULL: there is no memory. */
struct verd__request *verd__request_send(struct verd__backdoor *backdoor, const char *line);

/* Takes back those that the hub has answered. */
void verd__requests_take_back(struct verd__backdoor *backdoor);

/* Frees one that is not the hub's. */
void verd__request_free(struct verd__request *request);

/* The backdoor is being closed, on the hub's OS thread: leaves to the hub those that it has. */
void verd__requests_leave(struct verd__backdoor *backdoor);

/* ---- answers ---- */

/* Whether a line is a question for the hub: to be answered on its OS thread. */
bool verd__backdoor_is_for_hub(const char *line);

/* Answers a line in whole: what there is to say, and an empty line. */
void verd__backdoor_answer(const struct verd__backdoor *backdoor, const char *line, int file);

/* Commands that have more to tell (inspect.c). These two are not for the hub. */
void verd__inspect_threads(const struct verd__question *question);
void verd__inspect_backtrace(const struct verd__question *question);

void verd__inspect_pools(const struct verd__question *question);
void verd__inspect_descriptors(const struct verd__question *question);
void verd__inspect_timers(const struct verd__question *question);
void verd__inspect_figures(const struct verd__question *question);

/* The thread with this number of the hub's own, as the argument says it; NULL: there is none, and
 * that was told. For the hub. */
struct verd__thread *verd__inspect_find(const struct verd__question *question);

/* One line of an answer. */
void verd__answer(const struct verd__question *question, const char *text);

#endif
