/* SPDX-License-Identifier: MIT */
/* Cases of locks of files. */
#include "cases.h"

#include <sys/file.h>

static int end_of(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Of a process: it is not in its own way. */
static void locks_of_processes(struct book *book, const char *path)
{
    struct flock whole = {.l_type = F_WRLCK};
    int fd = open(path, O_RDWR);
    int release;
    pid_t pid = elsewhere_child(0, path, &release);
    SAY(lockf(fd, F_TLOCK, 0) == -1 && (errno == EAGAIN || errno == EACCES));
    SAY(lockf(fd, F_TEST, 0));
    SAY(fcntl(fd, F_SETLK, &whole) == -1 && (errno == EAGAIN || errno == EACCES));
    SAY(fcntl(fd, F_GETLK, &whole));
    SAY(whole.l_pid == pid);
    later_close(50, release);
    SAY(lockf(fd, F_LOCK, 0));
    SAY(end_of(pid));
    later_done();
    SAY(lockf(fd, F_TEST, 0));
    SAY(lockf(fd, F_ULOCK, 0));
    SAY(lockf(fd, 12345, 0));
    SAY(lockf(-1, F_LOCK, 0));
    pid = elsewhere_child(0, path, &release);
    later_close(50, release);
    whole = (struct flock){.l_type = F_WRLCK};
    SAY(fcntl(fd, F_SETLKW, &whole));
    SAY(end_of(pid));
    later_done();
    whole.l_type = F_UNLCK;
    SAY(fcntl(fd, F_SETLKW, &whole));
    SAY(fcntl(-1, F_SETLKW, &whole));
    pid = elsewhere_child(0, path, &release);
    handle(SIGUSR1, 0);
    later_signal(20, SIGUSR1);
    whole.l_type = F_RDLCK;
    SAY(fcntl(fd, F_SETLKW, &whole));
    SAY(caught);
    later_done();
    plain_close(release);
    SAY(end_of(pid));
    signal(SIGUSR1, SIG_DFL);
    SAY(close(fd));
}

/* Of an open file: two of the same process are in each other's way. */
static void locks_of_files(struct book *book, const char *path)
{
    struct flock whole = {.l_type = F_WRLCK};
    int first = open(path, O_RDWR), second = open(path, O_RDWR);
    SAY(flock(first, LOCK_EX));
    SAY(flock(second, LOCK_EX | LOCK_NB));
    SAY(flock(second, LOCK_SH | LOCK_NB));
    SAY(flock(second, LOCK_UN));
    handle(SIGUSR1, 0);
    later_signal(20, SIGUSR1);
    SAY(flock(second, LOCK_EX));
    SAY(caught);
    later_done();
    later_close(20, first);
    SAY(flock(second, LOCK_EX));
    later_done();
    SAY(flock(second, LOCK_UN));
    SAY(flock(second, 12345));
    SAY(flock(-1, LOCK_EX));
    first = open(path, O_RDWR);
    SAY(fcntl(first, F_OFD_SETLK, &whole));
    SAY(fcntl(second, F_OFD_SETLK, &whole) == -1 && (errno == EAGAIN || errno == EACCES));
    later_close(20, first);
    SAY(fcntl(second, F_OFD_SETLKW, &whole));
    later_done();
    signal(SIGUSR1, SIG_DFL);
    SAY(close(second));
}

static void locks(struct book *book)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/verd-posix-lock-%d", (int)getpid());
    SAY(close(open(path, O_CREAT | O_RDWR, 0600)));
    locks_of_processes(book, path);
    locks_of_files(book, path);
    unlink(path);
}
