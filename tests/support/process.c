/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <dirent.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/valgrind.h"

/* That a hub and its OS threads have of their own, and some of libc's. */
#define HUB_DESCRIPTORS 16

/* The emulator answers uname for the machine it emulates, but the host's files show through. */
bool process_is_emulated(void)
{
    const char *arch = getenv("VERD_ARCH");
    FILE *file = fopen("/proc/sys/kernel/arch", "r");
    char host[32] = "";
    if (file == NULL)
        return false;
    bool known = fscanf(file, "%31s", host) == 1;
    fclose(file);
    return known && arch != NULL && strcmp(arch, host) != 0;
}

bool process_is_carried(void)
{
    const char *threads = getenv("VERD_THREADS");
    return threads != NULL && strcmp(threads, "os") == 0;
}

bool process_is_translated(void)
{
    return process_is_emulated() || verd__on_valgrind();
}

bool process_can_fork_beside_starts(void)
{
    return !UNDER_ASAN && !process_is_emulated();
}

long process_kib(const char *field)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && kib < 0 && fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(field);
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            kib = strtol(line + length + 1, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return kib;
}

size_t process_mappings(void)
{
    size_t count = 0;
    int c;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file != NULL && (c = getc(file)) != EOF)
        count += c == '\n';
    if (file != NULL)
        fclose(file);
    return count;
}

bool process_is_limited(void)
{
    struct rlimit space;
    return getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
}

size_t process_descriptors_up_to(size_t wanted)
{
    struct rlimit limit;
    size_t others = process_descriptors() + HUB_DESCRIPTORS, all = wanted + others;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < all) {
        limit.rlim_cur = limit.rlim_max < all ? limit.rlim_max : all;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= all)
        return wanted;
    return limit.rlim_cur > others ? limit.rlim_cur - others : 0;
}

size_t process_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    if (directory != NULL)
        closedir(directory);
    return count;
}

long process_waits(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

long process_waits_of_others(void)
{
    long waits = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[288], text[4096];
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *file = fopen(path, "r");
        size_t length = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
        text[length] = '\0';
        const char *at = strstr(text, "\nvoluntary_ctxt_switches:");
        waits += at != NULL ? strtol(at + 25, NULL, 10) : 0;
        if (file != NULL)
            fclose(file);
    }
    closedir(tasks);
    return waits;
}

static _Noreturn void be_child(const int ends[2], void (*fn)(void *), void *arg)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that has run out of time leaves nothing running */
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    fn(arg);
    _exit(0);
}

struct process_end process_run(void (*fn)(void *), void *arg)
{
    struct process_end end = {.status = -1};
    int ends[2];
    if (pipe(ends) != 0)
        return end;
    pid_t child = fork();
    if (child == 0)
        be_child(ends, fn, arg);
    close(ends[1]);
    size_t length = 0;
    char rest[512];
    for (;;) {
        size_t room = sizeof end.text - 1 - length;
        ssize_t n = read(ends[0], room ? end.text + length : rest, room ? room : sizeof rest);
        if (n <= 0)
            break;
        length += room ? (size_t)n : 0;
    }
    close(ends[0]);
    waitpid(child, &end.status, 0);
    return end;
}

struct process_end process_capture(void (*fn)(void *), void *arg)
{
    struct process_end end = {.status = -1};
    int before = dup(STDERR_FILENO), file = memfd_create("stderr", MFD_CLOEXEC);
    /* Who writes at the same time does so behind the others: the offset of a memfd has no lock. */
    if (before < 0 || file < 0 || fcntl(file, F_SETFL, O_APPEND) != 0 ||
        dup2(file, STDERR_FILENO) < 0)
        return end;
    fn(arg);
    dup2(before, STDERR_FILENO);
    end.status = pread(file, end.text, sizeof end.text - 1, 0) < 0;
    close(before);
    close(file);
    return end;
}

bool process_child_finds(bool (*holds)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(holds() ? 0 : 1);
    waitpid(child, &status, 0);
    return status == 0;
}

bool process_died_of(const struct process_end *end, int signal)
{
    return WIFSIGNALED(end->status) && WTERMSIG(end->status) == signal;
}

size_t process_count(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}
