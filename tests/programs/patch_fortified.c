/* SPDX-License-Identifier: MIT */
/*
 * The names that programs compiled with _FORTIFY_SOURCE call are the patch's: each does what it is for without holding the
 * OS thread, and ends the process where there is more to do than room.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>
#include <verd/patch.h>

#ifdef __GLIBC__

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                       struct sockaddr *address, socklen_t *length);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);

#define ROOM 4

static int ends[2], file;
static char buffer[ROOM];

/* Each is asked for as much as there is room for, or for one more, and returns what is greater than 0 if it went well. */
static int do_read(size_t more)
{
    return (int)__read_chk(ends[0], buffer, ROOM + more, ROOM);
}

static int do_pread(size_t more)
{
    return (int)__pread_chk(file, buffer, ROOM + more, 0, ROOM);
}

static int do_pread64(size_t more)
{
    return (int)__pread64_chk(file, buffer, ROOM + more, 0, ROOM);
}

static int do_recv(size_t more)
{
    return (int)__recv_chk(ends[0], buffer, ROOM + more, ROOM, 0);
}

static int do_recvfrom(size_t more)
{
    return (int)__recvfrom_chk(ends[0], buffer, ROOM + more, ROOM, 0, NULL, NULL);
}

static int do_poll(size_t more)
{
    struct pollfd entry = {.fd = ends[0], .events = POLLIN};
    return __poll_chk(&entry, 1 + more, -1, sizeof entry);
}

static int do_ppoll(size_t more)
{
    struct pollfd entry = {.fd = ends[0], .events = POLLIN};
    return __ppoll_chk(&entry, 1 + more, NULL, NULL, sizeof entry);
}

static int do_open(size_t more)
{
    return __open_2("/dev/null", more == 0 ? O_RDONLY : O_CREAT);
}

static int do_open64(size_t more)
{
    return __open64_2("/dev/null", more == 0 ? O_RDONLY : O_CREAT);
}

static int do_openat(size_t more)
{
    return __openat_2(AT_FDCWD, "/dev/null", more == 0 ? O_RDONLY : O_CREAT);
}

static int do_openat64(size_t more)
{
    return __openat64_2(AT_FDCWD, "/dev/null", more == 0 ? O_RDONLY : O_CREAT);
}

static const struct row {
    const char *name;
    int (*call)(size_t more);
    bool waits; /* for the byte that only another green thread writes */
} rows[] = {
    {"read", do_read, true},      {"pread", do_pread, false},       {"pread64", do_pread64, false},
    {"recv", do_recv, true},      {"recvfrom", do_recvfrom, true},  {"poll", do_poll, true},
    {"ppoll", do_ppoll, true},    {"open", do_open, false},         {"open64", do_open64, false},
    {"openat", do_openat, false}, {"openat64", do_openat64, false},
};

#define ROWS (sizeof rows / sizeof rows[0])

static void write_byte(void *arg)
{
    (void)arg;
    if (write(ends[1], "x", 1) != 1)
        _exit(1);
}

/* 0, or how the child ended. */
static int call_in_child(const struct row *row, size_t more)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (more > 0) /* what glibc says of it */
            dup2(file, STDERR_FILENO);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || verd_spawn_n(write_byte, NULL) != 0)
            _exit(1);
        int result = row->call(more);
        bool is_right = row->waits ? result == 1 : result > 0;
        _exit(is_right ? 0 : 2);
    }
    waitpid(child, &status, 0);
    return status;
}

int main(void)
{
    int wrong = 0;
    alarm(60);
    file = open("/dev/zero", O_RDWR);
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        int fits = call_in_child(row, 0), overflows = call_in_child(row, 1);
        if (fits == 0 && WIFSIGNALED(overflows) && WTERMSIG(overflows) == SIGABRT)
            continue;
        printf("%s: status %x where it fits, %x where it does not\n", row->name, fits, overflows);
        wrong++;
    }
    printf("%zu names, %d wrong\n", ROWS, wrong);
    return wrong != 0;
}

#else

int main(void)
{
    puts("musl has no such names");
    return 0;
}

#endif
