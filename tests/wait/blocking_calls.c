/* SPDX-License-Identifier: MIT */

/* Each call that blocks, in each way in which its wait can end: the right result, and nothing lost. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "process.h"
#include "stack/valgrind.h"

#define PATIENCE (20 * VERD_MS)
#define ATTEMPTS 8 /* each with twice the patience */
#define EXIT_SLOW 75
#define HANGS 60 /* seconds */

/* Criterion's processes do not have the same addresses, so a parameter is a number: of a row, or of a row and
 * a column. */
struct parameter {
    size_t row;
    enum column column;
};

/* ---- in a child process for each column ---- */

struct cell {
    const struct row *row;
    enum column column;
    verd_duration patience;
};

static void exit_wrong(const char *what, intptr_t found, intptr_t expected)
{
    fprintf(stderr, "%s: %jd instead of %jd\n", what, (intmax_t)found, (intmax_t)expected);
    _exit(1);
}

static void exit_slow(void)
{
    _exit(EXIT_SLOW);
}

static void play_cell(void *arg)
{
    static const struct verdicts verdicts = {exit_wrong, exit_slow};
    const struct cell *cell = arg;
    alarm(HANGS);
    play(cell->row, cell->column, cell->patience, &verdicts);
}

static void expect_right(const struct row *row, enum column column)
{
    struct cell cell = {row, column, PATIENCE};
    struct process_end end = {.status = -1};
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        end = process_run(play_cell, &cell);
        if (!WIFEXITED(end.status) || WEXITSTATUS(end.status) != EXIT_SLOW)
            break;
        cell.patience *= 2;
    }
    cr_expect_eq(end.status, 0, "%s for %s, when %s: status %#x, %s", row->call, row->when,
                 column_names[column], (unsigned)end.status, end.text);
}

/* The rows that start OS threads, or the others, each with columns from `first` to before `end`. */
static struct criterion_test_params parameters(bool os_threads, enum column first, enum column end)
{
    size_t count = 0, rows = 0;
    while (row_number(rows) != NULL)
        rows++;
    struct parameter *all = cr_malloc(rows * (size_t)(end - first) * sizeof *all);
    for (size_t i = 0; i < rows; i++) {
        const struct row *row = row_number(i);
        bool wanted = ((row->traits & OS_THREADS) != 0) == os_threads && is_as_said(row);
        for (enum column column = first; wanted && column < end; column++)
            all[count++] = (struct parameter){i, column};
    }
    return cr_make_param_array(struct parameter, all, count);
}

/* Valgrind takes so long for each process that it plays every fourth column, others of each row; and by its time nothing comes
 * at once. */
static bool is_to_play(size_t row, enum column column)
{
    return !verd__on_valgrind() || (column != BOTH_AT_ONCE && (column + row) % 4 == 0);
}

ParameterizedTestParameters(wait, a_call_that_blocks_gives_what_is_right_and_loses_nothing)
{
    return parameters(false, 0, 1);
}

ParameterizedTest(const struct parameter *parameter, wait,
                  a_call_that_blocks_gives_what_is_right_and_loses_nothing)
{
    for (enum column column = 0; column < COLUMNS; column++) {
        if (column != OS_THREAD_END && is_to_play(parameter->row, column))
            expect_right(row_number(parameter->row), column);
    }
}

/* ---- in the test's own process, a column at a time ---- */

static const char *playing;

static void assert_wrong(const char *what, intptr_t found, intptr_t expected)
{
    cr_assert_fail("%s: %s: %jd instead of %jd", playing, what, (intmax_t)found,
                   (intmax_t)expected);
}

static void skip_slow(void)
{
    cr_skip_test("the machine was too slow to tell");
}

static void play_here(const struct parameter *parameter)
{
    static const struct verdicts verdicts = {assert_wrong, skip_slow};
    static char text[256];
    const struct row *row = row_number(parameter->row);
    snprintf(text, sizeof text, "%s for %s, when %s", row->call, row->when,
             column_names[parameter->column]);
    playing = text;
    play(row, parameter->column, 5 * PATIENCE, &verdicts);
}

ParameterizedTestParameters(wait, a_call_whose_os_thread_ends_loses_nothing)
{
    return parameters(false, OS_THREAD_END, OS_THREAD_END + 1);
}

/* A child cannot start OS threads under an emulator. */
ParameterizedTest(const struct parameter *parameter, wait,
                  a_call_whose_os_thread_ends_loses_nothing)
{
    play_here(parameter);
}

ParameterizedTestParameters(wait, a_call_that_is_offloaded_gives_what_is_right_and_loses_nothing)
{
    return parameters(true, 0, COLUMNS);
}

ParameterizedTest(const struct parameter *parameter, wait,
                  a_call_that_is_offloaded_gives_what_is_right_and_loses_nothing)
{
    play_here(parameter);
}
