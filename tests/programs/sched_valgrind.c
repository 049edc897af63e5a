/* SPDX-License-Identifier: MIT */

/* A program with green threads runs under valgrind without a word from it: stacks are registered,
 * nothing is read before it is written, and no system call is made that valgrind does not know. And memcheck knows of
 * guards. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

#include <verd.h>

#include "child.h"

static __attribute__((noinline)) int use_stack(int depth)
{
    volatile char frame[2000];
    frame[0] = (char)depth;
    frame[1999] = frame[0];
    return depth == 0 ? frame[1999] : use_stack(depth - 1) + frame[1999];
}

static void *work(void *arg)
{
    verd_timeout limit;
    use_stack(20);
    verd_timeout_begin(&limit, VERD_MS);
    verd_park();
    verd_timeout_end(&limit);
    verd_yield();
    use_stack(30);
    verd_stack_used(verd_self());
    verd_sleep(100 * VERD_US);
    return arg;
}

/* What waits in the hub, and what asks the kernel for more than waiting. */
static void use_descriptors(void)
{
    static const char *const true_argv[] = {"true", NULL};
    char byte[4] = "abc";
    int ends[2], pair[2];
    verd_timeout limit;
    verd_pipe(ends);
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    verd_timeout_begin(&limit, VERD_MS);
    verd_read(ends[0], byte, 1);
    verd_timeout_end(&limit);
    for (int i = 0; i < 2; i++) {
        int from = i == 0 ? ends[0] : pair[0], to = i == 0 ? ends[1] : pair[1];
        verd_write_full(to, byte, 3, NULL);
        verd_read(from, byte, 3);
        verd_close(from);
        verd_close(to);
    }
    int file = verd_open("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    verd_pread(file, byte, 4, 0);
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    verd_sendfile(pair[0], file, &(off_t){0}, 1000);
    verd_close(pair[0]);
    verd_close(pair[1]);
    verd_close(file);
    verd_process child;
    if (verd_spawn_process(&child, &(verd_process_options){.arguments = true_argv}) == 0)
        verd_process_wait(&child, NULL);
}

static void *work_with_many(void *arg)
{
    enum { MANY = 100 };
    verd_attr attr = {.name = "worker", .stack_size = 128 * 1024};
    verd_thread *threads[MANY];
    for (int i = 0; i < MANY; i++)
        threads[i] = i % 2 ? verd_spawn(work, arg) : verd_spawn_with(&attr, work, arg);
    verd_yield();
    for (int i = 0; i < MANY; i += 3)
        verd_kill(threads[i]);
    for (int i = 0; i < MANY; i++)
        verd_join(threads[i], NULL);
    verd_spawn(work, arg); /* unfinished when the OS thread ends */
    verd_yield();
    return NULL;
}

static int be_watched(void)
{
    pthread_t os_thread;
    for (int i = 0; i < 2; i++) {
        pthread_create(&os_thread, NULL, work_with_many, NULL);
        pthread_join(os_thread, NULL);
    }
    work_with_many(NULL);
    use_descriptors();
    return 0;
}

/* Has the kernel read a byte of each page, up to the guard of the stack above. */
static void *reach_a_guard(void *arg)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int fds[2];
    verd_pipe(fds);
    const char *at = (const char *)((uintptr_t)fds / page * page);
    while (write(fds[1], at + page, 1) == 1)
        at += page;
    return errno == EFAULT ? arg : NULL;
}

static int be_beside_a_guard(void)
{
    static int found;
    void *result = NULL;
    verd_join(verd_spawn(reach_a_guard, &found), &result);
    return result == &found ? 0 : 1;
}

static void run_valgrind(const char *as)
{
    static char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0)
        execlp("valgrind", "valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
               "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite", self, as,
               (char *)NULL);
    _exit(errno == ENOENT ? 77 : 1);
}

static void watch(void)
{
    run_valgrind("watched");
}

static void watch_beside_a_guard(void)
{
    run_valgrind("beside_a_guard");
}

static void run_valgrind_on_nothing(void)
{
    int out = open("/dev/null", O_WRONLY);
    dup2(out, STDOUT_FILENO);
    execlp("valgrind", "valgrind", "--version", (char *)NULL);
    _exit(77);
}

int main(int argc, char *argv[])
{
    static const struct scene present = {.name = "present", .play = run_valgrind_on_nothing};
    static const struct scene scenes[] = {
        {"valgrind", watch, 0, 0, {NULL}, "\n", 0},
        {"a guard", watch_beside_a_guard, 0, 99, {"points to unaddressable byte(s)"}, NULL, 0},
    };
    const char *config = getenv("VERD_CONFIG");
    char text[256];
    if (argc == 2 && strcmp(argv[1], "watched") == 0)
        return be_watched();
    if (argc == 2 && strcmp(argv[1], "beside_a_guard") == 0)
        return be_beside_a_guard();
    if (config != NULL && (strcmp(config, "asan") == 0 || strcmp(config, "ubsan") == 0))
        return skip("valgrind and sanitizers do not go together");
    if (getenv("QEMU_LD_PREFIX") != NULL && getenv("QEMU_LD_PREFIX")[0] != '\0')
        return skip("valgrind does not run under an emulator");
    if (!ended_as_expected(&present, play(&present, text, sizeof text)))
        return skip("there is no valgrind");
    return play_all(scenes, sizeof scenes / sizeof *scenes);
}
