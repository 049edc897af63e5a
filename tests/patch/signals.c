/* SPDX-License-Identifier: MIT */

/* Which wait a handler ends. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <verd.h>

#include "call.h"
#include "offload/offload.h"
#include "patch/posix.h"
#include "patch/pthread.h"

static int silent[2];
static volatile sig_atomic_t caught;

static void catch (int signal)
{
    (void)signal;
    caught++;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = catch, .sa_flags = flags};
    cr_assert_eq(verd_posix_sigaction(signal, &action, NULL), 0);
}

static void make_world(void)
{
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(silent), 0);
}

static ssize_t read_silent(struct call *call)
{
    return verd_posix_read(silent[0], call->data, 1);
}

/* Another green thread's doings, while main waits. */
static void raise_soon(void *arg)
{
    (void)arg;
    verd_sleep(5 * VERD_MS);
    raise(SIGUSR1);
}

static void write_later(void *arg)
{
    (void)arg;
    verd_sleep(30 * VERD_MS);
    cr_assert_eq(write(silent[1], "x", 1), 1);
}

static int sleep_for(long ms)
{
    return verd_posix_nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void count_turn(void *turns)
{
    ++*(size_t *)turns;
}

Test(patch, a_handler_ends_mains_wait_whatever_runs_at_the_moment)
{
    struct call other = {0};
    char byte;
    make_world();
    handle(SIGUSR1, 0);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(outcome(verd_posix_read(silent[0], &byte, 1)), -EINTR);
    call_start(&other, read_silent, -1);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(outcome(sleep_for(1000000)), -EINTR);
    cr_expect_not(other.returned, "it is main's signal");
}

static atomic_bool is_told;

/* Until it is told: it may be too early for a slow machine. */
static void *raise_later(void *thread)
{
    while (!atomic_load(&is_told)) {
        usleep(20000);
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
    }
    return NULL;
}

Test(patch, a_handler_ends_mains_wait_that_is_the_hubs)
{
    pthread_t self = pthread_self(), thread;
    char byte;
    make_world();
    handle(SIGUSR1, 0);
    cr_assert_eq(pthread_create(&thread, NULL, raise_later, &self), 0);
    cr_expect_eq(outcome(verd_posix_read(silent[0], &byte, 1)), -EINTR);
    atomic_store(&is_told, true);
    pthread_join(thread, NULL);
}

Test(patch, a_handler_ends_nobodys_wait_if_main_waits_otherwise)
{
    struct call reader = {0};
    make_world();
    handle(SIGUSR1, 0);
    call_start(&reader, read_silent, -1);
    verd_spawn_n(raise_soon, NULL);
    cr_assert_eq(verd_sleep(20 * VERD_MS), 0);
    cr_expect_eq(caught, 1);
    cr_expect_not(reader.returned);
}

Test(patch, a_handler_with_SA_RESTART_ends_no_read_but_a_sleep)
{
    char byte;
    make_world();
    handle(SIGUSR1, SA_RESTART);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(outcome(sleep_for(1000000)), -EINTR);
    verd_spawn_n(raise_soon, NULL);
    verd_spawn_n(write_later, NULL);
    cr_expect_eq(outcome(verd_posix_read(silent[0], &byte, 1)), 1);
    cr_expect_eq(caught, 2);
}

Test(patch, a_handler_ends_no_wait_of_the_librarys_own_calls)
{
    char byte;
    make_world();
    handle(SIGUSR1, 0);
    verd_spawn_n(raise_soon, NULL);
    verd_spawn_n(write_later, NULL);
    cr_expect_eq(outcome(verd_read(silent[0], &byte, 1)), 1);
    cr_expect_eq(caught, 1);
}

/* It ran before, and its wait was another. */
Test(patch, a_handler_ends_no_wait_that_begins_later)
{
    make_world();
    handle(SIGUSR1, 0);
    cr_assert_eq(sleep_for(1), 0); /* from here on it would be told */
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_expect_eq(sleep_for(10), 0);
}

/* ---- connecting, which other OS threads do ---- */

/* To a listener that has no room for it. Returns what verd_posix_connect does. */
static ssize_t connect_in_vain(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(sa_family_t); /* the kernel finds a name for it */
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    length = sizeof address;
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    cr_assert_eq(listen(listener, 0), 0);
    while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&address,
                   length) == 0)
        ;
    int client = verd_posix_socket(AF_UNIX, SOCK_STREAM, 0);
    verd_spawn_n(raise_soon, NULL);
    return outcome(verd_posix_connect(client, (struct sockaddr *)&address, length));
}

