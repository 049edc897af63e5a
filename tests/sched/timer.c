/* SPDX-License-Identifier: MIT */

/* The timer wheel against a model, a plain array, in virtual time. */
#include <criterion/criterion.h>

#include "sched/timer.h"

#define MANY 100

/* A timer of the wheel, and what the model knows of it. */
struct modelled {
    struct verd__timer timer; /* first: fire gets it */
    verd_duration due;        /* its deadline, or the time it was armed at if that is later */
    uint64_t sequence;        /* of arming; 0: not armed */
};

static struct verd__timers wheel;
static struct modelled timers[MANY];
static verd_duration now;
static uint64_t sequence, advance_began;
static size_t fired, wrong;
static uint64_t seed;

/* xorshift64*: the same numbers everywhere. */
static uint64_t random_bits(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

/* A span of any magnitude: as often a few nanoseconds as a few years. */
static verd_duration random_span(void)
{
    return (verd_duration)(random_bits() >> (2 + random_bits() % 62));
}

/* Near and far, past, equal to others, at borders of slots, and never. */
static verd_duration random_deadline(void)
{
    switch (random_bits() % 8) {
    case 0:
        return timers[random_bits() % MANY].timer.deadline;
    case 1:
        return now - random_span();
    case 2:
        return VERD_FOREVER - (verd_duration)(random_bits() % 2);
    case 3: {
        unsigned shift = 6 * (random_bits() % 10);
        return verd__time_after((now >> shift) << shift, (verd_duration)1 << shift);
    }
    default:
        return verd__time_after(now, random_span());
    }
}

static void arm(struct modelled *modelled)
{
    verd_duration deadline = random_deadline();
    verd__timer_arm(&wheel, &modelled->timer, deadline);
    modelled->due = deadline > now ? deadline : now;
    modelled->sequence = ++sequence;
}

static void cancel(struct modelled *modelled)
{
    verd__timer_cancel(&wheel, &modelled->timer);
    modelled->sequence = 0;
}

/* The one that is to fire next in this advance; NULL: none. */
static struct modelled *first_due(void)
{
    struct modelled *first = NULL;
    for (struct modelled *m = timers; m < timers + MANY; m++) {
        if (m->sequence == 0 || m->sequence > advance_began || m->due > now)
            continue;
        if (first == NULL || m->due < first->due ||
            (m->due == first->due && m->sequence < first->sequence))
            first = m;
    }
    return first;
}

static void arm_or_cancel_some(void)
{
    for (uint64_t i = random_bits() % 4; i > 0; i--) {
        struct modelled *other = &timers[random_bits() % MANY];
        if (other->sequence != 0)
            cancel(other);
        else
            arm(other);
    }
}

static void fire(struct verd__timer *timer)
{
    struct modelled *modelled = (struct modelled *)timer;
    wrong += modelled != first_due() || verd__timer_armed(timer);
    modelled->sequence = 0;
    fired++;
    if (random_bits() % 2)
        arm_or_cancel_some();
}

static void advance(verd_duration to)
{
    now = to;
    advance_began = sequence;
    verd__timers_advance(&wheel, now);
    wrong += first_due() != NULL;
}

static size_t armed_count(verd_duration *earliest)
{
    size_t count = 0;
    *earliest = VERD_FOREVER;
    for (struct modelled *m = timers; m < timers + MANY; m++) {
        if (m->sequence == 0)
            continue;
        count++;
        if (m->timer.deadline < *earliest)
            *earliest = m->timer.deadline;
    }
    return count;
}

/* timers_next may look through 64 timers of a slot, so with as many it is exact. */
static void check_next(void)
{
    verd_duration earliest;
    verd_duration next = verd__timers_next(&wheel);
    size_t count = armed_count(&earliest);
    wrong += wheel.armed != count;
    wrong += count <= 64 ? next != earliest : next > earliest;
}

static void set_up(uint64_t number, verd_duration begin)
{
    seed = 0x9e3779b97f4a7c15 * (number + 1);
    now = begin;
    sequence = 0;
    verd__timers_init(&wheel, now);
    for (struct modelled *m = timers; m < timers + MANY; m++)
        *m = (struct modelled){.timer.fire = fire};
}

static void run_random(uint64_t number, verd_duration begin, int operations)
{
    set_up(number, begin);
    for (int i = 0; i < operations; i++) {
        struct modelled *some = &timers[random_bits() % MANY];
        if (random_bits() % 4 == 0)
            advance(verd__time_after(now, random_span() >> 8));
        else if (some->sequence != 0)
            cancel(some);
        else
            arm(some);
        check_next();
        if (now > VERD_FOREVER / 2) /* the end of time is near: begin anew */
            set_up(seed, begin);
    }
}

Test(sched, the_wheel_does_what_a_sorted_array_does)
{
    for (uint64_t number = 0; number < 20; number++)
        run_random(number, (verd_duration)number * 12345678901, 20000);
    cr_assert(wrong == 0 && fired > 10000);
}

Test(sched, the_wheel_does_what_a_sorted_array_does_at_borders_of_its_digits)
{
    for (unsigned level = 0; level < 10; level++)
        run_random(level, ((verd_duration)1 << (6 * level + 6) % 62) - 1, 10000);
    cr_assert(wrong == 0 && fired > 10000);
}

/* Goes from one timers_next to the next, as a scheduler does: fires each at its very deadline. */
Test(sched, stepping_from_next_to_next_fires_each_at_its_deadline)
{
    size_t steps = 0;
    for (uint64_t number = 0; number < 100; number++) {
        set_up(number, (verd_duration)1 << 40);
        for (int i = 0; i < 60; i++)
            arm(&timers[i]);
        for (verd_duration next; (next = verd__timers_next(&wheel)) < VERD_FOREVER / 4; steps++) {
            wrong += next < now && wheel.base != now;
            advance(next > now ? next : now);
        }
    }
    cr_assert(wrong == 0 && steps > 1000);
}

static size_t count;

static void count_fire(struct verd__timer *timer)
{
    (void)timer;
    count++;
}

Test(sched, many_timers_in_one_slot_cost_one_early_look_per_level_at_most)
{
    enum { CROWD = 100000 };
    static struct verd__timer crowd[CROWD];
    verd_duration far = (verd_duration)1 << 50;
    size_t looks = 0;
    verd__timers_init(&wheel, 5);
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i].fire = count_fire;
        verd__timer_arm(&wheel, &crowd[i], far + 12345678912345 + (verd_duration)i);
    }
    for (; count == 0; looks++)
        verd__timers_advance(&wheel, verd__timers_next(&wheel));
    cr_assert_leq(looks, VERD__TIMER_LEVELS);
}

