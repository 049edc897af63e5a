/* SPDX-License-Identifier: MIT */

/* A kernel, or a sandbox, that refuses what the hub is made of: one line says which call has failed and
 * what may help, and the process aborts. It neither hangs nor spins. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <verd.h>

#include "child.h"

/* A few seconds of spinning are a failure, too. */
#define HANGS 10

/* From now on a system call fails with this errno. False: there is no way to have it so. */
static bool refuse(long number, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* A thread waits for a pipe, to which another one writes after a while. */
static void *write_later(void *fd)
{
    verd_sleep(20 * VERD_MS);
    verd_write((int)(intptr_t)fd, "x", 1);
    return NULL;
}

static void wait_for_pipe(void)
{
    int fds[2];
    char byte;
    alarm(HANGS);
    if (verd_pipe(fds) == 0 && verd_spawn(write_later, (void *)(intptr_t)fds[1]) != NULL)
        verd_read(fds[0], &byte, 1);
}

static void refuse_waits(int error)
{
    refuse(SYS_epoll_pwait, error);
#ifdef SYS_epoll_wait
    refuse(SYS_epoll_wait, error);
#endif
#ifdef SYS_epoll_pwait2
    refuse(SYS_epoll_pwait2, error);
#endif
    wait_for_pipe();
}

static void wait_is_not_allowed(void)
{
    refuse_waits(EPERM);
}

static void wait_is_not_known(void)
{
    refuse_waits(ENOSYS);
}

static void control_is_not_allowed(void)
{
    refuse(SYS_epoll_ctl, EPERM);
    wait_for_pipe();
}

static void control_is_not_known(void)
{
    refuse(SYS_epoll_ctl, ENOSYS);
    wait_for_pipe();
}

static void create_is_not_allowed(void)
{
    refuse(SYS_epoll_create1, EPERM);
    wait_for_pipe();
}

static void create_is_not_known(void)
{
    refuse(SYS_epoll_create1, ENOSYS);
    wait_for_pipe();
}

static void poll_is_not_allowed(void)
{
    refuse(SYS_ppoll, EPERM);
    wait_for_pipe();
}

static void poll_is_not_known(void)
{
    refuse(SYS_ppoll, ENOSYS);
    wait_for_pipe();
}

/* One that the library can do without. */
static void the_newest_wait_is_not_allowed(void)
{
#ifdef SYS_epoll_pwait2
    refuse(SYS_epoll_pwait2, EPERM);
#endif
    wait_for_pipe();
}

#define REFUSED(what, error) {"libverd: ", what, error, "VERD_HUB=poll"}

static const struct scene epoll_scenes[] = {
    {"wait: EPERM", wait_is_not_allowed, SIGABRT, 0, REFUSED("epoll_", "not permitted"), NULL, 0},
    {"wait: ENOSYS", wait_is_not_known, SIGABRT, 0, REFUSED("epoll_", "not impl"), NULL, 0},
    {"ctl: EPERM", control_is_not_allowed, SIGABRT, 0, REFUSED("epoll_ctl", "not perm"), NULL, 0},
    {"ctl: ENOSYS", control_is_not_known, SIGABRT, 0, REFUSED("epoll_ctl", "not impl"), NULL, 0},
    {"create: EPERM", create_is_not_allowed, SIGABRT, 0, REFUSED("epoll_c", "not perm"), NULL, 0},
    {"create: ENOSYS", create_is_not_known, SIGABRT, 0, REFUSED("epoll_c", "not impl"), NULL, 0},
    {"pwait2: EPERM", the_newest_wait_is_not_allowed, 0, 0, {NULL}, "libverd", 0},
};

static const struct scene poll_scenes[] = {
    {"poll: EPERM", poll_is_not_allowed, SIGABRT, 0, {"libverd: ", "ppoll", "not perm"}, NULL, 0},
    {"poll: ENOSYS", poll_is_not_known, SIGABRT, 0, {"libverd: ", "ppoll", "not impl"}, NULL, 0},
};

static void try_a_filter(void)
{
    _exit(refuse(SYS_epoll_create1, EPERM) && syscall(SYS_epoll_create1, 0) < 0 ? 0 : 1);
}

int main(void)
{
    static const struct scene trial = {.name = "filter", .play = try_a_filter};
    char text[256];
    int status = play(&trial, text, sizeof text);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return skip("no system call can be made to fail here");
    setenv("VERD_HUB", "epoll", 1);
    int result = play_all(epoll_scenes, sizeof epoll_scenes / sizeof *epoll_scenes);
    setenv("VERD_HUB", "poll", 1);
    return result | play_all(poll_scenes, sizeof poll_scenes / sizeof *poll_scenes);
}
