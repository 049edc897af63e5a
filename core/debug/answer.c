/* SPDX-License-Identifier: MIT */
/* The backdoor's commands. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <verd/stats.h>
#include <verd/trace.h>

#include "debug/backdoor.h"
#include "debug/path.h"
#include "sched/thread.h"

static void done(const struct verd__question *question, int result)
{
    verd__answer(question, result == 0 ? "done" : strerror(errno));
}

/* "on", or "on" and a path: without one it lies beside the backdoor, where nobody else can have put a file. */
static void trace(const struct verd__question *question)
{
    char path[VERD__PATH_MAX];
    const char *argument = question->argument;
    if (strcmp(argument, "off") == 0) {
        done(question, verd_trace_stop());
        return;
    }
    if (strncmp(argument, "on", 2) != 0 || (argument[2] != '\0' && argument[2] != ' ')) {
        verd__answer(question, "trace on, trace on PATH, or trace off");
        return;
    }
    argument += 2 + (argument[2] == ' ');
    if (argument[0] == '\0')
        snprintf(path, sizeof path, "%s.json", question->path);
    else
        snprintf(path, sizeof path, "%s", argument);
    if (verd_trace_start(path) != 0) {
        done(question, -1);
        return;
    }
    struct verd__line line = {0};
    verd__line_text(&line, "to ");
    verd__line_text(&line, path);
    verd__line_write_to(&line, &question->output);
}

static void watch(const struct verd__question *question)
{
    bool on = strcmp(question->argument, "on") == 0;
    if (on || strcmp(question->argument, "off") == 0)
        done(question, verd_stats_watch(on));
    else
        verd__answer(question, "watch on, or watch off");
}

static void kill_one(const struct verd__question *question)
{
    struct verd__thread *thread = verd__inspect_find(question);
    if (thread == NULL)
        return;
    verd__thread_kill(question->scheduler, thread);
    done(question, 0);
}

static void help(const struct verd__question *question);

static const struct command {
    const char *name;
    const char *help;
    void (*answer)(const struct verd__question *question);
} commands[] = {
    {"threads", "            each green thread of the process, and what it waits for",
     verd__inspect_threads},
    {"bt", "                 where this hub's threads are, with their calls; bt N: one of them",
     verd__inspect_backtrace},
    {"stats", "              figures: see <verd/stats.h>", verd__inspect_figures},
    {"watch", " on|off       figures of each switch, too", watch},
    {"pools", "              this hub's pools", verd__inspect_pools},
    {"fds", "                its descriptors, and who waits for them", verd__inspect_descriptors},
    {"timers", "             its timers", verd__inspect_timers},
    {"trace", " on|on PATH|off  a trace: see <verd/trace.h>", trace},
    {"kill", " N             ends what one of its threads waits for with ECANCELED", kill_one},
    {"help", "               this", help},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(const struct verd__question *question)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        struct verd__line line = {0};
        verd__line_text(&line, commands[i].name);
        verd__line_text(&line, commands[i].help);
        verd__line_write_to(&line, &question->output);
    }
}

static const struct command *find(const char *line, size_t length)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].name) == length && memcmp(commands[i].name, line, length) == 0)
            return &commands[i];
    }
    return NULL;
}

void verd__backdoor_answer(struct verd__question *question, const char *line)
{
    line += strspn(line, " \t");
    size_t length = strcspn(line, " \t");
    const struct command *command = find(line, length);
    question->argument = line + length + strspn(line + length, " \t");
    if (command != NULL)
        command->answer(question);
    else if (length > 0)
        verd__answer(question, "help tells what may be asked");
    verd__answer(question, "");
}