Test(patch, a_handler_ends_a_connect_that_another_OS_thread_makes, .timeout = 30)
{
    make_world();
    handle(SIGUSR1, 0);
    cr_expect_eq(connect_in_vain(), -EINTR);
}

static void *hold_worker(void *arg)
{
    usleep(50000);
    return arg;
}

static void hold_device_worker(void *arg)
{
    const struct verd__offload offload = {.kind = VERD_OFFLOAD_DEVICES, .fn = hold_worker};
    cr_assert_eq(verd__offload(&offload, arg), 0);
}

Test(patch, a_handler_ends_a_connect_that_no_OS_thread_has_begun, .timeout = 30)
{
    void *results[VERD_OFFLOAD_THREADS];
    make_world();
    handle(SIGUSR1, 0);
    for (int i = 0; i < VERD_OFFLOAD_THREADS; i++)
        verd_spawn_n(hold_device_worker, &results[i]);
    settle();
    cr_expect_eq(connect_in_vain(), -EINTR);
}

/* ---- a signal for one thread ---- */

static void *read_as_posix(void *arg)
{
    struct call *call = arg;
    call->outcome = outcome(read_silent(call));
    call->returned = true;
    return NULL;
}

/* Until main's next pause, of those that become longer, is over. */
static void raise_and_hold(void *arg)
{
    (void)arg;
    verd_sleep(20 * VERD_MS);
    raise(SIGUSR1);
    for (verd_duration until = verd_now() + 150 * VERD_MS; verd_now() < until;)
        continue;
}

static ssize_t lock_held(void)
{
    char path[] = "/tmp/verd-lock-XXXXXX";
    int holder = mkstemp(path), fd = open(path, O_RDWR);
    unlink(path);
    cr_assert_eq(flock(holder, LOCK_EX), 0);
    return verd_posix_flock(fd, LOCK_EX);
}

static ssize_t receive_half(void)
{
    int fds[2], mark = 4;
    char data[8];
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    cr_assert_eq(verd_posix_setsockopt(fds[0], SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark), 0);
    cr_assert_eq(verd_posix_write(fds[1], "ab", 2), 2);
    return verd_posix_recv(fds[0], data, sizeof data, 0);
}

static ssize_t wait_for_any_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(pause());
    ssize_t result = outcome(verd_posix_wait(&status));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    errno = (int)-result;
    return result < 0 ? -1 : result;
}

/* What nobody tells of is looked at time and again. */
Test(patch, a_handler_ends_a_call_between_two_of_its_looks, .timeout = 30)
{
    static const struct {
        const char *name;
        ssize_t (*call)(void);
        ssize_t outcome;
    } rows[] = {
        {"flock", lock_held, -EINTR},
        {"recv", receive_half, 2},
        {"wait", wait_for_any_child, -EINTR},
    };
    make_world();
    handle(SIGUSR1, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        verd_spawn_n(raise_and_hold, NULL);
        ssize_t result = outcome(rows[i].call());
        cr_expect_eq(result, rows[i].outcome, "%s: %zd", rows[i].name, result);
        cr_expect_eq(caught, (int)i + 1, "%s", rows[i].name);
    }
}

Test(patch, a_signal_for_one_thread_ends_its_wait_and_no_others)
{
    struct call reader = {0}, other = {0};
    pthread_t thread;
    make_world();
    handle(SIGUSR1, 0);
    call_start(&other, read_silent, -1);
    cr_assert_eq(verd_pthread_create(&thread, NULL, read_as_posix, &reader), 0);
    settle();
    cr_assert_not(reader.returned);
    cr_expect_eq(verd_pthread_kill(thread, SIGUSR1), 0);
    cr_expect_eq(sleep_for(10), 0, "main's is not ended");
    cr_expect(reader.returned && reader.outcome == -EINTR);
    cr_expect_not(other.returned);
    cr_expect_eq(verd_pthread_join(thread, NULL), 0);
}

