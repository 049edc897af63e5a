/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/parser.h"
#include "http/text.h"

#define CONNECTIONS_DEFAULT 1000
#define IDLE_DEFAULT 100
#define IDLE_TIME_DEFAULT (30 * VERD_SEC)
#define CONNECT_TIME_DEFAULT (30 * VERD_SEC)
#define SILENCE_DEFAULT (60 * VERD_SEC)
#define TOTAL_DEFAULT (3600 * VERD_SEC)
#define LIMIT_MAX (SIZE_MAX / 64) /* no sum or product of limits overflows */

static bool are_valid(const verd_http_client_options *options)
{
    const char *agent = options->agent;
    return options->idle_time >= 0 && options->connect_time >= 0 && options->silence >= 0 &&
           options->total >= 0 && options->limits.line <= LIMIT_MAX &&
           options->limits.header <= LIMIT_MAX && options->limits.fields <= LIMIT_MAX &&
           (agent == NULL || verd__is_text(agent, strlen(agent)));
}

static void set_defaults(verd_http_client_options *options)
{
    options->limits = verd__http_limits(&options->limits);
    if (options->connections == 0)
        options->connections = CONNECTIONS_DEFAULT;
    if (options->idle == 0)
        options->idle = IDLE_DEFAULT;
    verd__http_default(&options->idle_time, IDLE_TIME_DEFAULT);
    verd__http_default(&options->connect_time, CONNECT_TIME_DEFAULT);
    verd__http_default(&options->silence, SILENCE_DEFAULT);
    verd__http_default(&options->total, TOTAL_DEFAULT);
}

verd_http_client *verd_http_client_new(const verd_http_client_options *options)
{
    static const verd_http_client_options defaults = {0};
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (options == NULL)
        options = &defaults;
    if (!are_valid(options)) {
        errno = EINVAL;
        return NULL;
    }
    verd_http_client *client = calloc(1, sizeof *client);
    char *agent = options->agent != NULL ? strdup(options->agent) : NULL;
    if (client == NULL || (agent == NULL && options->agent != NULL)) {
        free(client);
        free(agent);
        return NULL;
    }
    client->home = scheduler->number;
    client->options = *options;
    client->options.agent = client->agent = agent;
    client->process = getpid();
    set_defaults(&client->options);
    return client;
}

static int check(const verd_http_client *client)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (scheduler != NULL && client->home == scheduler->number)
        return 0;
    errno = EPERM;
    return -1;
}

int verd_http_client_free(verd_http_client *client)
{
    if (client == NULL)
        return 0;
    if (check(client) != 0)
        return -1;
    if (client->users > 0) {
        errno = EBUSY;
        return -1;
    }
    verd__origins_close_idle(client);
    free(client->agent);
    free(client);
    return 0;
}

/* ---- the OS thread's own ---- */

/* What green threads that never ended still use stays theirs. */
static void end(struct verd__exit_hook *hook)
{
    verd_http_client *client = VERD__CONTAINER_OF(hook, verd_http_client, hook);
    verd__origins_close_idle(client);
    verd_http_client_free(client);
}

static verd_http_client *find_own(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    struct verd__exit_hook *hook = scheduler != NULL ? scheduler->exit_hooks : NULL;
    while (hook != NULL && hook->end != end)
        hook = hook->next;
    return hook != NULL ? VERD__CONTAINER_OF(hook, verd_http_client, hook) : NULL;
}

static verd_http_client *make_own(void)
{
    verd_http_client *client = verd_http_client_new(NULL);
    if (client == NULL)
        return NULL;
    client->hook.end = end;
    client->hook.next = verd__current->exit_hooks;
    verd__current->exit_hooks = &client->hook;
    return client;
}

verd_http_client *verd__client(verd_http_client *client)
{
    if (client == NULL)
        client = find_own();
    if (client == NULL)
        client = make_own();
    if (client == NULL || check(client) != 0)
        return NULL;
    pid_t process = getpid();
    if (client->process != process) {
        verd__origins_forget(client);
        client->process = process;
    }
    return client;
}

/* ---- what is left of it ---- */

int verd_http_client_close_idle(verd_http_client *client)
{
    if (client == NULL)
        client = find_own();
    if (client == NULL)
        return 0;
    if (check(client) != 0)
        return -1;
    verd__origins_close_idle(client);
    return 0;
}

size_t verd_http_client_connections(const verd_http_client *client)
{
    if (client == NULL)
        client = find_own();
    return client != NULL ? client->open : 0;
}

size_t verd_http_client_idle(const verd_http_client *client)
{
    if (client == NULL)
        client = find_own();
    return client != NULL ? client->idle : 0;
}
