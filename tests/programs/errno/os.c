/* SPDX-License-Identifier: MIT */
/* <verd/os.h> */
#include "table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/offload.h"
#include "offload/workers.h"

/* ---- the way in ---- */

static verd_hub *hub;

static void nothing(void *arg)
{
    (void)arg;
}

static void open_hub(void)
{
    hub = verd_hub_open();
    must(hub != NULL);
}

static void fill_hub(void)
{
    open_hub();
    for (int i = 0; i < VERD_POSTS_MAX; i++)
        must(verd_post(hub, nothing, NULL) == 0);
}

static void *open_elsewhere(void *arg)
{
    open_hub();
    return arg;
}

/* Of an OS thread that has ended. */
static void outlive_hub(void)
{
    pthread_t thread;
    must(real_pthread_create(&thread, NULL, open_elsewhere, NULL) == 0);
    pthread_join(thread, NULL);
}

CALL_FOR_POINTER(open_one, verd_hub_open())
CALL(post, verd_post(hub, nothing, NULL))
CALL(post_nothing, verd_post(hub, NULL, NULL))

/* ---- the way out ---- */

static void *same(void *arg)
{
    return arg;
}

static _Atomic(bool) stuck;

static void *get_stuck(void *arg)
{
    atomic_store(&stuck, true);
    for (;;)
        pause();
    return arg;
}

static void *offload_and_leave(void *arg)
{
    const struct verd__offload offload = {.kind = *(enum verd_offload_kind *)arg, .fn = get_stuck};
    must(verd__offload(&offload, NULL) != 0 && errno == ECANCELED);
    return NULL;
}

void get_all_stuck(enum verd_offload_kind kind)
{
    verd__workers_bound(0);
    must(verd__workers_resize(kind, 1) == 0);
    verd_thread *thread = verd_spawn(offload_and_leave, &kind);
    while (!atomic_load(&stuck))
        verd_sleep(VERD_MS);
    verd_kill(thread);
    must(verd_join(thread, NULL) == 0);
}

static void stuck_functions(void)
{
    get_all_stuck(VERD_OFFLOAD_FUNCTIONS);
}

static void stuck_names(void)
{
    get_all_stuck(VERD_OFFLOAD_NAMES);
}

static void stuck_opens(void)
{
    get_all_stuck(VERD_OFFLOAD_OPENS);
}

static void stuck_files(void)
{
    get_all_stuck(VERD_OFFLOAD_FILES);
}

CALL(stats_of_nothing, verd_offload_stats(VERD_OFFLOAD_KINDS, &(struct verd_offload_counts){0}))
CALL(stats, verd_offload_stats(VERD_OFFLOAD_FILES, &(struct verd_offload_counts){0}))
CALL(offload, verd_offload(same, NULL, NULL))
CALL(offload_nothing, verd_offload(NULL, NULL, NULL))
CALL(offload_with, verd_offload_with(same, NULL, NULL, NULL))
CALL(offload_nothing_with, verd_offload_with(NULL, NULL, NULL, NULL))
CALL(resize, verd_offload_resize(1))
CALL(resize_to_nothing, verd_offload_resize(0))

static int resolve(void)
{
    struct addrinfo *found = NULL;
    return verd_getaddrinfo("localhost", NULL, NULL, &found) == EAI_SYSTEM ? errno : 0;
}

/* ---- files ---- */

static struct stat status;
static char byte;
static int file;

/* Of which nothing is known to be in memory. */
static void make_file(void)
{
    fault_lacks("preadv2", EOPNOTSUPP);
    file = real_open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    must(file >= 0);
}

static void make_file_and_stuck_files(void)
{
    make_file();
    stuck_files();
}

