/* SPDX-License-Identifier: MIT */

/* No descriptor of the library gets into a program that is executed. */
#include <verd.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *read_one(void *arg)
{
    char byte;
    verd_read((int)(intptr_t)arg, &byte, 1);
    return NULL;
}

/* One descriptor of each kind that the library makes, and a hub in use. */
static int use_descriptors(void)
{
    int fds[2], pair[2];
    char name[32];
    snprintf(name, sizeof name, "@verd-exec-%d", (int)getpid());
    int listener = verd_listen("127.0.0.1", 0, 0);
    int local = verd_listen_unix(name, 0);
    int client = verd_connect("127.0.0.1", verd_port(listener));
    int server = verd_accept(listener, NULL, NULL);
    int local_client = verd_connect_unix(name);
    int local_server = verd_accept(local, NULL, NULL);
    verd_pipe(fds);
    verd_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    verd_spawn(read_one, (void *)(intptr_t)client);
    verd_sleep(VERD_MS);
    return listener >= 0 && local >= 0 && client >= 0 && server >= 0 && local_client >= 0 &&
           local_server >= 0;
}

/* The descriptors of an executed ls, which opens one of its own. */
static void list(char *text, size_t size)
{
    int fds[2];
    size_t length = 0;
    ssize_t n;
    if (pipe(fds) != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execlp("ls", "ls", "-C", "/proc/self/fd", (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    while ((n = read(fds[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    close(fds[0]);
    waitpid(child, NULL, 0);
}

int main(void)
{
    char before[256], after[256];
    list(before, sizeof before); /* whoever started this may have left some open */
    if (before[0] == '\0') {
        puts("there is no ls, or no /proc");
        return 77;
    }
    if (!use_descriptors()) {
        perror("descriptors");
        return 1;
    }
    list(after, sizeof after);
    printf("before: %safter: %s", before, after);
    return strcmp(before, after) == 0 ? 0 : 1;
}
