/* SPDX-License-Identifier: MIT */

/* A file whose server does not answer, as FUSE's and those of networks may: nobody but the caller waits, and a kill
 * and a timeout reach him. The server is a process of this test's own, that speaks FUSE's protocol. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "call.h"
#include "hub/hub.h"
#include "process.h"

#define FILE_NODE 2
#define FILE_SIZE 100000
#define SERVER_SECONDS 40

/* ---- the server ---- */

/* What the server's process and the test's share. */
struct server {
    _Atomic(bool) stalled; /* it answers nobody */
    _Atomic(int) held;     /* whom it has not answered since */
};

static struct server *server;

/* Of a request's answer: its size, and the bytes. */
struct answer {
    struct fuse_out_header head;
    union {
        struct fuse_init_out init;
        struct fuse_attr_out attributes;
        struct fuse_entry_out entry;
        struct fuse_open_out open;
        struct fuse_write_out write;
        struct fuse_poll_out poll;
        char data[FILE_SIZE];
    };
};

static struct fuse_attr attributes_of(uint64_t node)
{
    return (struct fuse_attr){
        .ino = node,
        .size = FILE_SIZE,
        .mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
        .nlink = 1,
        .blksize = 4096,
    };
}

/* The size of the answer to a request, of which `argument` is the rest; -ENOSYS. */
static int fill_answer(struct answer *answer, const struct fuse_in_header *request)
{
    const void *argument = request + 1;
    switch (request->opcode) {
    case FUSE_INIT:
        answer->init.major = FUSE_KERNEL_VERSION;
        answer->init.minor = 31;
        answer->init.max_write = 65536;
        return sizeof answer->init;
    case FUSE_GETATTR:
        answer->attributes.attr = attributes_of(request->nodeid);
        return sizeof answer->attributes;
    case FUSE_LOOKUP:
        answer->entry.nodeid = FILE_NODE;
        answer->entry.attr = attributes_of(FILE_NODE);
        return sizeof answer->entry;
    case FUSE_OPEN:
        return sizeof answer->open;
    case FUSE_READ:
        return (int)((const struct fuse_read_in *)argument)->size;
    case FUSE_WRITE:
        answer->write.size = ((const struct fuse_write_in *)argument)->size;
        return sizeof answer->write;
    case FUSE_POLL:
        answer->poll.revents = POLLIN | POLLOUT;
        return sizeof answer->poll;
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_RELEASE:
        return 0;
    default:
        return -ENOSYS;
    }
}

static _Noreturn void serve(int connection)
{
    static union {
        struct fuse_in_header head;
        char bytes[FILE_SIZE * 2];
    } request;
    static struct answer answer;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(
        SERVER_SECONDS); /* a process whose file it serves does not end before it has closed that */
    while (read(connection, &request, sizeof request) > 0) {
        if (request.head.opcode == FUSE_FORGET || request.head.opcode == FUSE_INTERRUPT)
            continue;
        if (atomic_load(&server->stalled))
            atomic_fetch_add(&server->held, 1);
        while (atomic_load(&server->stalled))
            usleep(1000);
        memset(&answer, 0, sizeof answer);
        int size = fill_answer(&answer, &request.head);
        answer.head.unique = request.head.unique;
        answer.head.error = size < 0 ? size : 0;
        answer.head.len = (uint32_t)(sizeof answer.head + (size > 0 ? (size_t)size : 0));
        if (write(connection, &answer, answer.head.len) < 0 && errno != ENOENT)
            break;
    }
    _exit(0);
}

/* Mounts it where nobody else sees it, and begins its server. false: it cannot be had here. */
static bool mount_at(const char *directory)
{
    char options[80];
    int connection = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", connection);
    if (connection < 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("verd", directory, "fuse", MS_NOSUID | MS_NODEV, options) != 0) {
        close(connection);
        return false;
    }
    pid_t child = fork();
    if (child == 0)
        serve(connection);
    close(connection);
    return child > 0;
}

/* Opens a file of a server of its own; the test is skipped where there can be none. Nothing is left of it when it is
 * closed: it has no name any more. */
