/* SPDX-License-Identifier: MIT */

/* The backdoor, asked by a client of the same process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

static char directory[] = "/tmp/verd-backdoor-XXXXXX";
static char path[64];

static void open_door(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/door", directory);
    cr_assert_eq(verd_backdoor(path), 0, "%s", strerror(errno));
}

static void close_door(void)
{
    cr_assert_eq(verd_backdoor(NULL), 0);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(rmdir(directory), 0);
}

static int come_in(void)
{
    int fd = verd_connect_unix(path);
    cr_assert_geq(fd, 0, "%s", strerror(errno));
    return fd;
}

/* What is answered up to an empty line. */
static const char *ask(int fd, const char *question)
{
    static char text[65536];
    size_t length = 0;
    verd_write_full(fd, question, strlen(question), NULL);
    verd_write_full(fd, "\n", 1, NULL);
    do {
        ssize_t n = verd_read(fd, text + length, sizeof text - 1 - length);
        cr_assert_gt(n, 0, "after \"%.*s\"", (int)length, text);
        length += (size_t)n;
    } while (!(length == 1 && text[0] == '\n') &&
             !(length >= 2 && text[length - 1] == '\n' && text[length - 2] == '\n'));
    text[length] = '\0';
    return text;
}

/* It is asked again for a while: what is told is of any moment. */
static void expect(const char *question, const char *contained)
{
    int fd = come_in();
    const char *text = ask(fd, question);
    for (int i = 0; i < 1000 && strstr(text, contained) == NULL; i++) {
        verd_sleep(VERD_MS);
        text = ask(fd, question);
    }
    cr_assert(strstr(text, contained) != NULL, "\"%s\" is not in the answer to %s:\n%s", contained,
              question, text);
    verd_close(fd);
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *read_one(void *fd)
{
    char byte;
    return verd_read((int)(intptr_t)fd, &byte, 1) < 0 ? (void *)(intptr_t)errno : NULL;
}

static void *sleep_long(void *arg)
{
    verd_sleep(1000 * VERD_SEC);
    return arg;
}

Test(debug, a_backdoor_is_for_its_owner_alone)
{
    struct stat status;
    open_door();
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0600);
    close_door();
}

Test(debug, a_backdoor_turns_another_user_away)
{
    if (geteuid() != 0)
        cr_skip_test("only root may become another user");
    open_door();
    chmod(path, 0777);
    chmod(directory, 0777);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        if (setuid(12345) != 0)
            _exit(2);
        int fd = verd_connect_unix(path);
        if (fd < 0)
            _exit(3);
        (void)!verd_write(fd, "help\n", 5); /* it may be closed already */
        _exit(verd_read(fd, &byte, 1) <= 0 ? 0 : 1);
    }
    int status;
    cr_assert_eq(verd_waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    close_door();
}

Test(debug, a_backdoor_tells_what_each_thread_waits_for)
{
    verd_attr attr = {.name = "parked"};
    verd_spawn_with(&attr, park, NULL);
    open_door();
    expect("threads", "\"parked\" waits for verd_unpark");
    expect("threads", "thread 0 (main) waits for");
    close_door();
}

static int ends[2];

static void *live_elsewhere(void *arg)
{
    verd_attr attr = {.name = "elsewhere"};
    char byte;
    verd_spawn_with(&attr, park, NULL);
    verd_yield();
    cr_assert_eq(write(ends[1], "x", 1), 1);
    verd_read(*(int *)arg, &byte, 1);
    return NULL;
}

Test(debug, a_backdoor_tells_of_the_threads_of_other_hubs)
{
    pthread_t thread;
    int go[2];
    char byte;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(pipe(go), 0);
    open_door();
    pthread_create(&thread, NULL, live_elsewhere, &go[0]);
    cr_assert_eq(verd_read(ends[0], &byte, 1), 1);
    expect("threads", "\"elsewhere\"");
    cr_assert_eq(write(go[1], "x", 1), 1);
    pthread_join(thread, NULL);
    close_door();
}

Test(debug, a_backdoor_shows_the_calls_of_a_thread)
{
    char question[32];
    verd_thread *thread = verd_spawn(park, NULL);
    open_door();
    snprintf(question, sizeof question, "bt %zu", verd_number(thread));
    expect(question, "park");
    expect(question, "    at ");
    expect("bt 99999", "no such thread");
    expect("bt x", "needs the number");
    close_door();
}

Test(debug, a_backdoor_tells_figures_and_has_switches_watched)
{
    open_door();
    expect("stats", "threads_alive 2\n");
    expect("stats", "switches 0\n");
    expect("watch on", "done");
    struct verd_stats stats;
    cr_assert_eq(verd_stats(&stats), 0);
    cr_assert(stats.watched);
    expect("watch off", "done");
    expect("watch", "watch on, or watch off");
    close_door();
}

