/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT "some bytes"
#define SIZE ((ssize_t)sizeof TEXT)

/* Closes them all. */
static int end(int error, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        error = either(error, error_of(verd_close(fds[i])));
    return error;
}

/* What is written to one end comes out of the other, whole and once. */
static int pass(int from, int to)
{
    char text[sizeof TEXT] = "";
    int error = 0;
    must(twice(&error, verd_write(from, TEXT, sizeof TEXT)));
    must(twice(&error, verd_read(to, text, sizeof text)));
    must(memcmp(text, TEXT, sizeof text) == 0);
    return error;
}

static int pass_vector(int from, int to)
{
    char text[sizeof TEXT] = TEXT;
    struct iovec parts[] = {{text, 3}, {text + 3, sizeof text - 3}};
    int error = 0;
    must(twice(&error, verd_writev(from, parts, 2)));
    memset(text, 0, sizeof text);
    must(twice(&error, verd_readv(to, parts, 2)));
    must(memcmp(text, TEXT, sizeof text) == 0);
    return error;
}

static int pass_message(int from, int to)
{
    char text[sizeof TEXT] = TEXT;
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int error = 0;
    must(twice(&error, verd_send(from, TEXT, sizeof TEXT, 0)));
    must(twice(&error, verd_recv(to, text, sizeof text, MSG_WAITALL)));
    must(twice(&error, verd_sendto(from, TEXT, sizeof TEXT, 0, NULL, 0)));
    must(twice(&error, verd_recvfrom(to, text, sizeof text, 0, NULL, NULL)));
    must(twice(&error, verd_sendmsg(from, &message, 0)));
    must(twice(&error, verd_recvmsg(to, &message, 0)));
    must(memcmp(text, TEXT, sizeof text) == 0);
    return error;
}

static int pass_all_ways(int from, int to)
{
    return either(either(pass(from, to), pass_vector(from, to)), pass_message(from, to));
}

struct writer {
    int fd;
    int error;
};

static void *write_later(void *arg)
{
    struct writer *writer = arg;
    must(twice(&writer->error, verd_write(writer->fd, TEXT, sizeof TEXT)));
    return NULL;
}

/* A reader that has to wait. */
static int pass_later(int from, int to)
{
    struct writer writer = {.fd = from};
    char text[sizeof TEXT];
    int error = 0;
    verd_thread *thread = verd_spawn(write_later, &writer);
    if (thread == NULL)
        return errno;
    must(twice(&error, verd_read_full(to, text, sizeof text, NULL)));
    must(verd_join(thread, NULL) == 0);
    return either(error, writer.error);
}

/* A connection by way of a listener, over which is talked in both directions. */
static int talk(int listener, int client)
{
    int server = -1, error = 0;
    must(twice(&error, server = verd_accept(listener, NULL, NULL)));
    error = either(error, pass_all_ways(client, server));
    error = either(error, pass_later(server, client));
    must(twice(&error, verd_shutdown(client, SHUT_WR)));
    return end(error, (int[]){client, server, listener}, 3);
}

static int tcp(const char *host)
{
    int listener = -1, client = -1, port = -1, error = 0;
    must(twice(&error, listener = verd_listen(host, 0, VERD_REUSEPORT)));
    must(twice(&error, port = verd_port(listener)));
    client = verd_connect(host, port);
    if (client < 0) /* the listener may have half a connection by now */
        return end(either(error, errno), &listener, 1);
    return either(error, talk(listener, client));
}

static int tcp_by_number(void)
{
    return tcp("127.0.0.1");
}

static int tcp_by_name(void)
{
    return tcp("localhost");
}

static int tcp_everywhere(void)
{
    int listener = -1, client = -1, port = -1, error = 0;
    must(twice(&error, listener = verd_listen(NULL, 0, 0)));
    must(twice(&error, port = verd_port(listener)));
    client = verd_connect("127.0.0.1", port);
    if (client < 0)
        return end(either(error, errno), &listener, 1);
    return either(error, talk(listener, client));
}

static void *connect_later(void *arg)
{
    struct writer *writer = arg;
    int fd = -1;
    must(twice(&writer->error, fd = verd_connect("127.0.0.1", writer->fd)));
    writer->fd = fd;
    return NULL;
}