CALL(open_file, verd_open("/dev/null", O_RDONLY))
CALL(read_file, verd_pread(file, &byte, 1, 0))
CALL(write_file, verd_pwrite(file, &byte, 1, 0))
CALL(sync_file, verd_fsync(file))
CALL(sync_data, verd_fdatasync(file))
CALL(stat_file, verd_stat("/", &status))
CALL(lstat_file, verd_lstat("/", &status))
CALL(fstat_file, verd_fstat(file, &status))

/* ---- processes ---- */

static pid_t child;
static verd_process process;

/* It ends with its parent. */
static void make_child(void)
{
    int fds[2];
    char end;
    must(real_pipe2(fds, 0) == 0);
    child = _Fork();
    must(child >= 0);
    if (child == 0) {
        real_close(fds[1]);
        _exit((int)real_read(fds[0], &end, 1));
    }
}

static void start(void)
{
    make_child();
    process.pid = child;
}

static int spawn(const char *program, int output)
{
    const char *const arguments[] = {program, NULL};
    verd_process_options options = {.arguments = arguments, .output = output};
    return verd_spawn_process(&process, &options);
}

static int wait_for_init(void)
{
    process.pid = 1;
    return verd_process_wait(&process, NULL) != 0 ? errno : 0;
}

CALL(wait_for_child, verd_waitpid(child, NULL, 0))
CALL(wait_for_nobody, verd_waitpid(-1, NULL, 0))
CALL(wait_badly, verd_waitpid(-1, NULL, -1))
CALL(spawn_true, spawn("true", 0))
CALL(spawn_what_is_missing, spawn("/no such program", 0))

/* A script that does not say what runs it. */
static char script[] = "/tmp/verd-errno-XXXXXX";

static void write_a_script(void)
{
    int fd = mkstemp(script);
    must(fd >= 0 && write(fd, "exit 0\n", 7) == 7 && fchmod(fd, 0700) == 0 && close(fd) == 0);
}

static int spawn_the_script(void)
{
    int error = spawn(script, 0) != 0 ? errno : 0;
    unlink(script);
    return error;
}

CALL(spawn_a_directory, spawn("/", 0))
CALL(spawn_onto_nothing, spawn("true", 1000))
CALL(spawn_onto_what, spawn("true", -1000))
CALL(spawn_with_pipe, spawn("true", VERD_PROCESS_PIPE))
CALL(wait_for_process, verd_process_wait(&process, NULL))
CALL(kill_process, verd_process_kill(&process, SIGTERM))

/* ---- signals ---- */

static int wait_for_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return verd_signal_wait(&set, NULL) < 0 ? errno : 0;
}

CALL(wait_for_no_signal, verd_signal_wait(NULL, NULL))

/* What the head of the header says of calls that block. */
#define WAITS_FOR(function, prepare, call, waker)                                        \
    BLOCKS(function, prepare, call), WITHOUT(function, ENOMEM, prepare, call, "calloc"), \
        WITHOUT(function, EMFILE, prepare, call, waker),                                 \
        WITHOUT(function, ENFILE, prepare, call, waker)
#define WAITS(function, prepare, call) WAITS_FOR(function, prepare, call, "eventfd")
#define OFFLOADS(function, prepare, call) \
    WAITS(function, prepare, call), WITHOUT(function, EAGAIN, prepare, call, "pthread_create")

