/* SPDX-License-Identifier: MIT */
/* All that is done here is done by libc's calls. */
#include "book.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void book_note(struct book *book, const char *call, long result, int error)
{
    char line[400];
    if (book->count == BOOK_LINES)
        abort();
    if (result < 0)
        snprintf(line, sizeof line, "%s = %ld (%s)", call, result, strerror(error));
    else
        snprintf(line, sizeof line, "%s = %ld", call, result);
    book->lines[book->count++] = strdup(line);
}

size_t book_compare(const struct book *plain, const char *where, const struct book *book)
{
    size_t differences = book->count != plain->count;
    for (size_t i = 0; i < plain->count && i < book->count; i++) {
        if (strcmp(plain->lines[i], book->lines[i]) == 0)
            continue;
        printf("libc: %s\n%s: %s\n", plain->lines[i], where, book->lines[i]);
        differences++;
    }
    return differences;
}

int is_emulated(void)
{
    const char *emulator = getenv("QEMU_LD_PREFIX");
    return emulator != NULL && *emulator != '\0';
}

int limits_are_told(void)
{
    struct timeval limit = {5, 0}, told = {0, 0};
    socklen_t length = sizeof told;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &told, &length) != 0)
        abort();
    close(fd);
    return told.tv_sec == 5;
}

/* ---- the others ---- */

struct deed {
    unsigned order;
    unsigned ms;
    int fd;
    int number;
    char text[64];
    void (*act)(struct deed *deed);
};

static pthread_t others[64];
static size_t other_count;

/* Deeds are done one after the other: `ms` of one that begins before the last is done, is the time between them. */
static atomic_uint done;
static unsigned started, last_ms;

static void *play(void *arg)
{
    struct deed *deed = arg;
    unsigned pace = is_emulated() ? 5 : 1; /* what is waited for, too */
    while (atomic_load(&done) != deed->order)
        usleep(1000);
    usleep(deed->ms * pace * 1000);
    deed->act(deed);
    atomic_fetch_add(&done, 1);
    free(deed);
    return NULL;
}

/* Signals are for the OS thread of the cases. */
static void start(struct deed deed)
{
    struct deed *own = malloc(sizeof *own);
    sigset_t all, before;
    *own = deed;
    own->order = started++;
    if (atomic_load(&done) != own->order && deed.ms > last_ms)
        own->ms -= last_ms;
    last_ms = deed.ms;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (pthread_create(&others[other_count++], NULL, play, own) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void later_done(void)
{
    while (other_count > 0)
        pthread_join(others[--other_count], NULL);
}

static void act_write(struct deed *deed)
{
    (void)!write(deed->fd, deed->text, strlen(deed->text));
}

void later_write(unsigned ms, int fd, const char *text)
{
    struct deed deed = {.ms = ms, .fd = fd, .act = act_write};
    snprintf(deed.text, sizeof deed.text, "%s", text);
    start(deed);
}

static void act_read(struct deed *deed)
{
    char buffer[4096];
    ssize_t n;
    for (size_t rest = (size_t)deed->number; rest > 0; rest -= (size_t)n) {
        n = read(deed->fd, buffer, rest < sizeof buffer ? rest : sizeof buffer);
        if (n <= 0)
            break;
    }
}

void later_read(unsigned ms, int fd, size_t size)
{
    start((struct deed){.ms = ms, .fd = fd, .number = (int)size, .act = act_read});
}

static void act_close(struct deed *deed)
{
    close(deed->fd);
}

void later_close(unsigned ms, int fd)
{
    start((struct deed){.ms = ms, .fd = fd, .act = act_close});
}

/* Whether the OS thread of the cases does, as the kernel tells. */
static int sleeps(void)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    int fd = open(path, O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        abort();
    close(fd);
    const char *state = strrchr(text, ')');
    return state != NULL && strncmp(state, ") S", 3) == 0;
}

/* One that came before the call that it is to interrupt would leave that to wait for ever. */
static void act_signal(struct deed *deed)
{
    for (int i = 0; i < 2000 && !sleeps(); i++)
        usleep(1000);
    kill(getpid(), deed->number);
}

void later_signal(unsigned ms, int signal)
{
    start((struct deed){.ms = ms, .number = signal, .act = act_signal});
}

static void act_connect(struct deed *deed)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(deed->number)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        (void)!write(fd, "hello", 5);
    close(fd);
}

void later_connect(unsigned ms, int port)
{
    start((struct deed){.ms = ms, .number = port, .act = act_connect});
}

static void *make_pair(void *arg)
{
    int *made = arg;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, made) != 0)
        abort();
    return NULL;
}

static void *make_listener(void *arg)
{
    int *made = arg; /* the listener, and its port */
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    made[0] = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(made[0], (struct sockaddr *)&address, length) != 0 || listen(made[0], 16) != 0 ||
        getsockname(made[0], (struct sockaddr *)&address, &length) != 0)
        abort();
    made[1] = ntohs(address.sin_port);
    return NULL;
}

static int make_elsewhere(void *(*make)(void *), int made[2])
{
    pthread_t thread;
    return pthread_create(&thread, NULL, make, made) == 0 ? -pthread_join(thread, NULL) : -1;
}

int elsewhere_pair(int fds[2])
{
    return make_elsewhere(make_pair, fds);
}

int elsewhere_listener(int *port)
{
    int made[2];
    if (make_elsewhere(make_listener, made) != 0)
        return -1;
    *port = made[1];
    return made[0];
}

/* The child's end of the connection: tells that it has begun, and waits for its end. */
static void tell_and_wait(int fd)
{
    char byte = 0;
    (void)!write(fd, &byte, 1);
    (void)!read(fd, &byte, 1);
}

/* The child does nothing that another OS thread would do: an emulator has none for it. */
pid_t elsewhere_child(int status, const char *path, int *release)
{
    char byte;
    int fds[2], fd = path != NULL ? open(path, O_RDWR) : -1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        struct flock whole = {.l_type = F_WRLCK};
        close(fds[0]);
        if (path != NULL && fcntl(fd, F_SETLK, &whole) != 0)
            abort();
        tell_and_wait(fds[1]);
        _exit(status);
    }
    close(fds[1]);
    if (fd >= 0)
        close(fd);
    if (pid < 0 || read(fds[0], &byte, 1) != 1)
        abort();
    *release = fds[0];
    return pid;
}

long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int flags_of(int fd)
{
    return fcntl(fd, F_GETFL);
}

int plain_close(int fd)
{
    return close(fd);
}
