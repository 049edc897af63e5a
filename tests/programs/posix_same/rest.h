/* SPDX-License-Identifier: MIT */
/* Cases of files, names and child processes. */
#include "cases.h"

static void files(struct book *book)
{
    char path[64], other[80], buffer[16] = "";
    struct stat status;
    struct iovec vector[2] = {{buffer, 3}, {buffer + 3, 3}};
    off_t offset = 2;
    int fd, pipe_fds[2];
    snprintf(path, sizeof path, "/tmp/verd-posix-file-%d", (int)getpid());
    snprintf(other, sizeof other, "%s/none", path);
    unlink(path);
    SAY(open(path, O_RDONLY));
    SAY((fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0640)) > 0);
    SAY(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    SAY(open(path, O_CREAT | O_EXCL | O_RDWR, 0640));
    SAY(stat(path, &status));
    SAY(status.st_mode);
    SAY(write(fd, "0123456789", 10));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(read(fd, buffer, 4));
    SAY(pread(fd, buffer, 4, 3));
    SAY(memcmp(buffer, "3456", 4));
    SAY(pread(fd, buffer, 4, -1));
    SAY(pread(fd, buffer, 4, 8));
    SAY(pread(fd, buffer, 4, 10));
    SAY(pwrite(fd, "ab", 2, 9));
    SAY(pwrite(fd, "ab", 2, -1));
    SAY(preadv(fd, vector, 2, 7));
    SAY(memcmp(buffer, "78ab", 4));
    SAY(memcmp(buffer + 3, "b", 1));
    SAY(pwritev(fd, vector, 2, 20));
    SAY(preadv(fd, vector, minus_one, 0));
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(read(fd, buffer, 4));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(fsync(fd));
    SAY(fdatasync(fd));
    SAY(set_flags(fd, O_NONBLOCK));
    SAY(read(fd, buffer, 4)); /* which means nothing to a file */
    SAY(pipe(pipe_fds));
    SAY(sendfile(pipe_fds[1], fd, &offset, 4));
    SAY(offset);
    SAY(sendfile(pipe_fds[1], fd, NULL, 2));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(read(pipe_fds[0], buffer, 6));
    SAY(memcmp(buffer, "23458a", 6));
    SAY(pread(pipe_fds[0], buffer, 1, 0));
    SAY(fsync(pipe_fds[0]));
    SAY(sendfile(pipe_fds[1], pipe_fds[0], NULL, 2));
    SAY(close(pipe_fds[0]));
    SAY(close(pipe_fds[1]));
    SAY(close(fd));
    SAY((fd = creat(path, 0600)) > 0);
    SAY(read(fd, buffer, 4));
    SAY(close(fd));
    SAY(stat(path, &status));
    SAY(status.st_size);
    SAY(open(other, O_RDONLY));
    SAY(stat(other, &status));
    SAY(lstat("/nowhere", &status));
    SAY(lstat("/proc/self", &status));
    SAY(S_ISLNK(status.st_mode));
    SAY(stat("/proc/self", &status));
    SAY(S_ISDIR(status.st_mode));
    SAY((fd = open("/tmp", O_RDONLY | O_DIRECTORY)) > 0);
    SAY(read(fd, buffer, 4));
    SAY(openat(fd, "nothing-of-this-name", O_RDONLY));
    SAY(close(openat(fd, path + 5, O_RDONLY | O_CLOEXEC)));
    SAY(close(fd));
    SAY(open("", O_RDONLY));
    SAY(fsync(-1));
    unlink(path);
}

