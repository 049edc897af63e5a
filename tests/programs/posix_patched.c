/* SPDX-License-Identifier: MIT */
/*
 * What the calls of POSIX do is the same in a program that has libverd-patch.a: with the patch off, without green
 * threads, and in one. The cases know nothing of the library, and what they say is compared line by line with what
 * they say in a program that has libc's calls alone (posix_same).
 */
#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <verd.h>
#include <verd/patch.h>

#include "posix_same/book.h"

static struct book plain, off, outside, inside;
static bool over;

/* Somebody else who runs meanwhile. */
static void tick(void *ticks)
{
    while (!over && verd_sleep(VERD_MS) == 0)
        ++*(size_t *)ticks;
}

/* As the program beside this one says them. */
static int read_plain(char *own_path)
{
    char line[500];
    snprintf(line, sizeof line, "%s/posix_same plain", dirname(own_path));
    FILE *same = popen(line, "r");
    if (same == NULL)
        return -1;
    while (plain.count < BOOK_LINES && fgets(line, sizeof line, same) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        plain.lines[plain.count++] = strdup(line);
    }
    return pclose(same);
}

#ifdef __GLIBC__
int __xstat(int version, const char *path, struct stat *status);
int __lxstat64(int version, const char *path, struct stat *status);

/* What was compiled with glibc before 2.33 calls these. Nobody but the patch has them in a new program. */
static bool old_names_work(void)
{
    struct verd_offload_counts before, after;
    struct stat link, target;
    verd_offload_stats(VERD_OFFLOAD_FILES, &before);
    bool work = __xstat(0, "/proc/self/exe", &target) == 0 && S_ISREG(target.st_mode) &&
                __lxstat64(1, "/proc/self/exe", &link) == 0 && S_ISLNK(link.st_mode);
    verd_offload_stats(VERD_OFFLOAD_FILES, &after);
    return work && after.total == before.total + 2 && __xstat(2, "/", &target) == -1 &&
           errno == EINVAL;
}
#else
static bool old_names_work(void)
{
    return true;
}
#endif

int main(int argc, char **argv)
{
    size_t ticks = 0;
    (void)argc;
    alarm(100);
    if (read_plain(argv[0]) != 0 || plain.count < 200) {
        printf("posix_same says %zu lines\n", plain.count);
        return 1;
    }
    verd_patch_off();
    plain_cases(&off);
    verd_patch_on();
    plain_cases(&outside);
    if (verd_active()) {
        puts("without green threads there are some now");
        return 1;
    }
    verd_spawn_n(tick, &ticks);
    plain_cases(&inside); /* main is one of them */
    bool are_old_right = old_names_work();
    over = true;
    size_t differences = book_compare(&plain, "green threads", &inside) +
                         book_compare(&plain, "no green threads", &outside) +
                         book_compare(&plain, "off", &off);
    printf("%zu outcomes, %zu different\n", plain.count, differences);
    if (!are_old_right) {
        puts("__xstat and __lxstat are not what stat and lstat are");
        return 1;
    }
    if (ticks < 100) {
        printf("only %zu ticks while they waited\n", ticks);
        return 1;
    }
    return differences != 0;
}
