/* SPDX-License-Identifier: MIT */
/* The ways on which an item comes in and goes out, quick and slow: all keep the same accounts. */
#include <criterion/criterion.h>

#include "caller.h"
#include "sched/scheduler.h"

static verd_queue *queue;        /* not a local: what it holds is no leak */
static verd_queue *never, *full; /* nothing ever comes out, or goes in */

static int compare(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

static int put(struct caller *self)
{
    return verd_queue_put(queue, self->item);
}

static int get(struct caller *self)
{
    return verd_queue_get(queue, &self->item);
}

static int join(struct caller *self)
{
    (void)self;
    return verd_queue_join(queue);
}

/* They wait for another queue besides, and leave its line. */
static int select_put(struct caller *self)
{
    void *item;
    verd_case cases[] = {VERD_GET(never, &item), VERD_PUT(queue, self->item)};
    return verd_select(cases, 2);
}

static int select_get(struct caller *self)
{
    verd_case cases[] = {VERD_PUT(full, NULL), VERD_GET(queue, &self->item)};
    return verd_select(cases, 2);
}

static int try_put(struct caller *self)
{
    return verd_queue_try_put(queue, self->item);
}

static int try_get(struct caller *self)
{
    return verd_queue_try_get(queue, &self->item);
}

static verd_queue *fifo(size_t capacity)
{
    return verd_queue_new(capacity);
}

static verd_queue *lifo(size_t capacity)
{
    return verd_queue_new_lifo(capacity);
}

static verd_queue *priority(size_t capacity)
{
    return verd_queue_new_priority(capacity, compare);
}

typedef int call(struct caller *self);

/* Of each kind, and by each pair of calls, of which the first may have to wait for the second. */
static verd_queue *(*const kinds[])(size_t capacity) = {fifo, lifo, priority};
static call *const putting[] = {put, select_put, try_put};
static call *const getting[] = {get, select_get, try_get};

static void setup(void)
{
    never = verd_queue_new(0);
    full = verd_queue_new(0);
}

TestSuite(ways, .init = setup);

#define EACH(i, list)                  \
    size_t i = 0;                      \
    i < sizeof(list) / sizeof *(list); \
    i++

/* ---- how much work a join waits for ---- */

/* `items` have been put in all. */
static void expect_unfinished(int items, const char *way, size_t in, size_t out)
{
    struct caller joiner;
    caller_start(&joiner, join, NULL, NULL);
    for (int i = 0; i < items; i++) {
        callers_settle();
        cr_expect_not(joiner.done, "%s, %zu, %zu: too early by %d", way, in, out, items - i);
        cr_expect_eq(verd_queue_task_done(queue), 0, "%s, %zu, %zu", way, in, out);
    }
    cr_expect_eq(caller_end(&joiner), 0, "%s, %zu, %zu", way, in, out);
    cr_expect_eq(caller_outcome(verd_queue_task_done(queue)), -EINVAL);
    verd_queue_free(queue);
}

/* An item goes in by one call and out by another, which comes first or second. */
static void pass(call *in, call *out, bool getter_first)
{
    struct caller first, second;
    caller_start(&first, getter_first ? out : in, NULL, &queue);
    caller_start(&second, getter_first ? in : out, NULL, &queue);
    cr_expect(caller_end(&first) >= 0 && caller_end(&second) >= 0);
    cr_expect(verd_queue_getting(never) == 0 && verd_queue_putting(full) == 0);
}

Test(ways, an_item_that_waits_in_it_is_work_however_it_came_and_goes)
{
    for (EACH(kind, kinds)) {
        for (EACH(in, putting)) {
            for (EACH(out, getting)) {
                queue = kinds[kind](1);
                pass(putting[in], getting[out], false);
                pass(putting[in], getting[out], false);
                expect_unfinished(2, "stored", in, out);
            }
        }
    }
}

Test(ways, an_item_for_a_getter_that_waits_is_work_whoever_puts_it)
{
    for (EACH(in, putting)) {
        for (size_t out = 0; out < 2; out++) {
            queue = verd_queue_new(out);
            pass(putting[in], getting[out], true);
            expect_unfinished(1, "handed to a getter", in, out);
        }
    }
}

Test(ways, an_item_of_a_putter_that_waits_for_a_getter_is_work_from_when_it_is_taken)
{
    for (size_t in = 0; in < 2; in++) {
        for (EACH(out, getting)) {
            queue = verd_queue_new(0);
            pass(putting[in], getting[out], false);
            expect_unfinished(1, "taken from a putter", in, out);
        }
    }
}

/* Two of three, who wait for room, come in one after the other, and the third one gives up. */
Test(ways, an_item_that_waits_for_room_is_work_once_it_is_in)
{
    for (EACH(kind, kinds)) {
        for (size_t in = 0; in < 2; in++) {
            for (EACH(out, getting)) {
                struct caller putters[3], getter;
                queue = kinds[kind](1);
                verd_queue_put(queue, &queue);
                for (int i = 0; i < 3; i++)
                    caller_start(&putters[i], putting[in], NULL, &queue);
                for (int i = 0; i < 2; i++) {
                    caller_start(&getter, getting[out], NULL, NULL);
                    cr_expect_geq(caller_end(&getter), 0);
                }
                verd_kill(putters[2].thread);
                callers_settle();
                expect_unfinished(3, "let in", in, out);
                for (int i = 0; i < 3; i++)
                    caller_end(&putters[i]);
            }
        }
    }
}

Test(ways, the_items_that_more_capacity_lets_in_are_work)
{
    struct caller putters[3];
    queue = verd_queue_new(0);
    for (int i = 0; i < 3; i++)
        caller_start(&putters[i], put, NULL, &queue);
    verd_queue_resize(queue, 2);
    expect_unfinished(2, "let in by a resize", 0, 0);
    cr_assert(caller_end(&putters[0]) == 0 && caller_end(&putters[1]) == 0);
    cr_assert_eq(caller_end(&putters[2]), -EPIPE);
}

Test(ways, freeing_ends_who_waits_for_its_work)
{
    struct caller joiner;
    queue = verd_queue_new(1);
    verd_queue_put(queue, &queue);
    caller_start(&joiner, join, NULL, NULL);
    verd_queue_free(queue);
    cr_assert_eq(caller_end(&joiner), -EPIPE);
}

Test(ways, closing_leaves_who_waits_for_its_work)
{
    struct caller joiner;
    queue = verd_queue_new(1);
    verd_queue_put(queue, &queue);
    caller_start(&joiner, join, NULL, NULL);
    verd_queue_close(queue);
    callers_settle();
    cr_assert_not(joiner.done);
    verd_queue_task_done(queue);
    cr_assert_eq(caller_end(&joiner), 0);
}

/* ---- the budget: who is always served at once, gives way in the end ---- */

static bool others_ran;

static void run_once(void *arg)
{
    (void)arg;
    others_ran = true;
}

/* Whether so many calls in a row let others run. */
static bool gives_way(call *call, int times)
{
    struct caller self = {.item = &queue};
    others_ran = false;
    verd_spawn_n(run_once, NULL);
    for (int i = 0; i < times && !others_ran; i++)
        call(&self);
    bool result = others_ran;
    callers_settle();
    return result;
}

static void fill(int items)
{
    for (int i = 0; i < items; i++)
        verd_queue_try_put(queue, &queue);
}

Test(ways, who_is_served_from_it_at_once_gives_way_in_the_end)
{
    for (EACH(kind, kinds)) {
        for (size_t i = 0; i < 2; i++) {
            queue = kinds[kind](VERD_UNBOUNDED);
            cr_expect(gives_way(putting[i], VERD__BUDGET), "%zu: put %zu", kind, i);
            fill(2 * VERD__BUDGET);
            cr_expect(gives_way(getting[i], VERD__BUDGET), "%zu: get %zu", kind, i);
            verd_queue_free(queue);
        }
    }
}

/* Those who wait are served by those who do not. */
static bool serving_gives_way(call *waiting, call *serving)
{
    struct caller callers[VERD__BUDGET];
    queue = verd_queue_new(0);
    for (int i = 0; i < VERD__BUDGET; i++)
        caller_start(&callers[i], waiting, NULL, &queue);
    bool result = gives_way(serving, VERD__BUDGET);
    for (int i = 0; i < VERD__BUDGET; i++)
        caller_end(&callers[i]);
    verd_queue_free(queue);
    return result;
}

Test(ways, who_serves_others_that_wait_gives_way_in_the_end)
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
            cr_expect(serving_gives_way(getting[i], putting[j]), "put %zu for get %zu", j, i);
            cr_expect(serving_gives_way(putting[i], getting[j]), "get %zu for put %zu", j, i);
        }
    }
}
