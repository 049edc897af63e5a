/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../../support/process.h"

#define TEXT "some bytes"
#define SIZE ((ssize_t)sizeof TEXT)

/* ---- the way in ---- */

static void note(void *arg)
{
    ++*(_Atomic int *)arg;
}

static int post_from_here(void)
{
    _Atomic int noted = 0;
    int error = 0;
    verd_hub *hub = verd_hub_open();
    if (hub == NULL)
        return errno;
    must(twice(&error, verd_post(hub, note, &noted)));
    while (noted == 0)
        must(verd_sleep(VERD_MS) == 0);
    verd_hub_close(hub);
    return error;
}

struct poster {
    verd_hub *hub;
    _Atomic int noted;
};

static void *post_elsewhere(void *arg)
{
    struct poster *poster = arg;
    must(verd_post(poster->hub, note, &poster->noted) == 0);
    return NULL;
}

static int post_from_an_os_thread(void)
{
    struct poster poster = {.hub = verd_hub_open()};
    pthread_t thread;
    if (poster.hub == NULL)
        return errno;
    must(real_pthread_create(&thread, NULL, post_elsewhere, &poster) == 0);
    while (poster.noted == 0)
        must(verd_sleep(VERD_MS) == 0);
    verd_hub_close(poster.hub);
    pthread_join(thread, NULL);
    return 0;
}

/* ---- the way out ---- */

static void *same(void *arg)
{
    return arg;
}

static int offload(void)
{
    void *result = NULL;
    int item, error = 0;
    must(twice(&error, verd_offload(same, &item, &result)));
    must(result == &item);
    return error;
}

struct held {
    int gate[2];
    _Atomic int ran, released;
};

static void *hold(void *arg)
{
    struct held *held = arg;
    char byte;
    held->ran++;
    must(real_read(held->gate[0], &byte, 1) == 1);
    return arg;
}

static void release(void *arg, void *result)
{
    struct held *held = arg;
    must((result == arg) == (held->ran == 1));
    held->released++;
}

/* A caller whose time runs out: its argument is released once, when the function has returned. */
static int offload_and_give_up(void)
{
    struct held held = {.ran = 0};
    verd_timeout timeout;
    must(real_pipe2(held.gate, O_CLOEXEC) == 0);
    int began = error_of(verd_timeout_begin(&timeout, 2 * VERD_MS));
    if (began != 0)
        must(verd_timeout_begin(&timeout, 2 * VERD_MS) == 0);
    int error = error_of(verd_offload_with(hold, &held, release, NULL));
    verd_timeout_end(&timeout);
    must(error != 0);
    must(real_write(held.gate[1], "", 1) == 1);
    while (error == ETIMEDOUT && held.released == 0)
        verd_sleep(VERD_MS);
    must(held.released == (error == ETIMEDOUT));
    must(real_close(held.gate[0]) == 0 && real_close(held.gate[1]) == 0);
    return error == ETIMEDOUT ? began : error;
}

/* Jobs wait in line for the one OS thread that there may be, and then there may be more. */
static void *offload_same(void *arg)
{
    void *result = NULL;
    int error = 0;
    must(twice(&error, verd_offload(same, arg, &result)));
    must(result == arg);
    *(int *)arg = error;
    return NULL;
}

#define JOBS 4

static int offload_resize(void)
{
    verd_thread *threads[JOBS];
    int errors[JOBS] = {0}, error = 0;
    must(twice(&error, verd_offload_resize(1)));
    for (int i = 0; i < JOBS; i++) {
        threads[i] = verd_spawn(offload_same, &errors[i]);
        error = either(error, threads[i] == NULL ? errno : 0);
    }
    verd_yield();
    must(twice(&error, verd_offload_resize(JOBS)));
    for (int i = 0; i < JOBS; i++) {
        if (threads[i] != NULL)
            verd_join(threads[i], NULL);
        error = either(error, errors[i]);
    }
    return error;
}

/* ---- names ---- */

/* Resolves, once more if it fails. The first failure as an errno, of which the resolver's own is EIO. */
static int resolve(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = 0, outcome = verd_getaddrinfo(host, "80", &hints, &found);
    if (outcome != 0) {
        error = outcome == EAI_SYSTEM ? errno : outcome == EAI_MEMORY ? ENOMEM : EIO;
        must(verd_getaddrinfo(host, "80", &hints, &found) == 0);
    }
    must(found != NULL);
    freeaddrinfo(found);
    return error;
}

static int resolve_a_number(void)
{
    return resolve("127.0.0.1");
}

static int resolve_a_name(void)
{
    return resolve("localhost");
}

/* ---- files ---- */

