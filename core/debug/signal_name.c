/* SPDX-License-Identifier: MIT */
#include "debug/signal_name.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},   {"IOT", SIGABRT},  {"BUS", SIGBUS},
    {"FPE", SIGFPE},   {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", 16},    {"CHLD", SIGCHLD},   {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"URG", SIGURG},   {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF}, {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"POLL", SIGIO},
    {"PWR", SIGPWR},   {"SYS", SIGSYS},
};

/* Digits and nothing else; -1: something else, or more than there are signals. */
static int number_of(const char *text)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return -1;
    unsigned long number = strtoul(text, &end, 10);
    return *end == '\0' && number <= (unsigned long)SIGRTMAX ? (int)number : -1;
}

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n" */
static int real_time(const char *name)
{
    int base = strncmp(name, "RTMIN", 5) == 0 ? SIGRTMIN : SIGRTMAX;
    if (strncmp(name, "RTMIN", 5) != 0 && strncmp(name, "RTMAX", 5) != 0)
        return 0;
    if (name[5] == '\0')
        return base;
    int offset = name[5] == '+' || name[5] == '-' ? number_of(name + 6) : -1;
    int number = name[5] == '+' ? base + offset : base - offset;
    return offset >= 0 && number >= SIGRTMIN && number <= SIGRTMAX ? number : 0;
}

int verd__signal_by_name(const char *name)
{
    int number = number_of(name);
    if (number >= 0)
        return number;
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (strcmp(name, signals[i].name) == 0)
            return signals[i].number;
    }
    return real_time(name);
}
