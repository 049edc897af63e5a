/* SPDX-License-Identifier: MIT */

/* A parent and its child that run side by side: nothing of the one reaches the other. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "call.h"
#include "caller.h"
#include "offload/inbox.h"
#include "process.h"

/* The two tell each other, by a byte in a pipe, that it is the other one's turn. */
static int to_child[2], to_parent[2];
static pid_t child;
static int pair[2];
static verd_hub *hub;
static int runs;

/* Forks off a child that calls fn, and exits with 0 if that returns true. Returns when it is the
 * parent's turn. */
static void fork_off(bool (*fn)(void))
{
    char byte;
    verd_pipe(to_child);
    verd_pipe(to_parent);
    child = fork();
    if (child == 0) {
        alarm(120); /* what hangs is a failure, but does not stay */
        _exit(fn() ? 0 : 1);
    }
    cr_assert_gt(child, 0);
    verd_read(to_parent[0], &byte, 1);
}

/* In the child: the parent's turn, until it has ended. */
static void let_parent(void)
{
    char byte;
    verd_write(to_parent[1], "x", 1);
    verd_read(to_child[0], &byte, 1);
}

/* In the parent, once: the child's turn, to its end. Returns whether it was content. */
static bool let_child(void)
{
    int status = -1;
    verd_write(to_child[1], "x", 1);
    verd_waitpid(child, &status, 0);
    return status == 0;
}

/* Lets everything come that is on its way, through the kernel too. */
static void look_around(void)
{
    for (int i = 0; i < 10; i++) {
        settle();
        verd_sleep(VERD_MS);
    }
}

/* ---- descriptors ---- */

static struct call waiter;

/* The child closes its copies, and waits for another file with the number of the parent's. */
static bool is_not_woken(void)
{
    int old = pair[0];
    verd_close(pair[0]);
    verd_close(pair[1]);
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    call_start(&waiter, call_read, old);
    let_parent();
    look_around();
    return (pair[0] == old || pair[1] == old) && !waiter.returned;
}

Test(fork, an_event_for_a_descriptor_of_the_parent_does_not_reach_the_child)
{
    struct call reader = {0};
    make_pair(pair);
    call_start(&reader, call_read, pair[0]);
    fork_off(is_not_woken);
    verd_write(pair[1], "x", 1);
    cr_expect_eq(call_end(&reader), 1);
    cr_expect(let_child());
}

static bool writes_to_what_the_parent_has_closed(void)
{
    let_parent();
    verd_write(pair[1], "x", 1);
    verd_shutdown(pair[1], SHUT_RDWR);
    return true;
}

/* The child keeps the file open, and so registered with the parent's epoll. */
Test(fork, what_the_child_has_open_does_not_wake_who_waits_for_the_next_of_its_number)
{
    struct call reader = {0}, successor = {0};
    int fds[2];
    make_pair(pair);
    call_start(&reader, call_read, pair[0]);
    fork_off(writes_to_what_the_parent_has_closed);
    verd_close(pair[0]);
    cr_expect_eq(call_end(&reader), -EBADF);
    make_pair(fds);
    cr_assert_eq(fds[0], pair[0]);
    call_start(&successor, call_read, fds[0]);
    cr_expect(let_child());
    look_around();
    cr_expect_not(successor.returned);
    verd_write(fds[1], "ab", 2);
    cr_expect_eq(call_end(&successor), 2);
}

/* ---- a fork by a green thread while others wait ---- */

#define READERS 8

static struct call readers[READERS];
static int pairs[READERS][2];

static bool uses_everything(void)
{
    struct call reader = {0};
    int fds[2], port;
    verd_timeout limit;
    for (int i = 0; i < READERS; i++) {
        verd_close(pairs[i][0]);
        verd_close(pairs[i][1]);
    }
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "abc", 3);
    verd_timeout_begin(&limit, VERD_MS);
    bool late = outcome(verd_accept(make_listener(&port), NULL, NULL)) == -ETIMEDOUT;
    return verd_timeout_end(&limit) && late && call_end(&reader) == 3;
}

static void *fork_in_thread(void *arg)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(uses_everything() ? 0 : 1);
    verd_waitpid(pid, &status, 0);
    *(int *)arg = status;
    return NULL;
}

Test(fork, others_wait_on_in_the_parent_when_a_thread_forks)
{
    int status = -1;
    for (int i = 0; i < READERS; i++) {
        make_pair(pairs[i]);
        call_start(&readers[i], call_read, pairs[i][0]);
    }
    verd_join(verd_spawn(fork_in_thread, &status), NULL);
    cr_expect_eq(status, 0);
    for (int i = 0; i < READERS; i++) {
        cr_assert_not(readers[i].returned);
        verd_write(pairs[i][1], "ab", 2);
        cr_assert_eq(call_end(&readers[i]), 2);
    }
}

static verd_timeout scope;

static bool runs_out_of_time(void)
{
    return outcome(verd_sleep(VERD_FOREVER)) == -ETIMEDOUT && verd_timeout_end(&scope);
}

Test(fork, a_timeout_of_the_caller_goes_on_in_both)
{
    pid_t pid;
    int status = -1;
    verd_timeout_begin(&scope, 20 * VERD_MS);
    verd_sleep(VERD_MS); /* arms it */
    pid = fork();
    if (pid == 0)
        _exit(runs_out_of_time() ? 0 : 1);
    cr_expect(runs_out_of_time());
    verd_waitpid(pid, &status, 0);
    cr_expect_eq(status, 0);
}

