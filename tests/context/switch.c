/* SPDX-License-Identifier: MIT */

/* Values and control go where they are sent.
 *
 * In all tests of contexts: what happens inside a context is written down there and asserted
 * outside, because a failing assertion unwinds the stack that the test was started on. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd/context.h>

#define STACK_SIZE (64 * 1024)

static verd_context here, there;
static char stack[STACK_SIZE];

static void echo(void *value)
{
    for (;;)
        value = verd_context_switch(&there, &here, value);
}

Test(context, the_first_switch_passes_its_value_to_the_function)
{
    int first;
    verd_context_make(&there, stack, sizeof stack, echo);
    cr_assert_eq(verd_context_switch(&here, &there, &first), &first);
}

Test(context, later_switches_return_the_value_from_the_suspended_call)
{
    int first, second;
    verd_context_make(&there, stack, sizeof stack, echo);
    verd_context_switch(&here, &there, &first);
    cr_assert_eq(verd_context_switch(&here, &there, &second), &second);
}

Test(context, switching_to_oneself_returns_the_value_at_once)
{
    int value;
    cr_assert_eq(verd_context_switch(&here, &here, &value), &value);
}

static void count_up(void *value)
{
    for (int *counter = value;;) {
        ++*counter;
        counter = verd_context_switch(&there, &here, NULL);
    }
}

Test(context, a_stack_can_be_made_into_a_new_context_while_the_old_one_is_suspended)
{
    int counter = 0;
    for (int i = 0; i < 3; i++) {
        verd_context_make(&there, stack, sizeof stack, count_up);
        verd_context_switch(&here, &there, &counter);
    }
    cr_assert_eq(counter, 3);
}

#define RING 100

static verd_context ring[RING];
static char ring_stacks[RING][4096 * 4];

static void pass_on(void *value)
{
    for (long hops = (long)(intptr_t)value;; hops = (long)(intptr_t)value) {
        const verd_context *next = hops % RING == RING - 1 ? &here : &ring[hops % RING + 1];
        value = verd_context_switch(&ring[hops % RING], next, (void *)(intptr_t)(hops + 1));
    }
}

Test(context, contexts_can_switch_to_each_other_in_a_ring)
{
    long hops = 0;
    for (int i = 0; i < RING; i++)
        verd_context_make(&ring[i], ring_stacks[i], sizeof ring_stacks[i], pass_on);
    for (int round = 0; round < 3; round++)
        hops = (long)(intptr_t)verd_context_switch(&here, &ring[0], (void *)(intptr_t)hops);
    cr_assert_eq(hops, 3 * RING);
}

#define ABORTED 6

/* Instead of dying of SIGABRT, of which an emulator would have something to say, too. */
static void exit_aborted(int signal)
{
    (void)signal;
    _exit(ABORTED);
}

/* Runs `body` in a child process and fills `said` with what it wrote to stderr. Returns the child's
 * exit status, ABORTED if it called abort. */
static int run_in_child(void (*body)(void), char *said, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, exit_aborted);
        body();
        _exit(0);
    }
    close(ends[1]);

    size_t length = 0;
    ssize_t n;
    while ((n = read(ends[0], said + length, size - 1 - length)) > 0)
        length += (size_t)n;
    said[length] = '\0';
    close(ends[0]);

    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* AddressSanitizer, which was not told about the stack, may complain of it before. */
static const char *last_words(const char *said)
{
    const char *words = strstr(said, "libverd: ");
    return words != NULL ? words : said;
}

static void return_at_once(void *value)
{
    (void)value;
}

static void run_a_function_that_returns(void)
{
    verd_context_make(&there, stack, sizeof stack, return_at_once);
    verd_context_switch(&here, &there, NULL);
}

Test(context, a_function_that_returns_aborts_the_process_with_one_line)
{
    char said[1024];
    int status = run_in_child(run_a_function_that_returns, said, sizeof said);
    cr_assert_eq(status, ABORTED);
    cr_assert_str_eq(last_words(said), "libverd: the function of a context returned\n");
}

static void make_on_a_stack_too_small(void)
{
    verd_context_make(&there, stack, VERD_CONTEXT_STACK_MIN - 1, echo);
}

Test(context, a_stack_below_the_minimum_aborts_the_process_with_one_line)
{
    char said[1024];
    int status = run_in_child(make_on_a_stack_too_small, said, sizeof said);
    cr_assert_eq(status, ABORTED);
    cr_assert_str_eq(last_words(said),
                     "libverd: a context's stack is smaller than VERD_CONTEXT_STACK_MIN\n");
}