static void names(struct book *book)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found;
    struct hostent entry, *host;
    char room[1024];
    int error;
    SAY(getaddrinfo("127.0.0.1", "80", &hints, &found));
    SAY(ntohs(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port));
    freeaddrinfo(found);
    SAY(getaddrinfo("no number", "80", &hints, &found) == EAI_NONAME);
    SAY(getaddrinfo(NULL, NULL, &hints, &found) == EAI_NONAME);
    hints.ai_flags = 12345 << 8;
    SAY(getaddrinfo("127.0.0.1", NULL, &hints, &found) == EAI_BADFLAGS);
    SAY((host = gethostbyname("127.0.0.1")) != NULL);
    SAY(host->h_length);
    SAY(((unsigned char *)host->h_addr_list[0])[0]);
    SAY(host->h_addr_list[1] == NULL);
    SAY(strcmp(host->h_name, "127.0.0.1"));
    SAY(gethostbyname2("::1", AF_INET6)->h_length);
    SAY(gethostbyname_r("127.0.0.2", &entry, room, sizeof room, &host, &error));
    SAY(host == &entry);
    SAY(((unsigned char *)host->h_addr_list[0])[3]);
    SAY(gethostbyname_r("127.0.0.2", &entry, room, 8, &host, &error));
    SAY(host == NULL);
    SAY(gethostbyname2_r("::1", AF_INET6, &entry, room, sizeof room, &host, &error));
    SAY(host == &entry && entry.h_addrtype == AF_INET6);
    SAY(((unsigned char *)host->h_addr_list[0])[15]);
    SAY(gethostbyname2_r("::1", AF_INET6, &entry, room, 8, &host, &error));
}

/* Of the child nothing is told but how it ends. */
static void end_in_vfork(struct book *book)
{
    int status;
    pid_t pid = vfork();
    if (pid == 0)
        _exit(9);
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(WEXITSTATUS(status));
}

/* As servers do that want no zombies. */
static void reap(int signal)
{
    int error = errno;
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    caught++;
    errno = error;
}

static void tell_child(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    caught = info->si_code == CLD_EXITED ? info->si_status : -1;
}

static void commands(struct book *book)
{
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = reap;
    sigemptyset(&action.sa_mask);
    SAY(sigaction(SIGCHLD, &action, NULL));
    caught = 0;
    SAY(system("exit 3"));
    SAY(caught);
    SAY(system("sleep 0.02; exit 3"));
    SAY(caught);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    while (caught == 2)
        usleep(1000);
    SAY(waitpid(pid, NULL, 0)); /* the handler has */
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = tell_child;
    SAY(sigaction(SIGCHLD, &action, NULL));
    SAY(system("exit 9"));
    SAY(caught);
    SAY(signal(SIGCHLD, SIG_DFL) == SIG_ERR);
    handle(SIGINT, 0);
    handle(SIGQUIT, 0);
    SAY(system("kill -INT $PPID; kill -QUIT $PPID; exit 2"));
    SAY(caught);
    SAY(system("kill -INT $$"));
    SAY(system("kill -QUIT $$") & 0x7f);
    SAY(raise(SIGINT));
    SAY(caught);
    SAY(signal(SIGINT, SIG_IGN) == catch);
    SAY(system("kill -INT $$; exit 4"));
    SAY(signal(SIGINT, SIG_DFL) == SIG_IGN);
    SAY(system("kill -INT $PPID"));
    SAY(signal(SIGQUIT, SIG_DFL) == catch);
}

static void children(struct book *book)
{
    char line[64] = "";
    FILE *stream;
    int status, release;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(WEXITSTATUS(status));
    SAY(waitpid(pid, &status, 0));
    SAY(wait(&status));
    SAY(waitpid(-1, &status, WNOHANG));
    pid = elsewhere_child(3, NULL, &release);
    SAY(waitpid(pid, &status, WNOHANG));
    later_close(30, release);
    SAY(wait(&status) == pid);
    later_done();
    SAY(WEXITSTATUS(status));
    SAY(waitpid(-1, &status, 12345));
    SAY(system("exit 5"));
    SAY(system(NULL) != 0);
    SAY(system("kill -9 $$"));
    SAY((stream = popen("echo one; sleep 0.02; echo two; exit 4", "r")) != NULL);
    SAY(fgets(line, sizeof line, stream) != NULL);
    SAY(strcmp(line, "one\n"));
    SAY(fgets(line, sizeof line, stream) != NULL);
    SAY(strcmp(line, "two\n"));
    SAY(fgets(line, sizeof line, stream) == NULL);
    SAY(pclose(stream));
    SAY((stream = popen("read x; test \"$x\" = hello", "w")) != NULL);
    SAY(fputs("hello\n", stream) >= 0);
    SAY(pclose(stream));
    SAY(popen("true", "x") == NULL);
    end_in_vfork(book);
}
