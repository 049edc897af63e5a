/* SPDX-License-Identifier: MIT */

/* What the ABI lets a caller keep in registers across a call, it can keep across a switch. */
#include <criterion/criterion.h>

#include "probe.h"

#define ROUNDS 1000

static verd_context here, there;
static char stack[64 * 1024];
static int damaged; /* registers found changed inside the context */

/* A different word for each register, side and round. */
static void fill_pattern(uint64_t *registers, uint64_t seed)
{
    for (uint64_t i = 0; i < PROBE_REGISTERS; i++)
        registers[i] = (seed * PROBE_REGISTERS + i + 1) * 0x9e3779b97f4a7c15u;
}

static int count_differences(const uint64_t *a, const uint64_t *b)
{
    int differences = 0;
    for (int i = 0; i < PROBE_REGISTERS; i++)
        differences += a[i] != b[i];
    return differences;
}

static void fill_and_switch_back(void *value)
{
    (void)value;
    for (uint64_t round = 0;; round++) {
        uint64_t fill[PROBE_REGISTERS], seen[PROBE_REGISTERS];
        fill_pattern(fill, 2 * round + 1);
        probe_switch(&there, &here, NULL, fill, seen);
        damaged += count_differences(fill, seen);
    }
}

Test(context, every_callee_saved_register_survives_a_switch)
{
    int damaged_here = 0;
    verd_context_make(&there, stack, sizeof stack, fill_and_switch_back);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t fill[PROBE_REGISTERS], seen[PROBE_REGISTERS];
        fill_pattern(fill, 2 * round);
        probe_switch(&here, &there, NULL, fill, seen);
        damaged_here += count_differences(fill, seen);
    }
    cr_expect_eq(damaged_here, 0, "%d registers changed outside", damaged_here);
    cr_expect_eq(damaged, 0, "%d registers changed inside", damaged);
}

#define CONTROLS (sizeof probe_controls / sizeof probe_controls[0])

/* Sets each control state in turn, gives way, and counts those that did not come back. */
static void set_each_control(void *value)
{
    (void)value;
    for (size_t i = 0;; i = (i + 1) % CONTROLS) {
        probe_control_write(probe_controls[i]);
        verd_context_switch(&there, &here, NULL);
        damaged += probe_control_read() != probe_controls[i];
    }
}

Test(context, floating_point_control_words_belong_to_a_context)
{
    uint64_t before = probe_control_read();
    int damaged_here = 0;
    verd_context_make(&there, stack, sizeof stack, set_each_control);
    for (size_t i = 0; i < CONTROLS; i++)
        for (size_t j = 0; j < CONTROLS; j++) {
            probe_control_write(probe_controls[i]);
            verd_context_switch(&here, &there, NULL);
            damaged_here += probe_control_read() != probe_controls[i];
        }
    probe_control_write(before);
    cr_expect_eq(damaged_here, 0, "%d control states lost outside", damaged_here);
    cr_expect_eq(damaged, 0, "%d control states lost inside", damaged);
}

static uint64_t control_at_entry;

static void read_control(void *value)
{
    (void)value;
    control_at_entry = probe_control_read();
    verd_context_switch(&there, &here, NULL);
}

Test(context, a_fresh_context_starts_with_the_control_words_of_its_maker)
{
    uint64_t before = probe_control_read();
    int wrong = 0;
    for (size_t i = 0; i < CONTROLS; i++) {
        probe_control_write(probe_controls[i]);
        verd_context_make(&there, stack, sizeof stack, read_control);
        probe_control_write(before);
        verd_context_switch(&here, &there, NULL);
        wrong += control_at_entry != probe_controls[i];
    }
    cr_assert_eq(wrong, 0, "%d of them were not inherited", wrong);
}

/* The same division in double and in the widest type, which may be computed by another unit. */
struct third {
    double plain;
    long double extended;
};

__attribute__((noinline)) static struct third divide(void)
{
    volatile double one = 1, three = 3;
    volatile long double long_one = 1, long_three = 3;
    return (struct third){one / three, long_one / long_three};
}

static void round_down(void *value)
{
    (void)value;
    probe_control_write(PROBE_ROUND_DOWN);
    verd_context_switch(&there, &here, NULL);
}

Test(context, a_rounding_mode_set_inside_a_context_does_not_change_results_outside)
{
    uint64_t before = probe_control_read();
    verd_context_make(&there, stack, sizeof stack, round_down);
    probe_control_write(PROBE_ROUND_DOWN);
    struct third down = divide();
    probe_control_write(PROBE_ROUND_UP);
    struct third up = divide();
    verd_context_switch(&here, &there, NULL);
    struct third after = divide();
    probe_control_write(before);
    cr_expect_neq(up.plain, down.plain, "the rounding mode has no effect here");
    cr_expect_eq(after.plain, up.plain);
    cr_expect_eq(after.extended, up.extended);
}