Test(debug, a_backdoor_tells_of_pools_descriptors_and_timers)
{
    int fds[2];
    char line[64];
    cr_assert_eq(verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    verd_attr attr = {.name = "fetch"};
    verd_pool *pool = verd_pool_new_with(7, &attr);
    verd_thread *sleeper = verd_pool_spawn(pool, sleep_long, NULL);
    verd_thread *reader = verd_spawn(read_one, (void *)(intptr_t)fds[0]);
    verd_thread *later = verd_spawn_after(1000 * VERD_SEC, park, NULL);
    open_door();
    expect("pools", "\"fetch\": 1 of 7 run, 0 wait for a place");
    snprintf(line, sizeof line, "descriptor %d: a socket, thread %zu waits for input", fds[0],
             verd_number(reader));
    expect("fds", line);
    snprintf(line, sizeof line, "thread %zu: the end of its wait in 99", verd_number(sleeper));
    expect("timers", line);
    snprintf(line, sizeof line, "thread %zu starts in 99", verd_number(later));
    expect("timers", line);
    verd_cancel(later);
    verd_kill(sleeper);
    verd_join(sleeper, NULL);
    verd_pool_free(pool);
    expect("pools", "\n");
    close_door();
}

Test(debug, a_backdoor_ends_what_a_thread_waits_for)
{
    int fds[2];
    char question[32];
    void *error;
    cr_assert_eq(verd_pipe(fds), 0);
    verd_thread *reader = verd_spawn(read_one, (void *)(intptr_t)fds[0]);
    verd_yield();
    open_door();
    snprintf(question, sizeof question, "kill %zu", verd_number(reader));
    expect(question, "done");
    cr_assert_eq(verd_join(reader, &error), 0);
    cr_assert_eq((intptr_t)error, ECANCELED);
    close_door();
}

Test(debug, a_backdoor_begins_and_ends_a_trace)
{
    char file[96];
    open_door();
    snprintf(file, sizeof file, "%s.json", path);
    expect("trace on", file);
    expect("trace on /tmp/other", strerror(EBUSY));
    expect("trace off", "done");
    expect("trace off", strerror(EINVAL));
    expect("trace", "trace on, trace on PATH, or trace off");
    cr_assert_eq(unlink(file), 0);
    close_door();
}

Test(debug, a_backdoor_takes_several_questions_and_those_that_it_does_not_know)
{
    open_door();
    int fd = come_in();
    cr_assert(strstr(ask(fd, "help"), "kill N") != NULL);
    cr_assert(strstr(ask(fd, "what"), "help tells") != NULL);
    cr_assert_str_eq(ask(fd, ""), "\n");
    cr_assert(strstr(ask(fd, "  stats  "), "threads_made") != NULL);
    verd_close(fd);
    close_door();
}

Test(debug, a_backdoor_puts_lines_together_and_sends_whoever_has_a_longer_one_away)
{
    char byte, line[2000];
    open_door();
    int fd = come_in();
    cr_assert_eq(verd_write_full(fd, "he", 2, NULL), 2);
    verd_sleep(VERD_MS);
    cr_assert(strstr(ask(fd, "lp\r"), "kill N") != NULL);
    memset(line, 'x', sizeof line);
    verd_write_full(fd, line, sizeof line, NULL);
    cr_assert_leq(verd_read(fd, &byte, 1), 0);
    verd_close(fd);
    close_door();
}

Test(debug, a_backdoor_lets_in_eight_and_whoever_comes_when_one_has_left)
{
    int fds[8];
    char byte;
    open_door();
    for (int i = 0; i < 8; i++) {
        fds[i] = come_in();
        ask(fds[i], "help");
    }
    int ninth = come_in();
    cr_assert_leq(verd_read(ninth, &byte, 1), 0);
    verd_close(ninth);
    verd_close(fds[3]);
    for (bool in = false; !in;) {
        fds[3] = come_in();
        in = verd_write(fds[3], "\n", 1) == 1 && verd_read(fds[3], &byte, 1) == 1;
        if (!in)
            verd_close(fds[3]);
    }
    close_door();
    for (int i = 0; i < 8; i++)
        cr_assert_leq(verd_read(fds[i], &byte, 1), 0);
}

Test(debug, a_client_that_reads_nothing_holds_nobody_up)
{
    open_door();
    for (int i = 0; i < 2000; i++)
        verd_spawn(park, NULL);
    verd_yield();
    int silent = come_in();
    for (int i = 0; i < 50; i++)
        verd_write_full(silent, "threads\n", 8, NULL);
    expect("stats", "threads_alive 200");
    close_door();
}

Test(debug, a_hub_has_one_backdoor_at_a_time)
{
    cr_assert_eq(verd_backdoor(NULL), -1);
    cr_assert_eq(errno, EINVAL);
    open_door();
    cr_assert_eq(verd_backdoor(path), -1);
    cr_assert_eq(errno, EBUSY);
    cr_assert_eq(verd_backdoor(NULL), 0);
    cr_assert_eq(verd_backdoor(path), 0);
    close_door();
    cr_assert_eq(verd_backdoor("@name"), -1);
    cr_assert_eq(errno, EINVAL);
}

Test(debug, the_child_of_a_fork_has_no_backdoor_and_leaves_its_parents_alone)
{
    open_door();
    int fd = come_in();
    ask(fd, "help");
    pid_t child = fork();
    if (child == 0)
        _exit(verd_backdoor(NULL) == -1 && errno == EINVAL && access(path, F_OK) == 0 ? 0 : 1);
    int status;
    cr_assert_eq(verd_waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert(strstr(ask(fd, "help"), "kill N") != NULL);
    verd_close(fd);
    close_door();
}

static void *open_and_leave(void *arg)
{
    cr_assert_eq(verd_backdoor(path), 0);
    int fd = come_in();
    ask(fd, "help");
    return arg;
}

Test(debug, the_end_of_an_os_thread_closes_its_backdoor)
{
    pthread_t thread;
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/door", directory);
    pthread_create(&thread, NULL, open_and_leave, NULL);
    pthread_join(thread, NULL);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(rmdir(directory), 0);
}