const struct row os_rows[] = {
    AT_FIRST("verd_hub_open", open_one),
    WITHOUT("verd_hub_open", EMFILE, NULL, open_one, "eventfd"),
    WITHOUT("verd_hub_open", ENFILE, NULL, open_one, "eventfd"),
    PLAINLY("verd_post", EAGAIN, fill_hub, post),
    PLAINLY("verd_post", EPIPE, outlive_hub, post),
    PLAINLY("verd_post", EINVAL, open_hub, post_nothing),

    OFFLOADS("verd_offload", NULL, offload),
    PLAINLY("verd_offload", EBUSY, stuck_functions, offload),
    PLAINLY("verd_offload", EINVAL, NULL, offload_nothing),
    OFFLOADS("verd_offload_with", NULL, offload_with),
    PLAINLY("verd_offload_with", EBUSY, stuck_functions, offload_with),
    PLAINLY("verd_offload_with", EINVAL, NULL, offload_nothing_with),
    PLAINLY("verd_offload_resize", EINVAL, NULL, resize_to_nothing),
    WITHOUT("verd_offload_resize", ENOMEM, NULL, resize, "pthread_atfork"),
    PLAINLY("verd_offload_stats", EINVAL, NULL, stats_of_nothing),
    WITHOUT("verd_offload_stats", ENOMEM, NULL, stats, "pthread_atfork"),
    BLOCKS("verd_getaddrinfo", NULL, resolve),
    WITHOUT("verd_getaddrinfo", EAGAIN, NULL, resolve, "pthread_create"),
    PLAINLY("verd_getaddrinfo", EBUSY, stuck_names, resolve),
    WITHOUT("verd_getaddrinfo", EMFILE, NULL, resolve, "eventfd"),
    WITHOUT("verd_getaddrinfo", ENFILE, NULL, resolve, "eventfd"),

    OFFLOADS("verd_open", NULL, open_file),
    PLAINLY("verd_open", EBUSY, stuck_opens, open_file),
    OFFLOADS("verd_pread", make_file, read_file),
    PLAINLY("verd_pread", EBUSY, make_file_and_stuck_files, read_file),
    OFFLOADS("verd_pwrite", make_file, write_file),
    PLAINLY("verd_pwrite", EBUSY, make_file_and_stuck_files, write_file),
    OFFLOADS("verd_fsync", make_file, sync_file),
    PLAINLY("verd_fsync", EBUSY, make_file_and_stuck_files, sync_file),
    OFFLOADS("verd_fdatasync", make_file, sync_data),
    PLAINLY("verd_fdatasync", EBUSY, make_file_and_stuck_files, sync_data),
    OFFLOADS("verd_stat", NULL, stat_file),
    PLAINLY("verd_stat", EBUSY, stuck_files, stat_file),
    OFFLOADS("verd_lstat", NULL, lstat_file),
    PLAINLY("verd_lstat", EBUSY, stuck_files, lstat_file),
    OFFLOADS("verd_fstat", make_file, fstat_file),
    PLAINLY("verd_fstat", EBUSY, make_file_and_stuck_files, fstat_file),

    BLOCKS("verd_waitpid", make_child, wait_for_child),
    PLAINLY("verd_waitpid", ECHILD, NULL, wait_for_nobody),
    PLAINLY("verd_waitpid", EINVAL, NULL, wait_badly),
    AT_FIRST("verd_waitpid", wait_for_nobody),
    BLOCKS("verd_spawn_process", NULL, spawn_true),
    PLAINLY("verd_spawn_process", ENOENT, NULL, spawn_what_is_missing),
    PLAINLY("verd_spawn_process", ENOEXEC, write_a_script, spawn_the_script),
    PLAINLY("verd_spawn_process", EACCES, NULL, spawn_a_directory),
    PLAINLY("verd_spawn_process", EBADF, NULL, spawn_onto_nothing),
    PLAINLY("verd_spawn_process", EINVAL, NULL, spawn_onto_what),
    WITHOUT("verd_spawn_process", EAGAIN, NULL, spawn_true, "posix_spawnp"),
    WITHOUT("verd_spawn_process", EMFILE, NULL, spawn_with_pipe, "pipe2"),
    BLOCKS("verd_process_wait", start, wait_for_process),
    PLAINLY("verd_process_wait", ECHILD, NULL, wait_for_process),
    AT_FIRST("verd_process_wait", wait_for_init),
    PLAINLY("verd_process_kill", ESRCH, NULL, kill_process),

    WAITS_FOR("verd_signal_wait", NULL, wait_for_signal, "signalfd"),
    PLAINLY("verd_signal_wait", EINVAL, NULL, wait_for_no_signal),
    {0},
};