static int open_served(int flags)
{
    char directory[] = "/tmp/verd-fuse-XXXXXX", name[64];
    if (process_is_emulated())
        cr_skip_test("an emulator does not mount");
    server = mmap(NULL, sizeof *server, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(server != MAP_FAILED && mkdtemp(directory) != NULL);
    bool is_mounted = mount_at(directory);
    snprintf(name, sizeof name, "%s/file", directory);
    int fd = is_mounted ? open(name, flags) : -1;
    if (is_mounted)
        umount2(directory, MNT_DETACH);
    rmdir(directory);
    if (!is_mounted)
        cr_skip_test("a FUSE file system cannot be mounted here");
    cr_assert_geq(fd, 0);
    return fd;
}

/* ---- calls ---- */

static char data[512];

static ssize_t call_pread(int fd)
{
    return verd_pread(fd, data, sizeof data, 100);
}

static ssize_t call_plain_read(int fd)
{
    return verd_read(fd, data, sizeof data);
}

static ssize_t call_plain_write(int fd)
{
    return verd_write(fd, data, sizeof data);
}

static ssize_t call_fsync(int fd)
{
    return verd_fsync(fd);
}

static ssize_t call_fstat(int fd)
{
    struct stat status;
    return verd_fstat(fd, &status);
}

static ssize_t call_send_from(int fd)
{
    int fds[2];
    make_pair(fds);
    return verd_sendfile(fds[0], fd, NULL, sizeof data);
}

static ssize_t call_send_to(int fd)
{
    int from = open("/proc/self/exe", O_RDONLY);
    return verd_sendfile(fd, from, NULL, sizeof data);
}

static ssize_t call_wait_fd(int fd)
{
    return verd_wait_fd(fd, POLLIN);
}

static ssize_t call_poll(int fd)
{
    struct pollfd fds[] = {{.fd = -1}, {.fd = fd, .events = POLLOUT}};
    return verd_poll(fds, 2, -1);
}

static ssize_t call_close(int fd)
{
    return verd_close(fd);
}

static const struct row {
    const char *name;
    ssize_t (*call)(int fd);
    bool insists; /* it is not given up */
} rows[] = {
    {"verd_read", call_plain_read, false},
    {"verd_write", call_plain_write, false},
    {"verd_pread", call_pread, false},
    {"verd_fsync", call_fsync, false},
    {"verd_fstat", call_fstat, false},
    {"verd_sendfile from it", call_send_from, false},
    {"verd_sendfile to it", call_send_to, false},
    {"verd_wait_fd", call_wait_fd, false},
    {"verd_poll", call_poll, false},
    {"verd_close", call_close, true},
};

/* ---- the tests ---- */

struct caller {
    const struct row *row;
    int fd;
    verd_duration limit; /* 0: none */
    ssize_t outcome;
    bool over;
};

static void *make_call(void *arg)
{
    struct caller *caller = arg;
    verd_timeout limit;
    if (caller->limit > 0)
        verd_timeout_begin(&limit, caller->limit);
    caller->outcome = outcome(caller->row->call(caller->fd));
    if (caller->limit > 0)
        verd_timeout_end(&limit);
    caller->over = true;
    return NULL;
}

/* What hangs ends by SIGALRM: the server answers again only when others have run. */
static verd_thread *begin(struct caller *caller)
{
    alarm(60);
    caller->fd = open_served(O_RDWR);
    atomic_store(&server->stalled, true);
    return verd_spawn(make_call, caller);
}

static void end(struct caller *caller, verd_thread *thread)
{
    atomic_store(&server->stalled, false);
    verd_join(thread, NULL);
    if (!caller->row->insists)
        verd_close(caller->fd);
}

static void play_killed(const struct row *row)
{
    struct caller caller = {.row = row};
    verd_thread *thread = begin(&caller);
    while (atomic_load(&server->held) == 0)
        cr_assert_eq(verd_sleep(VERD_MS), 0);
    cr_assert_not(caller.over, "%s", row->name);
    verd_kill(thread);
    while (!row->insists && !caller.over)
        cr_assert_eq(verd_sleep(VERD_MS), 0);
    end(&caller, thread);
    cr_assert_eq(caller.outcome, row->insists ? 0 : -ECANCELED, "%s: %zd", row->name,
                 caller.outcome);
}

static void play_limited(const struct row *row)
{
    struct caller caller = {.row = row, .limit = 20 * VERD_MS};
    verd_thread *thread = begin(&caller);
    while (!caller.over)
        cr_assert_eq(verd_sleep(VERD_MS), 0);
    end(&caller, thread);
    cr_assert_eq(caller.outcome, -ETIMEDOUT, "%s: %zd", row->name, caller.outcome);
}

Test(io, a_file_whose_server_does_not_answer_holds_up_nobody_and_a_kill_reaches_its_caller)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        play_killed(&rows[i]);
}

