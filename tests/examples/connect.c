/* SPDX-License-Identifier: MIT */

/* Connects to many servers at the same time, asks each for its front page, and prints the first line
 * of what they answer, in the order in which they were named: a pile's results come beside its
 * inputs, however long each took.
 *
 *     connect HOST[:PORT]...         port 80 unless given
 *
 * For example:
 *
 *     connect www.debian.org www.kernel.org localhost:22 192.0.2.1
 */
#include <verd.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONCURRENCY 100
#define PATIENCE (5 * VERD_SEC) /* with each server */
#define HOST 256
#define LINE 72

/* Connects, asks, and reads until `line` is full or the answer is over. 0, or -1 and errno */
static int ask(const char *host, int port, char *line, size_t size)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    size_t length = 0;
    int fd = verd_connect(host, port);
    if (fd < 0)
        return -1;
    ssize_t result = verd_write_full(fd, request, sizeof request - 1, NULL);
    while (result > 0 && length < size - 1 && memchr(line, '\n', length) == NULL) {
        result = verd_read(fd, line + length, size - 1 - length);
        length += result > 0 ? (size_t)result : 0;
    }
    line[length] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    int error = errno;
    verd_close(fd);
    errno = error;
    return result < 0 && length == 0 ? -1 : 0;
}

/* What one thread of the pile does: the result is the line to print, allocated, or why there is none. */
static void *first_line(void *arg)
{
    char line[LINE] = "", host[HOST] = "";
    strncpy(host, arg, sizeof host - 1);
    char *colon = strchr(host, ':');
    if (colon != NULL && strchr(colon + 1, ':') != NULL)
        colon = NULL; /* the address of IPv6 */
    if (colon != NULL)
        *colon = '\0';

    VERD_WITHIN(patience, PATIENCE);
    if (ask(host, colon != NULL ? atoi(colon + 1) : 80, line, sizeof line) != 0)
        return verd_fail(errno);
    return strdup(line);
}

int main(int argc, char **argv)
{
    verd_pile *pile = verd_pile_sized(CONCURRENCY);
    void *line;

    for (int i = 1; i < argc; i++) {
        if (verd_pile_spawn(pile, first_line, argv[i]) != 0) {
            perror("connect");
            return EXIT_FAILURE;
        }
    }
    for (int i = 1; i < argc; i++) {
        if (verd_pile_next(pile, &line) != 1) {
            printf("%-24s (%s)\n", argv[i], strerror(errno));
            continue;
        }
        printf("%-24s %s\n", argv[i], (char *)line);
        free(line);
    }
    verd_pile_free(pile);
    return EXIT_SUCCESS;
}