/* An accept that has to wait. */
static int accept_later(void)
{
    struct writer client = {.fd = -1};
    int listener = -1, server = -1, error = 0;
    must(twice(&error, listener = verd_listen("127.0.0.1", 0, 0)));
    must(twice(&error, client.fd = verd_port(listener)));
    verd_thread *thread = verd_spawn(connect_later, &client);
    if (thread == NULL)
        return end(errno, &listener, 1);
    must(twice(&error, server = verd_accept(listener, NULL, NULL)));
    must(verd_join(thread, NULL) == 0);
    return either(client.error, end(error, (int[]){listener, server, client.fd}, 3));
}

/* The first number of those that share memory for what the hub knows of them. */
#define FAR 512

/* A connection gets a number for which there is no such memory yet. It is not lost when there is none to be
 * had. */
static int accept_far_by(int (*accept_on)(int listener))
{
    int listener = -1, client = -1, server = -1, port = -1, error = 0, near[FAR], count = 0;
    must(twice(&error, listener = verd_listen("127.0.0.1", 0, 0)));
    must(twice(&error, port = verd_port(listener)));
    client = verd_connect("127.0.0.1", port);
    if (client < 0)
        return end(either(error, errno), &listener, 1);
    while ((near[count] = real_fcntl(listener, F_DUPFD_CLOEXEC, 0)) < FAR - 1)
        count++;
    server = accept_on(listener);
    if (server < 0)
        error = errno;
    for (; count >= 0; count--)
        real_close(near[count]);
    if (server < 0)
        return end(error, (int[]){listener, client}, 2);
    must(server >= FAR);
    error = either(error, pass(client, server));
    return end(error, (int[]){listener, client, server}, 3);
}

static int accept_patiently(int listener)
{
    int server = verd_accept(listener, NULL, NULL);
    must(server >= 0);
    return server;
}

static int accept_far(void)
{
    return accept_far_by(accept_patiently);
}

static void *accept_once(void *arg)
{
    struct writer *client = arg;
    client->fd = verd_accept(client->fd, NULL, NULL);
    client->error = errno;
    return arg;
}

/* It is killed, if it has to wait for memory: then nobody has the connection. */
static int accept_once_and_be_killed(int listener)
{
    struct writer client = {.fd = listener};
    void *ran = NULL;
    verd_thread *thread = verd_spawn(accept_once, &client);
    if (thread == NULL)
        return -1;
    verd_yield();
    verd_kill(thread);
    verd_join(thread, &ran);
    errno = ran != NULL ? client.error : ECANCELED;
    return ran != NULL ? client.fd : -1;
}

static int accept_far_killed(void)
{
    return accept_far_by(accept_once_and_be_killed);
}

/* With sockets that libverd has not made: blocking, and not of its hub. */
static int tcp_foreign(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int error = 0;
    int listener = real_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(real_bind(listener, &address, length) == 0 && real_listen(listener, 1) == 0);
    int port = verd_port(listener);
    must(port > 0 || twice(&error, port = verd_port(listener)));
    address.sin_port = htons((uint16_t)port);
    int client = real_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(twice(&error, verd_connect_to(client, (struct sockaddr *)&address, length)));
    return either(error, talk(listener, client));
}

static int local(const char *path)
{
    int listener = -1, client = -1, error = 0;
    must(twice(&error, listener = verd_listen_unix(path, 0)));
    must(twice(&error, client = verd_connect_unix(path)));
    return either(error, talk(listener, client));
}

static int local_abstract(void)
{
    char name[64];
    snprintf(name, sizeof name, "@libverd-fault-%d", (int)getpid());
    return local(name);
}

/* With the socket of someone who is gone in its place. */
static int local_stale(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/libverd-fault-%d", (int)getpid());
    int stale = real_socket(AF_UNIX, SOCK_STREAM, 0);
    must(real_bind(stale, &address, sizeof address) == 0 && real_close(stale) == 0);
    int error = local(address.sun_path);
    must(real_unlink(address.sun_path) == 0 || error != 0);
    must(lstat(address.sun_path, &status) != 0);
    return error;
}

static int pipe_of_ours(void)
{
    int fds[2], error = 0;
    must(twice(&error, verd_pipe(fds)));
    error = either(error, pass(fds[1], fds[0]));
    error = either(error, pass_vector(fds[1], fds[0]));
    error = either(error, pass_later(fds[1], fds[0]));
    return end(error, fds, 2);
}

static int pipe_foreign(void)
{
    int fds[2];
    must(real_pipe2(fds, O_CLOEXEC) == 0);
    int error = pass(fds[1], fds[0]);
    error = either(error, pass_vector(fds[1], fds[0]));
    error = either(error, pass_later(fds[1], fds[0]));
    return end(error, fds, 2);
}

