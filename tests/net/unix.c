/* SPDX-License-Identifier: MIT */

/* Listeners at paths and abstract names. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"

static char path[64];

/* A path in a directory of this test's own. */
static void make_path(void)
{
    strcpy(path, "/tmp/verd-net-XXXXXX");
    cr_assert(mkdtemp(path));
    strcat(path, "/socket");
}

/* A name that no other run of these tests has. */
static const char *abstract_name(void)
{
    snprintf(path, sizeof path, "@verd-net-%d", (int)getpid());
    return path;
}

static void remove_path(void)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

Test(net, a_path_can_be_listened_and_connected_to)
{
    char byte;
    make_path();
    int listener = verd_listen_unix(path, 0);
    int client = verd_connect_unix(path);
    int server = verd_accept(listener, NULL, NULL);
    verd_write(client, "x", 1);
    cr_expect_eq(verd_read(server, &byte, 1), 1);
    remove_path();
}

Test(net, an_abstract_name_can_be_listened_and_connected_to)
{
    char byte;
    int listener = verd_listen_unix(abstract_name(), 0);
    int client = verd_connect_unix(abstract_name());
    int server = verd_accept(listener, NULL, NULL);
    verd_write(client, "x", 1);
    cr_assert_eq(verd_read(server, &byte, 1), 1);
}

Test(net, an_abstract_name_in_use_is_EADDRINUSE)
{
    verd_listen_unix(abstract_name(), 0);
    cr_assert_eq(outcome(verd_listen_unix(abstract_name(), 0)), -EADDRINUSE);
}

Test(net, connect_to_a_path_that_is_not_there_is_ENOENT)
{
    cr_assert_eq(outcome(verd_connect_unix("/tmp/verd-no-such-socket")), -ENOENT);
}

Test(net, connect_to_a_stale_socket_is_ECONNREFUSED)
{
    make_path();
    verd_close(verd_listen_unix(path, 0));
    cr_expect_eq(outcome(verd_connect_unix(path)), -ECONNREFUSED);
    remove_path();
}

Test(net, a_stale_socket_is_replaced)
{
    make_path();
    verd_close(verd_listen_unix(path, 0));
    cr_expect_geq(outcome(verd_listen_unix(path, 0)), 0);
    cr_expect_geq(outcome(verd_connect_unix(path)), 0);
    remove_path();
}

Test(net, a_live_socket_is_EADDRINUSE_and_lives_on)
{
    make_path();
    int listener = verd_listen_unix(path, 0);
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    struct call accepter = {0};
    call_start(&accepter, call_accept, listener);
    cr_expect_geq(outcome(verd_connect_unix(path)), 0);
    remove_path();
}

Test(net, a_live_datagram_socket_is_EADDRINUSE)
{
    make_path();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(fd, (struct sockaddr *)&address, sizeof address);
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    cr_expect_eq(access(path, F_OK), 0);
    remove_path();
}

Test(net, a_live_socket_with_a_full_backlog_is_EADDRINUSE)
{
    make_path();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 0);
    while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&address,
                   sizeof address) == 0)
        ;
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    remove_path();
}

static ssize_t connect_path(struct call *call)
{
    (void)call;
    return verd_connect_unix(path);
}

/* connect(2) to a full backlog is EAGAIN, and readiness says nothing of when to try again. */
Test(net, connect_to_a_path_with_a_full_backlog_waits_until_one_is_accepted)
{
    make_path();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct call connecter = {0};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 0);
    while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&address,
                   sizeof address) == 0)
        ;
    call_start(&connecter, connect_path, 0);
    bool waited = !connecter.returned;
    verd_accept(listener, NULL, NULL);
    cr_expect(call_end(&connecter) >= 0 && waited);
    remove_path();
}

Test(net, a_regular_file_in_the_way_is_EADDRINUSE_and_stays)
{
    make_path();
    close(open(path, O_CREAT | O_WRONLY, 0600));
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    cr_expect_eq(access(path, F_OK), 0);
    remove_path();
}

Test(net, a_path_that_is_too_long_is_ENAMETOOLONG)
{
    char name[200];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    cr_assert_eq(outcome(verd_listen_unix(name, 0)), -ENAMETOOLONG);
    cr_assert_eq(outcome(verd_connect_unix(name)), -ENAMETOOLONG);
}

Test(net, an_empty_path_is_EINVAL)
{
    cr_assert_eq(outcome(verd_listen_unix("", 0)), -EINVAL);
    cr_assert_eq(outcome(verd_listen_unix(NULL, 0)), -EINVAL);
    cr_assert_eq(outcome(verd_connect_unix("")), -EINVAL);
    cr_assert_eq(outcome(verd_connect_unix(NULL)), -EINVAL);
}

/* ---- who starts, and who is there ---- */

static bool has_client(int listener)
{
    struct pollfd poller = {.fd = listener, .events = POLLIN};
    return poll(&poller, 1, 0) > 0;
}

Test(net, a_live_socket_gets_no_client_from_who_looks_at_it)
{
    make_path();
    int listener = verd_listen_unix(path, 0);
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    cr_expect_not(has_client(listener));
    remove_path();
}

Test(net, a_socket_that_is_about_to_listen_is_EADDRINUSE_and_lives_on)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    make_path();
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    listen(listener, 5);
    cr_expect_geq(outcome(verd_connect_unix(path)), 0);
    cr_expect(has_client(listener));
    remove_path();
}

static size_t count_files(void)
{
    char directory[sizeof path];
    size_t count = 0;
    strcpy(directory, path);
    *strrchr(directory, '/') = '\0';
    DIR *stream = opendir(directory);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

Test(net, a_listener_leaves_nothing_at_its_path_but_its_socket)
{
    make_path();
    verd_close(verd_listen_unix(path, 0));
    int listener = verd_listen_unix(path, 0);
    cr_expect_geq(listener, 0);
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    cr_expect_eq(count_files(), 1);
    remove_path();
}

/* The lock of one that was killed while it had it is a file that nobody has locked. */
Test(net, what_a_process_that_is_gone_has_left_at_the_path_does_not_matter)
{
    char lock[sizeof path + sizeof ".verd-lock"];
    make_path();
    snprintf(lock, sizeof lock, "%s.verd-lock", path);
    verd_close(verd_listen_unix(path, 0));
    close(open(lock, O_CREAT | O_WRONLY, 0600));
    cr_expect_geq(outcome(verd_listen_unix(path, 0)), 0);
    cr_expect_eq(count_files(), 1);
    remove_path();
}

/* Two that start at a stale socket: each would find it stale, and the second would remove the first one's. */
Test(net, while_one_starts_at_a_path_others_get_EADDRINUSE)
{
    char lock[sizeof path + sizeof ".verd-lock"];
    struct stat before, after;
    make_path();
    snprintf(lock, sizeof lock, "%s.verd-lock", path);
    verd_close(verd_listen_unix(path, 0));
    stat(path, &before);
    int starting = open(lock, O_CREAT | O_WRONLY, 0600);
    cr_assert_eq(flock(starting, LOCK_EX), 0);
    cr_expect_eq(outcome(verd_listen_unix(path, 0)), -EADDRINUSE);
    cr_expect(stat(path, &after) == 0 && before.st_ino == after.st_ino);
    close(starting);
    cr_expect_geq(outcome(verd_listen_unix(path, 0)), 0);
    remove_path();
}
