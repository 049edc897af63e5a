/* SPDX-License-Identifier: MIT */

/* Ten thousand clients of one echo server: `make demo`.
 *
 *     demo [CLIENTS]             or CLIENTS=n in the environment; 10,000 unless given
 *
 * Starts echo_server, which lies beside this program, in a process of its own. Here, each client
 * is a green thread that reads as if it were alone: it connects, says something ten times, checks
 * each echo, and leaves. All of them are connected at the same time. Fails if any of them does.
 */
#include <verd.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 10000
#define MESSAGES 10 /* of each client */
#define MESSAGE_SIZE 64
#define PATIENCE (60 * VERD_SEC) /* a client that is not done by then has failed */
#define OTHER_DESCRIPTORS 32     /* of a process, besides its clients' */

/* So many connect at once: fewer than wait in a listener's backlog. */
static verd_semaphore doors = VERD_SEMAPHORE_INIT(500);
static verd_event everyone_is_in = VERD_EVENT_INIT, time_to_leave = VERD_EVENT_INIT;

static pid_t server;
static int port;

/* What the clients have done so far. One OS thread counts it, so it takes no lock. */
static struct {
    long in, done, gone; /* clients that were let in, have had their say, have left */
    long failed;         /* clients that did not get that far */
    long echoes, bytes;
    int first_error; /* errno of the first that failed */
} count;

/* ---- a client ------------------------------------------------------------------------------- */

static int say(int fd, long client, int message)
{
    char said[MESSAGE_SIZE], heard[MESSAGE_SIZE];

    memset(said, '.', sizeof said);
    snprintf(said, sizeof said, "client %ld, message %d", client, message);
    if (verd_write_full(fd, said, sizeof said, NULL) < 0)
        return -1;
    ssize_t size = verd_read_full(fd, heard, sizeof heard, NULL);
    if (size < 0)
        return -1;
    if (size != sizeof heard || memcmp(said, heard, sizeof heard) != 0) {
        errno = EBADMSG;
        return -1;
    }
    count.echoes++;
    count.bytes += size;
    return 0;
}

/* Connects; the first echo tells that the server has let this client in. */
static int enter(long client)
{
    if (verd_semaphore_acquire(&doors) != 0)
        return -1;
    int fd = verd_connect("127.0.0.1", port);
    int entered = fd < 0 ? -1 : say(fd, client, 0);
    int error = errno;
    verd_semaphore_release(&doors);
    errno = error;
    count.in += entered == 0;
    if (entered != 0 && fd >= 0)
        verd_close(fd);
    return entered == 0 ? fd : -1;
}

static int visit(long client)
{
    int fd = enter(client);
    if (fd < 0)
        return -1;
    int result = verd_event_wait(&everyone_is_in, NULL);
    for (int message = 1; message < MESSAGES && result == 0; message++)
        result = say(fd, client, message);
    count.done += result == 0;
    if (result == 0)
        result = verd_event_wait(&time_to_leave, NULL);
    int error = errno;
    verd_close(fd);
    errno = error;
    return result;
}

static void client(void *number)
{
    verd_timeout patience;

    verd_timeout_begin(&patience, PATIENCE);
    if (visit((long)(intptr_t)number) == 0)
        count.gone++;
    else if (count.failed++ == 0)
        count.first_error = errno;
    verd_timeout_end(&patience);
}

/* ---- the server ----------------------------------------------------------------------------- */

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "demo: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The path of a program that lies beside this one. */
static void find_beside(const char *name, char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length < 0)
        fail("/proc/self/exe");
    path[length] = 0;
    char *end = strrchr(path, '/') + 1;
    snprintf(end, (size_t)(path + PATH_MAX - end), "%s", name);
}

/* Starts it, and reads its port from the line that it prints. */
static void start_server(void)
{
    char path[PATH_MAX], line[128] = "";
    int output[2];

    find_beside("echo_server", path);
    if (pipe(output) != 0)
        fail("pipe");
    server = fork();
    if (server < 0)
        fail("fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive the demo */
        dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        execl(path, path, "0", (char *)NULL);
        fail(path);
    }
    close(output[1]);
    if (read(output[0], line, sizeof line - 1) <= 0 ||
        sscanf(line, "echo_server: listening on port %d", &port) != 1)
        exit(1); /* the server has said why */
    close(output[0]);
}