Test(patch, a_handler_ends_mains_wait_for_a_semaphore)
{
    sem_t semaphore;
    make_world();
    handle(SIGUSR1, 0);
    verd_sem_init(&semaphore, 0, 0);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(outcome(verd_sem_wait(&semaphore)), -EINTR);
    verd_sem_post(&semaphore);
    cr_expect_eq(verd_sem_wait(&semaphore), 0);
}

/* ---- waiting for signals ---- */

Test(patch, others_run_until_a_handler_ends_a_pause)
{
    make_world();
    handle(SIGUSR1, SA_RESTART);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(outcome(verd_posix_pause()), -EINTR);
    cr_expect_eq(caught, 1);
}

Test(patch, others_run_until_a_signal_that_is_waited_for_comes)
{
    sigset_t usr1;
    siginfo_t info;
    int got = 0;
    make_world();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(verd_posix_sigwait(&usr1, &got), 0);
    cr_expect_eq(got, SIGUSR1);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(verd_posix_sigwaitinfo(&usr1, &info), SIGUSR1);
    cr_expect_eq(info.si_signo, SIGUSR1);
    struct timespec soon = {0, 10000000}, late = {1000, 0}, never = {0, 0}, wrong = {0, -1};
    cr_expect_eq(outcome(verd_posix_sigtimedwait(&usr1, &info, &soon)), -EAGAIN);
    cr_expect_eq(outcome(verd_posix_sigtimedwait(&usr1, &info, &never)), -EAGAIN);
    cr_expect_eq(outcome(verd_posix_sigtimedwait(&usr1, &info, &wrong)), -EINVAL);
    verd_spawn_n(raise_soon, NULL);
    cr_expect_eq(verd_posix_sigtimedwait(&usr1, &info, &late), SIGUSR1);
}

Test(patch, a_signal_ends_a_suspension_that_lets_it_come)
{
    sigset_t usr1, none;
    make_world();
    handle(SIGUSR1, 0);
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    cr_expect_eq(caught, 0);
    cr_expect_eq(outcome(verd_posix_sigsuspend(&none)), -EINTR);
    cr_expect_eq(caught, 1);
}

static void count_twice(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught += info->si_signo == signal ? 2 : 100;
}

Test(patch, a_handler_that_asks_for_more_is_told_more)
{
    struct sigaction action = {.sa_sigaction = count_twice, .sa_flags = SA_SIGINFO}, before;
    cr_assert_eq(verd_posix_sigaction(SIGUSR2, &action, NULL), 0);
    cr_assert_eq(raise(SIGUSR2), 0);
    cr_expect_eq(caught, 2);
    cr_assert_eq(verd_posix_sigaction(SIGUSR2, NULL, &before), 0);
    cr_expect(before.sa_sigaction == count_twice && (before.sa_flags & SA_SIGINFO));
}

/* ---- masks ---- */

static ssize_t poll_open(struct call *call)
{
    sigset_t none;
    sigemptyset(&none);
    (void)call;
    return verd_posix_ppoll(NULL, 0, NULL, &none);
}

static bool is_blocked(int signal)
{
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, signal);
}