static int use_file(int fd)
{
    struct stat status;
    char text[sizeof TEXT] = "";
    int error = 0;
    must(twice(&error, verd_pwrite(fd, TEXT, sizeof TEXT, 0)));
    must(twice(&error, verd_fsync(fd)));
    must(twice(&error, verd_fdatasync(fd)));
    must(twice(&error, verd_pread(fd, text, sizeof text, 0)) && strcmp(text, TEXT) == 0);
    must(twice(&error, verd_fstat(fd, &status)) && status.st_size == SIZE);
    return error;
}

static int file_by_path(void)
{
    char path[64];
    struct stat status;
    int fd = -1, error = 0;
    snprintf(path, sizeof path, "/tmp/libverd-fault-%d", (int)getpid());
    must(twice(&error, fd = verd_open(path, O_CREAT | O_RDWR, 0600)));
    must(twice(&error, verd_stat(path, &status)) && S_ISREG(status.st_mode));
    must(twice(&error, verd_lstat(path, &status)) && S_ISREG(status.st_mode));
    must(real_unlink(path) == 0);
    error = either(error, use_file(fd));
    return either(error, error_of(verd_close(fd)));
}

/* Where nothing is known of what is in memory, all is read elsewhere. */
static int file_uncached(void)
{
    int fd = real_open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    fault_lacks("preadv2", EOPNOTSUPP);
    int error = use_file(fd);
    return either(error, error_of(verd_close(fd)));
}