static void stop_server(void)
{
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
}

/* Resident memory of the server, in KiB. */
static long server_memory(void)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        fail(path);
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    fclose(status);
    return kib;
}

/* ---- what one sees -------------------------------------------------------------------------- */

#define BAR "########################################"
#define BAR_EMPTY "........................................"
#define BAR_SIZE ((long)sizeof BAR - 1)

/* 1234567 as "1,234,567". */
static const char *grouped(long number, char text[32])
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%ld", number), at = 0;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

static void draw(const char *stage, long shown, long all, verd_duration since)
{
    char shown_text[32], all_text[32];
    int full = (int)(shown * BAR_SIZE / all);

    printf("  %-11s %.*s%.*s %8s of %-8s %6.2f s", stage, full, BAR, (int)BAR_SIZE - full,
           BAR_EMPTY, grouped(shown, shown_text), grouped(all, all_text),
           (double)(verd_now() - since) / (double)VERD_SEC);
    fflush(stdout);
}

/* Shows how far a stage is, until each client has finished it or failed. */
static void watch(const char *stage, const long *shown, long all, const long *finished,
                  long clients)
{
    verd_duration since = verd_now();

    while (*finished + count.failed < clients) {
        if (isatty(STDOUT_FILENO)) {
            draw(stage, *shown, all, since);
            printf("\r");
        }
        verd_sleep(50 * VERD_MS);
    }
    draw(stage, *shown, all, since);
    printf("\n");
}

static void print_summary(long clients, verd_duration since, long memory)
{
    char text[32];
    double seconds = (double)(verd_now() - since) / (double)VERD_SEC;

    printf("\n  clients        %s at the same time\n", grouped(count.in, text));
    printf("  messages       %s there and back\n", grouped(count.echoes, text));
    printf("  bytes          %s each way\n", grouped(count.bytes, text));
    printf("  errors         %ld%s%s\n", count.failed, count.failed > 0 ? ", the first: " : "",
           count.failed > 0 ? strerror(count.first_error) : "");
    printf("  wall time      %.2f s\n", seconds);
    printf("  server memory  %.1f MiB resident, %.1f KiB per client\n", (double)memory / 1024,
           (double)memory / (double)clients);
}

/* As many clients as asked for, or as there can be descriptors. */
static long how_many(const char *asked)
{
    struct rlimit limit;
    long clients = asked ? atol(asked) : CLIENTS;

    if (clients < 1) {
        errno = EINVAL;
        fail("the number of clients");
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max; /* the server inherits it */
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("setrlimit");
    if (limit.rlim_max >= (rlim_t)clients + OTHER_DESCRIPTORS)
        return clients;
    long possible = (long)limit.rlim_max - OTHER_DESCRIPTORS;
    printf("  %ld clients instead of %ld: the hard limit of descriptors is %ld\n\n", possible,
           clients, (long)limit.rlim_max);
    return possible;
}

int main(int argc, char **argv)
{
    char text[32];

    printf("One echo server and its clients, all of them green threads.\n\n");
    long clients = how_many(argc > 1 ? argv[1] : getenv("CLIENTS"));
    start_server();
    printf("  server      process %d on port %d, one OS thread\n", (int)server, port);
    printf("  clients     %s in process %d, one OS thread\n\n", grouped(clients, text), getpid());

    verd_duration since = verd_now();
    for (long i = 0; i < clients; i++)
        if (verd_spawn_n(client, (void *)(intptr_t)i) != 0)
            fail("verd_spawn_n");
    watch("connecting", &count.in, clients, &count.in, clients);
    verd_event_set(&everyone_is_in, NULL);
    watch("talking", &count.echoes, clients * MESSAGES, &count.done, clients);
    long memory = server_memory();
    verd_event_set(&time_to_leave, NULL);
    watch("leaving", &count.gone, clients, &count.gone, clients);

    print_summary(clients, since, memory);
    stop_server();
    return count.failed > 0;
}