/* One that does not block is read and written as it is. */
static int pipe_foreign_nonblocking(void)
{
    int fds[2];
    must(real_pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
    int error = pass(fds[1], fds[0]);
    error = either(error, pass_vector(fds[1], fds[0]));
    error = either(error, pass_later(fds[1], fds[0]));
    return end(error, fds, 2);
}

/* A write to nobody brings no signal. */
static int pipe_closed(void)
{
    int fds[2];
    must(real_pipe2(fds, O_CLOEXEC) == 0 && real_close(fds[0]) == 0);
    int error = error_of(verd_write(fds[1], TEXT, sizeof TEXT));
    must(error != 0);
    return either(error == EPIPE ? 0 : error, error_of(verd_close(fds[1])));
}

static int pair_of_ours(void)
{
    int fds[2], error = 0;
    must(twice(&error, verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds)));
    error = either(error, pass_all_ways(fds[1], fds[0]));
    error = either(error, pass_later(fds[1], fds[0]));
    return end(error, fds, 2);
}

static int pair_of_datagrams(void)
{
    int fds[2], error = 0;
    must(twice(&error, verd_socketpair(AF_UNIX, SOCK_DGRAM, 0, fds)));
    error = either(error, pass_all_ways(fds[1], fds[0]));
    error = either(error, pass_later(fds[1], fds[0]));
    return end(error, fds, 2);
}

