/* SPDX-License-Identifier: MIT */

/* What read costs of a socket that is ready, in a program with libverd-patch.a: prints nanoseconds for each of as
 * many reads as it is asked for. A process of its own, for the hooks are in all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <verd/patch.h>
#include <verd/thread.h>

/* Bytes that the socket has to be read one by one. */
#define FILL 20000

static double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    static const char data[FILL];
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0, done = 0;
    double spent = 0;
    char byte;
    int fds[2];
    if (verd_patch_check(NULL, 0) != 0 || verd_self() == NULL ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 1;
    for (; done < count; done += FILL) {
        if (send(fds[1], data, sizeof data, 0) != FILL)
            return 1;
        double start = processor_time();
        for (int i = 0; i < FILL; i++)
            if (read(fds[0], &byte, 1) != 1)
                return 1;
        spent += processor_time() - start;
    }
    printf("%.2f\n", spent / (double)done);
    return 0;
}
