/* SPDX-License-Identifier: MIT */

/* What a report says to who has to find the knot: which lock or condition is waited for and who has it, what
 * an unnamed thread was started with, and which OS thread's
 * they are. */
#include <pthread.h>
#include <stdint.h>

#include <verd.h>

#include "child.h"

static verd_mutex one, other;
static verd_rwlock lock;
static verd_cond cond;

static void *lock_other_then_one(void *arg)
{
    verd_mutex_lock(&other);
    verd_yield();
    verd_mutex_lock(&one);
    return arg;
}

/* Each has what the other one waits for. */
static void lock_crosswise(void)
{
    verd_attr attr = {.name = "second"};
    fprintf(stderr, "one %p other %p\n", (void *)&one, (void *)&other);
    verd_mutex_lock(&one);
    verd_spawn_with(&attr, lock_other_then_one, NULL);
    verd_yield();
    verd_mutex_lock(&other);
}

static void *write_lock(void *arg)
{
    verd_rwlock_write_lock(&lock);
    verd_park();
    return arg;
}

static void wait_for_a_writer(void)
{
    verd_attr attr = {.name = "writer"};
    verd_spawn_with(&attr, write_lock, NULL);
    verd_yield();
    verd_rwlock_read_lock(&lock);
}

static void wait_for_a_condition(void)
{
    fprintf(stderr, "cond %p\n", (void *)&cond);
    verd_mutex_lock(&one);
    verd_cond_wait(&cond, &one);
}

static void *park_unnamed(void *arg)
{
    verd_park();
    return arg;
}

static void start_unnamed(void)
{
    verd_spawn(park_unnamed, NULL);
    verd_yield();
    verd_park();
}

static void *report_hub(void *arg)
{
    verd_attr attr = {.name = "same"};
    verd_spawn_with(&attr, park_unnamed, NULL);
    verd_yield();
    verd_report();
    return arg;
}

static void report_two_hubs(void)
{
    pthread_t os_thread;
    report_hub(NULL);
    pthread_create(&os_thread, NULL, report_hub, NULL);
    pthread_join(os_thread, NULL);
}

/* ---- what must be there ---- */

static char text[65536];

/* The address that was printed behind `what`. */
static const char *address_of(const char *what)
{
    static char address[4][32];
    static int turn;
    char *room = address[turn++ % 4];
    const char *at = strstr(text, what);
    if (at == NULL || sscanf(at + strlen(what), " %31s", room) != 1)
        return "?";
    return room;
}

/* Whether a line of the report has all these parts, in this order. */
static bool has_line(const char *const *parts)
{
    for (const char *line = strstr(text, "libverd: "); line != NULL;
         line = strstr(line + 1, "libverd: ")) {
        const char *end = strchr(line, '\n');
        const char *at = line;
        size_t i = 0;
        for (; parts[i] != NULL && at != NULL; i++) {
            at = strstr(at, parts[i]);
            at = at != NULL && at < end ? at + strlen(parts[i]) : NULL;
        }
        if (at != NULL)
            return true;
    }
    return false;
}

static int missing(const char *name)
{
    printf("%s: the report does not say so:\n%s\n", name, text);
    return 1;
}

static int play_scene(const char *name, void (*fn)(void))
{
    const struct scene scene = {.name = name, .play = fn};
    int status = play(&scene, text, sizeof text);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? 0 : missing(name);
}

static int crosswise_is_seen(void)
{
    int result = play_scene("crosswise", lock_crosswise);
    const char *first[] = {"thread 0 (main)", "waits for a mutex", address_of("other"),
                           "thread 1 \"second\"", NULL};
    const char *second[] = {"thread 1 \"second\"", "waits for a mutex", address_of("one"),
                            "thread 0 (main)", NULL};
    const char *knot[] = {
        "deadlock: thread 0 (main) waits for thread 1 \"second\", that for thread 0", NULL};
    return has_line(first) && has_line(second) && has_line(knot) ? result : missing("crosswise");
}

static int writer_is_seen(void)
{
    int result = play_scene("writer", wait_for_a_writer);
    const char *parts[] = {"thread 0 (main)", "waits for a lock, to read", "thread 1 \"writer\"",
                           NULL};
    return has_line(parts) ? result : missing("writer");
}

static int condition_is_seen(void)
{
    int result = play_scene("condition", wait_for_a_condition);
    const char *parts[] = {"thread 0 (main)", "waits for a condition", address_of("cond"), NULL};
    return has_line(parts) ? result : missing("condition");
}

static int function_is_seen(void)
{
    int result = play_scene("function", start_unnamed);
    const char *parts[] = {"thread 1", " (park_unnamed", ") waits for verd_unpark", NULL};
    return has_line(parts) ? result : missing("function");
}

/* The lines about thread 1: that of the first OS thread, and that of the second. */
static int hubs_are_told_apart(void)
{
    static const struct scene scene = {.name = "two hubs", .play = report_two_hubs};
    play(&scene, text, sizeof text);
    char *lines[2] = {NULL};
    size_t count = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strstr(line, "thread 1 ") != NULL && count < 2)
            lines[count++] = line;
    }
    if (count == 2 && strcmp(lines[0], lines[1]) != 0)
        return 0;
    printf("two hubs: %zu lines, alike: %s\n", count, count > 0 ? lines[0] : "");
    return 1;
}

int main(void)
{
    int result = crosswise_is_seen();
    result |= writer_is_seen();
    result |= condition_is_seen();
    result |= function_is_seen();
    return result | hubs_are_told_apart();
}
