/* SPDX-License-Identifier: MIT */

/* Blocking files of each kind, with another side that does not stir: nobody but the caller waits, a kill and a
 * timeout reach him, and who shares the file sees its flags as they were. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

#include "call.h"

/* A descriptor, and what its other side is, if it has one. */
struct file {
    int fd, other;
};

struct kind {
    const char *name;
    struct file (*open)(void);
    bool writes;
    size_t size;  /* of what is read or written */
    bool counted; /* what was written can be read on the other side */
};

/* ---- kinds ---- */

static struct file open_pipe(void)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    return (struct file){.fd = fds[0], .other = fds[1]};
}

static struct file open_pipe_to_write(void)
{
    struct file file = open_pipe();
    return (struct file){.fd = file.other, .other = file.fd};
}

static struct file open_fifo(void)
{
    char name[] = "/tmp/verd-kinds-XXXXXX";
    cr_assert(mkdtemp(name) != NULL && rmdir(name) == 0 && mkfifo(name, 0600) == 0);
    int fd = open(name, O_RDWR);
    struct file file = {.fd = fd, .other = open(name, O_RDWR)};
    unlink(name);
    cr_assert(file.fd >= 0 && file.other >= 0);
    return file;
}

static struct file open_eventfd(void)
{
    return (struct file){.fd = eventfd(0, 0), .other = -1};
}

/* There is room for 2, so poll(2) says that it is ready; but 0x01010101... is to be written. */
static struct file open_full_eventfd(void)
{
    return (struct file){.fd = eventfd(0, 0), .other = -1};
}

static struct file open_timerfd(void)
{
    return (struct file){.fd = timerfd_create(CLOCK_MONOTONIC, 0), .other = -1};
}

static struct file open_signalfd(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return (struct file){.fd = signalfd(-1, &set, 0), .other = -1};
}

static struct file open_inotify(void)
{
    return (struct file){.fd = inotify_init(), .other = -1};
}

static struct file open_terminal(void)
{
    struct termios raw;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0 && tcgetattr(terminal, &raw) == 0);
    cfmakeraw(&raw);
    cr_assert_eq(tcsetattr(terminal, TCSANOW, &raw), 0);
    return (struct file){.fd = terminal, .other = master};
}

static struct file open_master(void)
{
    struct file file = open_terminal();
    return (struct file){.fd = file.other, .other = file.fd};
}

static const struct kind kinds[] = {
    {"pipe, read", open_pipe, false, 100, false},
    {"pipe, written", open_pipe_to_write, true, 300000, true},
    {"FIFO, read", open_fifo, false, 100, false},
    {"FIFO, written", open_fifo, true, 300000, true},
    {"eventfd, read", open_eventfd, false, 8, false},
    {"eventfd, written", open_full_eventfd, true, 8, false},
    {"timerfd", open_timerfd, false, 8, false},
    {"signalfd", open_signalfd, false, 256, false},
    {"inotify", open_inotify, false, 4096, false},
    {"terminal, read", open_terminal, false, 100, false},
    {"terminal, written", open_terminal, true, 300000, true},
    {"pseudo-terminal, read", open_master, false, 100, false},
    {"pseudo-terminal, written", open_master, true, 300000, true},
};

/* ---- the tests ---- */

struct stubborn {
    const struct kind *kind;
    struct file file;
    size_t done; /* bytes written */
    ssize_t outcome;
    bool over;
};

static char data[300000];

static void *transfer(void *arg)
{
    struct stubborn *call = arg;
    ssize_t result = call->kind->writes
                         ? verd_write_full(call->file.fd, data, call->kind->size, &call->done)
                         : verd_read(call->file.fd, data, call->kind->size);
    call->outcome = outcome(result);
    call->over = true;
    return NULL;
}

static void *transfer_for_a_while(void *arg)
{
    verd_timeout timeout;
    verd_timeout_begin(&timeout, 30 * VERD_MS);
    transfer(arg);
    verd_timeout_end(&timeout);
    return NULL;
}

static void begin(struct stubborn *call, const struct kind *kind)
{
    *call = (struct stubborn){.kind = kind, .file = kind->open()};
    cr_assert(call->file.fd >= 0, "%s", kind->name);
    memset(data, 1, sizeof data);
    if (kind->open == open_full_eventfd)
        cr_assert_eq(eventfd_write(call->file.fd, UINT64_MAX - 3), 0);
}

/* What hangs ends by SIGALRM. Ticks until the call is over, and at least a while. */
static void tick(const struct stubborn *call, int flags)
{
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(verd_sleep(VERD_MS), 0);
        cr_assert_eq(fcntl(call->file.fd, F_GETFL), flags, "%s", call->kind->name);
    }
}

/* Of what was written, all that the call tells of has come, and no more. */
static void count(const struct stubborn *call)
{
    static char rest[300000];
    size_t sum = 0;
    ssize_t n;
    fcntl(call->file.other, F_SETFL, O_NONBLOCK);
    while (sum < call->done && (n = read(call->file.other, rest, sizeof rest)) > 0)
        sum += (size_t)n;
    cr_assert_eq(sum, call->done, "%s", call->kind->name);
    cr_assert_lt(read(call->file.other, rest, 1), 1, "%s", call->kind->name);
}

