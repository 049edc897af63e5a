/* SPDX-License-Identifier: MIT */

/* zlib's gzFile in green threads: files are written and read by other OS threads, and who reads a pipe lets those run
 * that write to it. */
#include "world.h"

#include <zlib.h>

#define FILES 20
#define LINES 20000
#define PIPES 20

static const char *directory;
static long lines_read, at_once, most_at_once;

static void write_lines(gzFile file, int number)
{
    for (int i = 0; i < LINES; i++)
        CHECK(gzprintf(file, "file %d, line %d\n", number, i) > 0);
    CHECK(gzclose(file) == Z_OK);
}

static void read_lines(gzFile file, int number)
{
    char expected[64], line[64];
    for (int i = 0; i < LINES; i++) {
        snprintf(expected, sizeof expected, "file %d, line %d\n", number, i);
        CHECK(gzgets(file, line, sizeof line) != NULL);
        CHECK_SAYING(strcmp(line, expected) == 0, line);
        lines_read++;
    }
    CHECK(gzgets(file, line, sizeof line) == NULL && gzeof(file));
    CHECK(gzclose(file) == Z_OK);
}

static void keep_file(void *number)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%d.gz", directory, (int)(intptr_t)number);
    if (++at_once > most_at_once)
        most_at_once = at_once;
    write_lines(gzopen(path, "wb"), (int)(intptr_t)number);
    read_lines(gzopen(path, "rb"), (int)(intptr_t)number);
    at_once--;
}

static int pipes[PIPES][2];

/* The readers come first, and find nothing. */
static void use_pipe(void *number)
{
    int which = (int)(intptr_t)number % PIPES;
    if ((intptr_t)number < PIPES)
        read_lines(gzdopen(pipes[which][0], "rb"), which);
    else
        write_lines(gzdopen(pipes[which][1], "wb"), which);
}

/* zlib DIRECTORY */
int main(int argc, char **argv)
{
    struct verd_stats stats;
    world_begin();
    CHECK(argc == 2);
    directory = argv[1];

    world_run(FILES, keep_file);
    CHECK(verd_stats(&stats) == 0 && stats.offload_jobs >= 4 * FILES && most_at_once == FILES);
    printf("zlib: %ld files at once, %ld lines, %llu calls offloaded\n", most_at_once, lines_read,
           (unsigned long long)stats.offload_jobs);
    for (int i = 0; i < PIPES; i++)
        CHECK(pipe(pipes[i]) == 0);
    lines_read = 0;
    world_run(2 * PIPES, use_pipe);
    printf("zlib: %d pipes at once, %ld lines\n", PIPES, lines_read);
    return 0;
}
