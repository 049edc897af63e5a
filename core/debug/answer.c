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
    bool is_for_hub;
} commands[] = {
    {"threads", "            each green thread of the process, and what it waits for",
     verd__inspect_threads, false},
    {"bt", "                 where they are, with their calls; bt N: one of this hub's",
     verd__inspect_backtrace, false},
    {"stats", "              figures: see <verd/stats.h>", verd__inspect_figures, true},
    {"watch", " on|off       figures of each switch, too", watch, true},
    {"pools", "              this hub's pools", verd__inspect_pools, true},
    {"fds", "                its descriptors, and who waits for them", verd__inspect_descriptors,
     true},
    {"timers", "             its timers", verd__inspect_timers, true},
    {"trace", " on|on PATH|off  a trace: see <verd/trace.h>", trace, true},
    {"kill", " N             ends what one of its threads waits for with ECANCELED", kill_one,
     true},
    {"help", "               this", help, false},
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

/* The command of a line, and what stands behind it; NULL: none has its name. */
static const struct command *find(const char *line, const char **argument)
{
    line += strspn(line, " \t");
    size_t length = strcspn(line, " \t");
    *argument = line + length + strspn(line + length, " \t");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].name) == length && memcmp(commands[i].name, line, length) == 0)
            return &commands[i];
    }
    return NULL;
}

bool verd__backdoor_is_for_hub(const char *line)
{
    const char *argument;
    const struct command *command = find(line, &argument);
    return command != NULL && command->is_for_hub;
}

void verd__backdoor_answer(const struct verd__backdoor *backdoor, const char *line, int file)
{
    struct verd__question question = {
        .scheduler = backdoor->scheduler,
        .path = backdoor->path,
        .output = {.fd = file, .prefix = ""},
    };
    const struct command *command = find(line, &question.argument);
    if (command != NULL)
        command->answer(&question);
    else if (line[strspn(line, " \t")] != '\0')
        verd__answer(&question, "help tells what may be asked");
    verd__answer(&question, "");
}