Test(patch, a_mask_holds_as_long_as_its_wait)
{
    struct call poller = {0};
    sigset_t usr1;
    make_world();
    handle(SIGUSR1, 0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    caught = 0;
    raise(SIGUSR1);
    cr_expect_eq(caught, 0);
    cr_expect_eq(outcome(poll_open(NULL)), -EINTR); /* it comes as the mask lets it */
    cr_expect_eq(caught, 1);
    cr_expect(is_blocked(SIGUSR1));
    call_start(&poller, poll_open, -1);
    cr_expect_not(is_blocked(SIGUSR1));
    verd_kill(poller.thread);
    cr_expect_eq(call_end(&poller), -ECANCELED);
    cr_expect(is_blocked(SIGUSR1));
}

Test(patch, of_several_masks_the_last_holds_until_all_are_over)
{
    struct call first = {0}, second = {0};
    sigset_t usr1;
    make_world();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    call_start(&first, poll_open, -1);
    call_start(&second, poll_open, -1);
    verd_kill(first.thread);
    call_end(&first);
    cr_expect_not(is_blocked(SIGUSR1));
    verd_kill(second.thread);
    call_end(&second);
    cr_expect(is_blocked(SIGUSR1));
}

/* ---- calls in handlers ---- */

static void tell_pipe(int signal)
{
    (void)signal;
    if (verd_posix_write(silent[1], "x", 1) == 1)
        caught++;
}

/* It interrupts whatever runs, so nobody may give way in it. */
Test(patch, what_a_handler_calls_is_libcs)
{
    struct sigaction action = {.sa_handler = tell_pipe};
    char byte;
    make_world();
    cr_assert_eq(verd_posix_sigaction(SIGUSR1, &action, NULL), 0);
    size_t ran = 0;
    verd_spawn_n(count_turn, &ran);
    for (int i = 0; i < 1000; i++)
        raise(SIGUSR1);
    cr_expect_eq(caught, 1000);
    cr_expect_eq(ran, 0, "a handler has given way");
    cr_expect_eq(verd_posix_read(silent[0], &byte, 1), 1);
}

static sigjmp_buf out;

static void leave(int signal)
{
    (void)signal;
    siglongjmp(out, 1);
}

Test(patch, a_handler_that_was_left_is_over)
{
    struct sigaction action = {.sa_handler = leave};
    size_t ran = 0;
    make_world();
    cr_assert_eq(verd_posix_sigaction(SIGUSR1, &action, NULL), 0);
    if (sigsetjmp(out, 1) == 0)
        raise(SIGUSR1);
    verd_spawn_n(count_turn, &ran);
    cr_expect_eq(verd_posix_usleep(1000), 0);
    cr_expect_eq(ran, 1);
}

Test(patch, a_handler_that_another_file_has_saved_can_be_restored)
{
    struct sigaction saved;
    handle(SIGUSR1, 0);
    cr_assert_eq(sigaction(SIGUSR1, NULL, &saved), 0); /* which sees the library's */
    cr_assert_eq(verd_posix_sigaction(SIGUSR1, &saved, NULL), 0);
    raise(SIGUSR1);
    cr_expect_eq(caught, 1);
}

/* ---- children ---- */

Test(patch, a_child_that_has_ended_is_told_of_before_the_handler_of_its_end)
{
    make_world();
    handle(SIGCHLD, 0);
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            usleep(2000);
            _exit(0);
        }
        cr_assert_eq(verd_posix_wait(NULL), pid);
    }
}

/* ---- commands ---- */

static ssize_t run_long(struct call *call)
{
    (void)call;
    return verd_posix_system("exec sleep 1000");
}

Test(patch, signals_have_no_effect_until_the_last_of_several_commands_has_ended)
{
    struct call first = {0}, second = {0};
    make_world();
    handle(SIGCHLD, 0);
    handle(SIGINT, 0);
    handle(SIGQUIT, 0);
    call_start(&first, run_long, 0);
    call_start(&second, run_long, 0);
    verd_kill(first.thread);
    cr_expect_eq(call_end(&first), -ECANCELED);
    raise(SIGINT);
    raise(SIGQUIT);
    cr_expect_eq(caught, 0);
    verd_kill(second.thread);
    cr_expect_eq(call_end(&second), -ECANCELED);
    cr_expect_eq(caught, 1, "SIGCHLD");
    raise(SIGINT);
    raise(SIGQUIT);
    cr_expect_eq(caught, 3);
}

Test(patch, in_the_child_of_a_fork_there_is_no_command_that_holds_signals)
{
    struct call runner = {0};
    int status;
    make_world();
    handle(SIGCHLD, 0);
    handle(SIGINT, 0);
    call_start(&runner, run_long, 0);
    pid_t pid = fork();
    if (pid == 0) {
        caught = 0;
        raise(SIGCHLD);
        raise(SIGINT);
        _exit(caught);
    }
    cr_expect_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(WEXITSTATUS(status), 2);
    verd_kill(runner.thread);
    call_end(&runner);
}