static void play(const struct kind *kind, bool kills)
{
    struct stubborn call;
    alarm(60);
    begin(&call, kind);
    int flags = fcntl(call.file.fd, F_GETFL);
    verd_thread *thread = verd_spawn(kills ? transfer : transfer_for_a_while, &call);
    tick(&call, flags);
    if (kills) {
        cr_assert_not(call.over, "%s", kind->name);
        verd_kill(thread);
    }
    verd_join(thread, NULL);
    cr_assert_eq(call.outcome, kills ? -ECANCELED : -ETIMEDOUT, "%s", kind->name);
    if (kind->counted)
        count(&call);
    close(call.file.fd);
    close(call.file.other);
}

Test(
    io,
    a_file_of_any_kind_whose_other_side_does_not_stir_holds_up_nobody_and_a_kill_reaches_its_caller)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        play(&kinds[i], true);
}

Test(io, a_timeout_reaches_the_caller_whose_file_does_not_stir)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        play(&kinds[i], false);
}

/* ---- others share the file ---- */

struct crowd {
    int fd, sum, flags;
};

static void *take_bytes(void *arg)
{
    struct crowd *crowd = arg;
    char bytes[64];
    ssize_t n;
    while ((n = verd_read(crowd->fd, bytes, sizeof bytes)) > 0)
        crowd->sum += (int)n;
    return NULL;
}

/* Another process reads as fast as it can, without poll(2), so that what was there is gone. */
static pid_t start_thief(int fd)
{
    pid_t thief = fork();
    if (thief != 0)
        return thief;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (char bytes[64];;) {
        if (read(fd, bytes, sizeof bytes) <= 0)
            _exit(0);
    }
}

static void share(struct file (*open)(void))
{
    struct file file = open();
    struct crowd crowd = {.fd = file.fd, .flags = fcntl(file.fd, F_GETFL)};
    alarm(60);
    pid_t thief = start_thief(file.fd);
    verd_thread *reader = verd_spawn(take_bytes, &crowd);
    for (int i = 0; i < 300; i++) {
        cr_assert_eq(write(file.other, "x", 1), 1);
        cr_assert_eq(verd_sleep(i % 4 == 0 ? VERD_MS : VERD_US), 0);
        cr_assert_eq(fcntl(file.fd, F_GETFL), crowd.flags);
    }
    verd_kill(reader);
    verd_join(reader, NULL);
    kill(thief, SIGKILL);
}

Test(io, a_pipe_that_another_process_reads_holds_up_nobody)
{
    share(open_pipe);
}

Test(io, a_fifo_that_another_process_reads_holds_up_nobody)
{
    share(open_fifo);
}

Test(io, a_terminal_that_another_process_reads_holds_up_nobody)
{
    share(open_terminal);
}

/* ---- what has no other side ---- */

struct large {
    int fd;
    size_t size;
    char *memory;
    ssize_t outcome;
    bool over;
};

static void *read_much(void *arg)
{
    struct large *large = arg;
    large->outcome = outcome(verd_read(large->fd, large->memory, large->size));
    large->over = true;
    return NULL;
}

Test(io, much_of_a_device_that_makes_it_is_read_beside_the_others)
{
    struct large large = {.fd = open("/dev/urandom", O_RDONLY), .size = 32 * 1024 * 1024};
    large.memory = malloc(large.size);
    verd_thread *reader = verd_spawn(read_much, &large);
    verd_yield();
    cr_assert_not(large.over);
    verd_join(reader, NULL);
    cr_assert_gt(large.outcome, 0);
    free(large.memory);
}

Test(io, small_pieces_of_devices_are_read_and_written_at_once)
{
    char bytes[16] = "";
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    cr_assert_eq(verd_read(null, bytes, sizeof bytes), 0);
    cr_assert_eq(verd_write(null, bytes, sizeof bytes), sizeof bytes);
    cr_assert_eq(verd_read(zero, bytes, sizeof bytes), sizeof bytes);
    cr_assert_eq(verd_read(null, bytes, 0), 0);
}

Test(io, a_file_of_proc_is_read)
{
    char text[64] = "";
    int fd = open("/proc/self/comm", O_RDONLY);
    cr_assert_gt(verd_read(fd, text, sizeof text - 1), 0);
    cr_assert_eq(verd_read(fd, text, sizeof text - 1), 0);
}

Test(io, a_directory_cannot_be_read)
{
    char byte;
    cr_assert_eq(outcome(verd_read(open("/", O_RDONLY), &byte, 1)), -EISDIR);
}

/* A pipe in packet mode, which a child can set, gives a packet at a time. */
Test(io, a_short_read_of_a_pipe_does_not_mean_that_it_is_empty)
{
    int fds[2];
    struct call reader = {0};
    cr_assert_eq(verd_pipe(fds), 0);
    if (fcntl(fds[1], F_SETFL, O_NONBLOCK | O_DIRECT) != 0)
        cr_skip_test("pipes have no packet mode here");
    call_start(&reader, call_read, fds[0]);
    write(fds[1], "one", 3);
    write(fds[1], "three", 5);
    cr_assert_eq(call_end(&reader), 3);
    cr_assert_eq(call_within(VERD_SEC, &reader, call_read, fds[0]), 5);
}
