/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "patch/posix.h"

static int pair_of_sockets(void)
{
    char byte = 0;
    int fds[2], error = 0;
    must(twice(&error, verd_sleep(0))); /* there are green threads */
    must(twice(&error, verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds)));
    must(twice(&error, verd_posix_send(fds[1], "x", 1, 0)));
    must(twice(&error, verd_posix_recv(fds[0], &byte, 1, 0)) && byte == 'x');
    error = either(error, error_of(verd_posix_close(fds[0])));
    return either(error, error_of(verd_posix_close(fds[1])));
}

struct reader {
    int fd;
    int error;
    ssize_t got;
};

static void *read_one(void *arg)
{
    struct reader *reader = arg;
    char byte;
    must(twice(&reader->error, reader->got = verd_posix_read(reader->fd, &byte, 1)));
    return NULL;
}

static void *poll_one(void *arg)
{
    struct reader *reader = arg;
    struct pollfd poller = {.fd = reader->fd, .events = POLLIN};
    must(twice(&reader->error, reader->got = verd_posix_poll(&poller, 1, -1)));
    return NULL;
}

/* Those who come second have numbers of their own to wait with. */
static int several_for_the_same(void)
{
    struct reader readers[3] = {0};
    verd_thread *threads[3] = {0};
    int fds[2], error = 0;
    must(twice(&error, verd_sleep(0)));
    must(twice(&error, verd_posix_pipe(fds)));
    for (int i = 0; i < 3; i++) {
        readers[i].fd = fds[0];
        threads[i] = verd_spawn(i == 1 ? poll_one : read_one, &readers[i]);
        if (threads[i] == NULL)
            error = either(error, errno);
        verd_sleep(VERD_MS);
    }
    must(twice(&error, verd_posix_write(fds[1], "abc", 3)));
    for (int i = 0; i < 3; i++) {
        if (threads[i] == NULL)
            continue;
        must(twice(&error, verd_join(threads[i], NULL)) && readers[i].got == 1);
        error = either(error, readers[i].error);
    }
    error = either(error, error_of(verd_posix_close(fds[0])));
    return either(error, error_of(verd_posix_close(fds[1])));
}

static void nothing(int signal)
{
    (void)signal;
}

static void raise_soon(void *arg)
{
    (void)arg;
    raise(SIGUSR1);
}

/* Where there is no memory to be told of the handler, the sleep is not ended by it. */
static int sleep_until_a_handler(void)
{
    struct sigaction action = {.sa_handler = nothing};
    struct timespec span = {.tv_nsec = 20000000};
    int error = 0;
    must(verd_posix_sigaction(SIGUSR1, &action, NULL) == 0);
    must(twice(&error, verd_spawn_n(raise_soon, NULL)));
    if (verd_posix_nanosleep(&span, NULL) != 0 && errno != EINTR)
        error = either(error, errno);
    signal(SIGUSR1, SIG_DFL);
    return error;
}

static int run_commands(void)
{
    char line[16] = "";
    FILE *stream;
    int error = 0;
    must(twice(&error, verd_sleep(0)));
    must(twice(&error, verd_posix_system("true")));
    stream = verd_posix_popen("echo hello", "r");
    if (stream == NULL)
        return either(error, errno);
    if (fgets(line, sizeof line, stream) == NULL)
        error = either(error, errno);
    must(error != 0 || strcmp(line, "hello\n") == 0);
    int status = verd_posix_pclose(stream);
    return either(error, error_of(status));
}

static int look_up_names(void)
{
    struct hostent entry, *found;
    char room[512];
    int host_error = 0, error = 0;
    must(twice(&error, verd_sleep(0)));
    if (verd_posix_gethostbyname_r("127.0.0.1", &entry, room, sizeof room, &found, &host_error) !=
            0 ||
        found == NULL)
        return either(error, host_error == TRY_AGAIN ? ENOMEM : EIO);
    found = verd_posix_gethostbyname("127.0.0.2");
    return either(error, found != NULL ? 0 : h_errno == TRY_AGAIN ? ENOMEM : EIO);
}

const struct scenario posix_scenarios[] = {
    {"posix_sockets", pair_of_sockets,
     .errors = {EIO, ENOMEM, EMFILE, ENFILE, ENOBUFS, EINTR, ENOSPC}},
    {"posix_several", several_for_the_same,
     .errors = {ENOMEM, EMFILE, ENFILE, ENOSPC, EINTR, EIO, EAGAIN,
                EBADF /* taken for another file */}},
    {"posix_handler", sleep_until_a_handler, .errors = {ENOMEM, EMFILE, ENFILE}},
    {"posix_commands", run_commands,
     .errors = {ENOMEM, EMFILE, ENFILE, EAGAIN, ENOSPC, EINTR, EIO, ECHILD}},
    {"posix_names", look_up_names, .errors = {ENOMEM, EAGAIN, EIO}},
    {0},
};