Test(io, a_timeout_reaches_the_caller_whose_file_has_a_server_that_does_not_answer)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].insists)
            play_limited(&rows[i]);
    }
}

static ssize_t call_poll_a_while(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return verd_poll(&poller, 1, 20);
}

Test(io, poll_of_a_file_whose_server_does_not_answer_ends_in_time)
{
    static const struct row row = {"verd_poll", call_poll_a_while, false};
    struct caller caller = {.row = &row};
    verd_thread *thread = begin(&caller);
    while (!caller.over)
        cr_assert_eq(verd_sleep(VERD_MS), 0);
    end(&caller, thread);
    cr_assert_eq(caller.outcome, 0);
}

static void *select_it(void *arg)
{
    verd_case cases[] = {VERD_WRITABLE(*(int *)arg)};
    return (void *)(intptr_t)outcome(verd_select(cases, 1));
}

Test(io, select_has_a_regular_file_ready_and_asks_no_server)
{
    void *chosen = NULL;
    int fd = open_served(O_RDWR);
    alarm(60);
    atomic_store(&server->stalled, true);
    cr_expect_eq(verd_join(verd_spawn(select_it, &fd), &chosen), 0);
    cr_expect_eq((intptr_t)chosen, 0);
    cr_expect_eq(atomic_load(&server->held), 0);
    atomic_store(&server->stalled, false);
    cr_expect_eq(verd_close(fd), 0);
}

#define NUMBER (4 * VERD__FDS_PER_CHUNK) /* nobody waits for one near it */

/* Has the hub remember a number, which is free now. */
static void have_known(int number)
{
    int fds[2];
    struct call waits;
    make_pair(fds);
    cr_assert_eq(dup2(fds[0], number), number);
    call_start(&waits, call_read, number);
    cr_assert_eq(verd_close(number), 0);
    cr_assert_eq(call_end(&waits), -EBADF);
}

/* The hub looks from time to time which of the numbers it knows are open. */
Test(io, an_audit_asks_no_server)
{
    int fds[2];
    struct call waits;
    with_audits();
    have_known(NUMBER);
    make_pair(fds);
    int fd = open_served(O_RDWR);
    cr_assert_eq(dup2(fd, NUMBER), NUMBER);
    cr_assert_eq(close(fd), 0);
    alarm(60);
    atomic_store(&server->stalled, true);
    call_start(&waits, call_read, fds[0]); /* audits come while somebody waits */
    verd_duration until = verd_now() + 400 * VERD_MS;
    while (verd_now() < until)
        cr_assert_eq(verd_sleep(VERD_MS), 0);
    cr_expect_eq(atomic_load(&server->held), 0);
    atomic_store(&server->stalled, false);
    cr_expect_eq(close(NUMBER), 0);
    verd_kill(waits.thread);
    cr_expect_eq(call_end(&waits), -ECANCELED);
}

Test(io, a_file_whose_server_answers_is_read_written_and_ready)
{
    int fd = open_served(O_RDWR);
    cr_expect_eq(verd_read(fd, data, sizeof data), sizeof data);
    cr_expect_eq(verd_write(fd, data, sizeof data), sizeof data);
    cr_expect_eq(verd_wait_fd(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
    cr_expect_eq(call_send_from(fd), sizeof data);
    cr_expect_eq(verd_close(fd), 0);
}