static int pair_foreign(void)
{
    int fds[2];
    must(real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    int error = pass_all_ways(fds[1], fds[0]);
    error = either(error, pass_later(fds[1], fds[0]));
    return end(error, fds, 2);
}

static int send_a_file(int to, int from)
{
    char text[sizeof TEXT];
    int error = 0;
    int file = real_open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    must(real_write(file, TEXT, sizeof TEXT) == SIZE && real_lseek(file, 0, SEEK_SET) == 0);
    must(twice(&error, verd_sendfile(to, file, NULL, sizeof TEXT)));
    must(real_read(from, text, sizeof text) == SIZE && memcmp(text, TEXT, sizeof text) == 0);
    return end(error, (int[]){file, to, from}, 3);
}

static int sendfile_blocking(void)
{
    int fds[2];
    must(real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    return send_a_file(fds[0], fds[1]);
}

static int sendfile_nonblocking(void)
{
    int fds[2];
    must(real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    return send_a_file(fds[0], fds[1]);
}

#define MANY 20 /* more than poll has room for on its stack */

/* A wait for many descriptors, of which one is written to. */
static int poll_many(void)
{
    struct pollfd pollers[MANY];
    struct writer writer = {.fd = -1};
    int fds[2], error = 0;
    must(real_pipe2(fds, O_CLOEXEC) == 0);
    for (int i = 0; i < MANY; i++)
        pollers[i] = (struct pollfd){.fd = i == 3 ? fds[0] : -1, .events = POLLIN};
    must(twice(&error, verd_poll(pollers, MANY, 1)));
    writer.fd = fds[1];
    verd_thread *thread = verd_spawn(write_later, &writer);
    error = either(error, thread == NULL ? errno : 0);
    must(thread == NULL || twice(&error, verd_poll(pollers, MANY, -1)));
    must(thread == NULL || pollers[3].revents == POLLIN);
    if (thread != NULL)
        verd_join(thread, NULL);
    return end(either(error, writer.error), fds, 2);
}

static int wait_for_one(void)
{
    struct writer writer = {.fd = -1};
    int fds[2], error = 0;
    must(real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    writer.fd = fds[1];
    verd_thread *thread = verd_spawn(write_later, &writer);
    if (thread == NULL)
        return end(errno, fds, 2);
    must(twice(&error, verd_wait_fd(fds[0], POLLIN | POLLOUT)));
    must(twice(&error, verd_wait_fd(fds[0], POLLIN)));
    verd_join(thread, NULL);
    return end(either(error, writer.error), fds, 2);
}

/* A choice among many descriptors and a queue; what was not taken is not touched. */
static int select_many(void)
{
    verd_case cases[MANY];
    struct writer writer = {.fd = -1};
    int fds[2], error = 0, taken;
    must(real_pipe2(fds, O_CLOEXEC) == 0);
    for (int i = 0; i < MANY; i++)
        cases[i] = VERD_READABLE(i == 3 ? fds[0] : -1);
    cases[0] = VERD_AFTER(VERD_MS);
    must(twice(&error, taken = verd_select(cases, MANY)) && taken == 0);
    cases[0] = VERD_AFTER(VERD_FOREVER);
    writer.fd = fds[1];
    verd_thread *thread = verd_spawn(write_later, &writer);
    error = either(error, thread == NULL ? errno : 0);
    must(thread == NULL || (twice(&error, taken = verd_select(cases, MANY)) && taken == 3));
    must(thread == NULL || (cases[3].error == 0 && cases[3].ready == POLLIN));
    if (thread != NULL)
        verd_join(thread, NULL);
    return end(either(error, writer.error), fds, 2);
}

/* Lines that a reader's buffer has to grow for, from a writer; what a call that fails has had is there still. */
static int pass_lines(int from, int to)
{
    static char line[6000];
    char *got = NULL;
    size_t size = 0;
    int error = 0;
    verd_writer *writer = verd_writer_new(verd_stream_of(from), 100);
    verd_reader *reader = verd_reader_new(verd_stream_of(to), sizeof line + 1);
    if (writer == NULL || reader == NULL)
        error = errno;
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 3 && writer != NULL && reader != NULL; i++) {
        must(twice(&error, verd_writer_write(writer, line, sizeof line, NULL)));
        must(twice(&error, verd_writer_write(writer, "\n", 1, NULL)));
        must(twice(&error, verd_writer_flush(writer)));
        must(twice(&error, verd_reader_line(reader, &got, &size)));
        must(size == sizeof line && memcmp(got, line, size) == 0);
    }
    verd_reader_free(reader);
    verd_writer_free(writer);
    return error;
}

static int lines(void)
{
    int fds[2];
    if (verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return errno;
    return end(pass_lines(fds[0], fds[1]), fds, 2);
}

#define SOCKET_ERRORS ENOMEM, ENOBUFS, EMFILE, ENFILE, ENOSPC, EIO, ECONNRESET
#define LISTEN_ERRORS EADDRINUSE, EADDRNOTAVAIL, ENOTCONN, ECONNREFUSED, ENETUNREACH

const struct scenario net_scenarios[] = {
    {"tcp", tcp_by_number, .errors = {SOCKET_ERRORS, LISTEN_ERRORS}, .first = true},
    {"tcp_by_name", tcp_by_name, .errors = {SOCKET_ERRORS, LISTEN_ERRORS, EAGAIN}},
    {"tcp_everywhere", tcp_everywhere, .errors = {SOCKET_ERRORS, LISTEN_ERRORS}},
    {"tcp_foreign", tcp_foreign, .errors = {SOCKET_ERRORS, LISTEN_ERRORS}},
    {"accept", accept_later, .errors = {SOCKET_ERRORS, LISTEN_ERRORS}},
    {"accept_far", accept_far, .errors = {SOCKET_ERRORS, LISTEN_ERRORS}, .first = true},
    {"accept_far_killed", accept_far_killed, .errors = {SOCKET_ERRORS, LISTEN_ERRORS, ECANCELED},
     .first = true},
    {"unix_abstract", local_abstract, .errors = {SOCKET_ERRORS, LISTEN_ERRORS}},
    {"unix_stale", local_stale, .errors = {SOCKET_ERRORS, LISTEN_ERRORS, EACCES, ENOLCK}},
    {"pipe", pipe_of_ours, .errors = {ENOMEM, EMFILE, ENFILE, ENOSPC, EIO}, .first = true},
    {"pipe_foreign", pipe_foreign, .errors = {SOCKET_ERRORS}},
    {"pipe_foreign_nonblocking", pipe_foreign_nonblocking, .errors = {SOCKET_ERRORS}},
    {"pipe_closed", pipe_closed, .errors = {SOCKET_ERRORS}},
    {"socketpair", pair_of_ours, .errors = {SOCKET_ERRORS}},
    {"datagrams", pair_of_datagrams, .errors = {SOCKET_ERRORS}},
    {"socketpair_foreign", pair_foreign, .errors = {SOCKET_ERRORS}},
    {"sendfile", sendfile_blocking, .errors = {ENOMEM, EIO}},
    {"sendfile_nonblocking", sendfile_nonblocking, .errors = {SOCKET_ERRORS}},
    {"poll", poll_many, .errors = {SOCKET_ERRORS}, .first = true},
    {"wait_fd", wait_for_one, .errors = {SOCKET_ERRORS}},
    {"select", select_many, .errors = {SOCKET_ERRORS}, .first = true},
    {"lines", lines, .errors = {SOCKET_ERRORS}, .first = true},
    {0},
};
