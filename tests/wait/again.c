/* SPDX-License-Identifier: MIT */

/* Each call that blocks, made again and again in a thread that may not wait: others have their turn all the
 * same. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <unistd.h>

#include "calls.h"
#include "process.h"

#define CALLS 1000
#define HANGS 60 /* seconds */

static const struct row *row;
static bool over, another_ran;

static void run(void *arg)
{
    (void)arg;
    another_ran |= !over;
}

static void call_again_and_again(void *kills)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, kills != NULL ? VERD_FOREVER : 0);
    if (kills != NULL)
        verd_kill(verd_self());
    verd_spawn_n(run, NULL);
    for (int i = 0; i < CALLS; i++)
        row->make();
    over = true;
    verd_timeout_end(&limit);
}

static void *call_and_return(void *kills)
{
    call_again_and_again(kills);
    return NULL;
}

static void expect_a_turn(void *kills)
{
    alarm(HANGS);
    if (row->setup != NULL)
        row->setup();
    if (row->start != NULL)
        row->start(call_and_return, kills);
    else
        verd_spawn_n(call_again_and_again, kills);
    while (!over)
        verd_yield();
    _exit(another_ran ? 0 : 1);
}

ParameterizedTestParameters(wait, a_call_that_fails_at_once_again_and_again_lets_others_run)
{
    size_t count = 0;
    while (row_number(count) != NULL)
        count++;
    size_t *numbers = cr_malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count);
}

ParameterizedTest(const size_t *number, wait,
                  a_call_that_fails_at_once_again_and_again_lets_others_run)
{
    row = row_number(*number);
    if (!is_as_said(row) || ((row->traits & OS_THREADS) && process_is_emulated()))
        cr_skip_test("the emulator aborts when a forked child starts an OS thread");
    cr_expect_eq(process_run(expect_a_turn, NULL).status, 0, "%s for %s, out of time", row->call,
                 row->when);
    cr_expect_eq(process_run(expect_a_turn, "").status, 0, "%s for %s, killed", row->call,
                 row->when);
}