/* ---- posts ---- */

static void run(void *arg)
{
    (void)arg;
    runs++;
}

static bool gets_no_posts(void)
{
    let_parent();
    look_around();
    return runs == 0;
}

static bool posts_to_itself(void)
{
    look_around(); /* its receiver waits */
    verd_post(hub, run, NULL);
    look_around();
    let_parent();
    return runs == 1;
}

static void open_hub(void)
{
    hub = verd_hub_open();
    look_around();
}

Test(fork, posts_to_the_parent_do_not_reach_the_child)
{
    open_hub();
    fork_off(gets_no_posts);
    verd_post(hub, run, NULL);
    look_around();
    cr_expect_eq(runs, 1);
    cr_expect(let_child());
}

Test(fork, posts_to_the_child_do_not_reach_the_parent)
{
    open_hub();
    fork_off(posts_to_itself);
    look_around();
    cr_expect_eq(runs, 0);
    cr_expect(let_child());
    verd_post(hub, run, NULL);
    look_around();
    cr_expect_eq(runs, 1);
}

/* What the kernel calls the eventfd; 0: it does not tell. */
static unsigned eventfd_id(int fd)
{
    char path[64], line[128];
    unsigned id = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    while (file != NULL && id == 0 && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "eventfd-id: %u", &id) != 1)
            id = 0;
    }
    if (file != NULL)
        fclose(file);
    return id;
}

static unsigned parents_id;

static bool has_another_eventfd(void)
{
    let_parent();
    return eventfd_id(hub->fd) != parents_id;
}

Test(fork, the_child_is_woken_by_an_eventfd_of_its_own)
{
    open_hub();
    parents_id = eventfd_id(hub->fd);
    if (parents_id == 0)
        cr_skip_test("this kernel gives eventfds no numbers");
    fork_off(has_another_eventfd);
    cr_expect_eq(eventfd_id(hub->fd), parents_id);
    cr_expect(let_child());
}

/* ---- signals ---- */

static sigset_t terminate;

static int wait_signal(struct caller *self)
{
    (void)self;
    return verd_signal_wait(&terminate, NULL);
}

static bool gets_no_signal(void)
{
    struct caller signalled;
    caller_start(&signalled, wait_signal, NULL, NULL);
    let_parent();
    look_around();
    return !signalled.done;
}

static bool signals_itself(void)
{
    struct caller signalled;
    caller_start(&signalled, wait_signal, NULL, NULL);
    kill(getpid(), SIGTERM);
    bool got = caller_end(&signalled) == SIGTERM;
    let_parent();
    return got;
}

static void wait_for_termination(struct caller *signalled)
{
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    caller_start(signalled, wait_signal, NULL, NULL);
}

Test(fork, a_signal_to_the_child_does_not_reach_the_parent)
{
    struct caller signalled;
    wait_for_termination(&signalled);
    fork_off(signals_itself);
    look_around();
    cr_expect_not(signalled.done);
    cr_expect(let_child());
    kill(getpid(), SIGTERM);
    cr_expect_eq(caller_end(&signalled), SIGTERM);
}

Test(fork, a_signal_to_the_parent_does_not_reach_the_child)
{
    struct caller signalled;
    wait_for_termination(&signalled);
    fork_off(gets_no_signal);
    kill(getpid(), SIGTERM);
    cr_expect_eq(caller_end(&signalled), SIGTERM);
    cr_expect(let_child());
}

/* ---- children of children ---- */

static bool waits_for_its_own_child(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        verd_sleep(VERD_MS);
        _exit(7);
    }
    bool reaped = verd_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7;
    bool sibling = verd_waitpid(child, NULL, 0) == -1 && errno == ECHILD;
    let_parent();
    return reaped && sibling;
}

static int wait_for_first(struct caller *self)
{
    return (int)verd_waitpid(*(pid_t *)self->object, self->item, 0);
}

Test(fork, each_waits_for_its_own_children)
{
    struct caller waiting;
    int status = -1;
    pid_t first = fork();
    if (first == 0) {
        pause();
        _exit(0);
    }
    caller_start(&waiting, wait_for_first, &first, &status);
    child = first; /* for the next one to try */
    fork_off(waits_for_its_own_child);
    cr_expect_not(waiting.done);
    cr_expect(let_child());
    kill(first, SIGKILL);
    cr_expect_eq(caller_end(&waiting), first);
}

/* ---- names, on other OS threads ---- */

static bool resolves(void)
{
    struct addrinfo *found = NULL;
    bool known = verd_getaddrinfo("localhost", "80", NULL, &found) == 0;
    let_parent();
    if (found != NULL)
        freeaddrinfo(found);
    return known;
}

Test(fork, both_look_up_names)
{
    if (process_is_emulated())
        cr_skip_test("the emulator aborts when a forked child starts an OS thread");
    struct addrinfo *found = NULL;
    cr_expect_eq(verd_getaddrinfo("localhost", "80", NULL, &found), 0);
    freeaddrinfo(found);
    fork_off(resolves);
    cr_expect_eq(verd_getaddrinfo("localhost", "80", NULL, &found), 0);
    freeaddrinfo(found);
    cr_expect(let_child());
}