/* A terminal that has room for a few bytes more, and says so. */
static int open_terminal(int *master)
{
    char text[512] = "";
    struct termios raw;
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    must(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    int fd = real_open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    must(fd >= 0 && tcgetattr(fd, &raw) == 0);
    cfmakeraw(&raw);
    must(tcsetattr(fd, TCSANOW, &raw) == 0);
    while (real_write(fd, text, sizeof text) > 0)
        ;
    must(real_fcntl(fd, F_SETFL, 0) == 0 && real_read(*master, text, sizeof text) > 0);
    return fd;
}

/* Where no OS thread can be had for it, nor does this one stand still. */
static int terminal_without_os_threads(void)
{
    static const char text[4096];
    verd_timeout limit;
    int master, fd = open_terminal(&master);
    fault_lacks("pthread_create", EAGAIN);
    verd_timeout_begin(&limit, 2 * VERD_MS);
    int error = error_of(verd_write(fd, text, sizeof text));
    verd_timeout_end(&limit);
    fault_lacks("pthread_create", 0);
    must(error != 0);
    real_close(master);
    real_close(fd);
    return error != ETIMEDOUT ? error : 0;
}

/* Where no descriptor can be watched any more (fs.epoll.max_user_watches), results come in all the same. */
static int all_unwatched(void)
{
    fault_lacks("epoll_ctl", ENOSPC);
    int error = either(offload(), offload_and_give_up());
    error = either(error, post_from_an_os_thread());
    fault_lacks("epoll_ctl", 0);
    return error;
}

static int file_as_a_stream(void)
{
    char text[sizeof TEXT] = TEXT;
    struct iovec part = {text, sizeof text};
    int error = 0;
    int fd = real_open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    must(twice(&error, verd_write(fd, text, sizeof text)));
    must(twice(&error, verd_writev(fd, &part, 1)));
    must(real_lseek(fd, 0, SEEK_SET) == 0);
    memset(text, 0, sizeof text);
    must(twice(&error, verd_read(fd, text, sizeof text)) && strcmp(text, TEXT) == 0);
    must(twice(&error, verd_readv(fd, &part, 1)) && strcmp(text, TEXT) == 0);
    return either(error, error_of(verd_close(fd)));
}

/* ---- processes ---- */

static int wait_for_a_child(void)
{
    int status = -1, error = 0;
    pid_t pid = _Fork();
    if (pid == 0) {
        usleep(2000);
        _exit(7);
    }
    must(twice(&error, verd_waitpid(pid, &status, 0)));
    must(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return error;
}

static int run_a_program(void)
{
    static const char *const cat[] = {"cat", NULL};
    static const verd_process_options options = {.arguments = cat,
                                                 .directory = "/",
                                                 .input = VERD_PROCESS_PIPE,
                                                 .output = VERD_PROCESS_PIPE,
                                                 .error = VERD_PROCESS_NULL};
    verd_process process;
    char text[sizeof TEXT];
    int status = -1, error = 0;
    must(twice(&error, verd_spawn_process(&process, &options)));
    must(twice(&error, verd_write(process.input, TEXT, sizeof TEXT)));
    error = either(error, error_of(verd_close(process.input)));
    process.input = -1;
    must(twice(&error, verd_read_full(process.output, text, sizeof text, NULL)));
    must(strcmp(text, TEXT) == 0);
    must(twice(&error, verd_process_kill(&process, SIGTERM)));
    must(twice(&error, verd_process_wait(&process, &status)));
    verd_process_close(&process);
    return error;
}

/* Standard descriptors that are the caller's, and go where another one goes. */
static int run_with_descriptors(void)
{
    static const char *const program[] = {"true", NULL};
    verd_process_options options = {
        .arguments = program, .input = 1, .output = 2, .error = VERD_PROCESS_OUTPUT};
    verd_process process;
    int error = 0;
    must(twice(&error, verd_spawn_process(&process, &options)));
    must(twice(&error, verd_process_wait(&process, NULL)));
    return error;
}

/* ---- signals and forks ---- */

static void raise_soon(void *arg)
{
    (void)arg;
    real_kill(getpid(), SIGUSR1);
}

static int wait_for_a_signal(void)
{
    sigset_t set;
    int error = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (verd_spawn_n(raise_soon, NULL) != 0)
        return errno;
    must(twice(&error, verd_signal_wait(&set, NULL)));
    return error;
}

/* The child of a fork does as its parent did. */
static int go_on(void)
{
    char byte = 0;
    int fds[2], error = 0;
    must(twice(&error, verd_pipe(fds)));
    must(twice(&error, verd_write(fds[1], "x", 1)));
    must(twice(&error, verd_read(fds[0], &byte, 1)) && byte == 'x');
    error = either(error, either(error_of(verd_close(fds[0])), error_of(verd_close(fds[1]))));
    if (!process_is_emulated()) /* qemu cannot fork a process with several OS threads */
        error = either(error, offload());
    return either(error, wait_for_a_signal());
}

/* With numbers free below those that the library has, its new descriptors must move to their places. */
static int fork_and_go_on(void)
{
    int status = -1, holes[2];
    must(real_pipe2(holes, O_CLOEXEC) == 0);
    int error = go_on();
    must(real_close(holes[0]) == 0 && real_close(holes[1]) == 0);
    if (error != 0)
        return error;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* is not inherited */
        _exit(go_on());
    }
    must(real_waitpid(pid, &status, 0) == pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        abort();
    must(WIFEXITED(status));
    return either(WEXITSTATUS(status), go_on());
}

/* The life of a hub and an inbox, which begin and end with their OS thread. */
static void *live(void *arg)
{
    int *error = arg;
    *error = either(post_from_here(), go_on());
    return NULL;
}

static int live_on_an_os_thread(void)
{
    pthread_t thread;
    sigset_t set;
    int error = -1;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    must(real_pthread_create(&thread, NULL, live, &error) == 0);
    pthread_join(thread, NULL);
    return error;
}

#define COMMON ENOMEM, EMFILE, ENFILE

const struct scenario os_scenarios[] = {
    {"post", post_from_here, .errors = {COMMON}, .first = true},
    {"post_elsewhere", post_from_an_os_thread, .errors = {COMMON}},
    {"offload", offload, .errors = {COMMON, EAGAIN}, .first = true},
    {"offload_with", offload_and_give_up, .errors = {COMMON, EAGAIN}, .first = true},
    {"offload_resize", offload_resize, .errors = {COMMON, EAGAIN}, .first = true},
    {"getaddrinfo_number", resolve_a_number, .errors = {ENOMEM, EMFILE, EIO}, .first = true},
    {"getaddrinfo_name", resolve_a_name, .errors = {COMMON, EAGAIN, EIO}, .first = true},
    {"file", file_by_path, .errors = {COMMON, EAGAIN, EIO, ENOSPC}, .first = true},
    {"terminal_without_threads", terminal_without_os_threads,
     .errors = {COMMON, ENOBUFS, EIO, ENOSPC}},
    {"file_uncached", file_uncached, .errors = {COMMON, EAGAIN, EIO, ENOSPC}},
    {"file_as_a_stream", file_as_a_stream, .errors = {COMMON, EIO, ENOSPC, ENOBUFS, ECONNRESET},
     .first = true},
    {"unwatched", all_unwatched, .errors = {COMMON, EAGAIN, EIO, ENOSPC}},
    {"waitpid", wait_for_a_child, .errors = {COMMON, ECHILD}, .first = true},
    {"process", run_a_program,
     .errors = {COMMON, EAGAIN, EIO, ENOSPC, EPERM, ECHILD, ESRCH, ENOBUFS, ECONNRESET},
     .first = true},
    {"process_descriptors", run_with_descriptors, .errors = {COMMON, EAGAIN, EIO, ECHILD}},
    {"signal_wait", wait_for_a_signal, .errors = {COMMON}, .first = true},
    {"hub_of_an_os_thread", live_on_an_os_thread, .errors = {COMMON, EAGAIN, EIO, ENOSPC, ENOBUFS}},
    {"fork", fork_and_go_on, .errors = {COMMON, EAGAIN, EIO, ENOSPC, ENOBUFS},
     .last = "libverd: the child of a fork cannot make "},
    {0},
};