Test(sched, a_hundred_thousand_cancelled_timers_leave_the_wheel_empty)
{
    enum { CROWD = 100000 };
    static struct verd__timer crowd[CROWD];
    verd__timers_init(&wheel, 5);
    seed = 1;
    for (size_t i = 0; i < CROWD; i++)
        verd__timer_arm(&wheel, &crowd[i], random_span());
    for (size_t i = 0; i < CROWD; i++)
        verd__timer_cancel(&wheel, &crowd[(i * 61331) % CROWD]);
    cr_assert(wheel.armed == 0 && wheel.levels == 0 && verd__timers_next(&wheel) == VERD_FOREVER);
}

Test(sched, cancelling_a_timer_that_is_not_armed_does_nothing)
{
    struct verd__timer timer = {.fire = count_fire};
    verd__timers_init(&wheel, 0);
    verd__timer_cancel(&wheel, &timer);
    verd__timer_arm(&wheel, &timer, 1);
    verd__timer_cancel(&wheel, &timer);
    verd__timer_cancel(&wheel, &timer);
    verd__timers_advance(&wheel, 2);
    cr_assert(wheel.armed == 0 && count == 0);
}

static void arm_again(struct verd__timer *timer)
{
    if (++count < 1000)
        verd__timer_arm(&wheel, timer, 0);
}

Test(sched, a_timer_that_arms_itself_for_the_past_does_not_fire_again_in_the_same_turn)
{
    struct verd__timer timer = {.fire = arm_again};
    verd__timers_init(&wheel, 100);
    verd__timer_arm(&wheel, &timer, 101);
    verd__timers_advance(&wheel, 200);
    cr_assert_eq(count, 1);
}

Test(sched, an_overdue_timer_makes_the_next_look_due_at_once)
{
    struct verd__timer timer = {.fire = count_fire};
    verd__timers_init(&wheel, 1000);
    verd__timer_arm(&wheel, &timer, INT64_MIN);
    verd__timers_advance(&wheel, 1000);
    cr_assert_eq(count, 1);
}

Test(sched, a_clock_that_stands_still_or_goes_back_fires_nothing_early)
{
    struct verd__timer timer = {.fire = count_fire};
    verd__timers_init(&wheel, 1000);
    verd__timer_arm(&wheel, &timer, 1001);
    verd__timers_advance(&wheel, 1000);
    verd__timers_advance(&wheel, 0);
    cr_assert_eq(count, 0);
}

Test(sched, a_deadline_at_the_end_of_time_fires_there)
{
    struct verd__timer timer = {.fire = count_fire};
    verd__timers_init(&wheel, 0);
    verd__timer_arm(&wheel, &timer, VERD_FOREVER);
    verd__timers_advance(&wheel, VERD_FOREVER - 1);
    size_t before = count;
    verd__timers_advance(&wheel, VERD_FOREVER);
    cr_assert(before == 0 && count == 1);
}
