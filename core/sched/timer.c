/* SPDX-License-Identifier: MIT */
#include "sched/timer.h"

#include <stdbool.h>

#define DIGIT_BITS 6
#define DIGIT_MASK (VERD__TIMER_SLOTS - 1)

/* Timers of one slot that verd__timers_next looks through for the earliest. */
#define SCAN_MAX 64

void verd__timers_init(struct verd__timers *timers, verd_duration now)
{
    timers->base = now;
    timers->armed = 0;
    timers->fired = 0;
    timers->levels = 0;
    for (unsigned level = 0; level < VERD__TIMER_LEVELS; level++) {
        timers->used[level] = 0;
        for (unsigned slot = 0; slot < VERD__TIMER_SLOTS; slot++) {
            struct verd__timer *head = &timers->slots[level][slot];
            head->next = head->prev = head;
        }
    }
}

static unsigned digit(verd_duration time, unsigned level)
{
    return (unsigned)((uint64_t)time >> (level * DIGIT_BITS)) & DIGIT_MASK;
}

/* The level of a deadline that is not before base. */
static unsigned level_of(const struct verd__timers *timers, verd_duration deadline)
{
    uint64_t differing = (uint64_t)(deadline ^ timers->base);
    return (unsigned)(63 - __builtin_clzll(differing | 1)) / DIGIT_BITS;
}

static void append(struct verd__timers *timers, struct verd__timer *timer)
{
    /* What is overdue shares the slot of what is due at once, behind it. */
    verd_duration at = timer->deadline > timers->base ? timer->deadline : timers->base;
    unsigned level = level_of(timers, at);
    unsigned slot = digit(at, level);
    struct verd__timer *head = &timers->slots[level][slot];
    timer->next = head;
    timer->prev = head->prev;
    head->prev->next = timer;
    head->prev = timer;
    timers->used[level] |= UINT64_C(1) << slot;
    timers->levels |= 1u << level;
}

void verd__timer_arm(struct verd__timers *timers, struct verd__timer *timer, verd_duration deadline)
{
    timer->deadline = deadline;
    append(timers, timer);
    timers->armed++;
}

/* Notes that the ring of `head` has become empty; the ring of what is being fired has no slot. */
static void mark_empty(struct verd__timers *timers, const struct verd__timer *head)
{
    uintptr_t offset = (uintptr_t)head - (uintptr_t)&timers->slots[0][0];
    if (offset >= sizeof timers->slots)
        return;
    size_t number = offset / sizeof *head;
    size_t level = number / VERD__TIMER_SLOTS;
    timers->used[level] &= ~(UINT64_C(1) << (number % VERD__TIMER_SLOTS));
    if (timers->used[level] == 0)
        timers->levels &= ~(1u << level);
}

void verd__timer_cancel(struct verd__timers *timers, struct verd__timer *timer)
{
    if (!verd__timer_armed(timer))
        return;
    struct verd__timer *next = timer->next;
    next->prev = timer->prev;
    timer->prev->next = next;
    if (next->next == next) /* only the head is left */
        mark_empty(timers, next);
    timer->next = NULL;
    timers->armed--;
}

/* The first slot in use: its level and number, and the time at which it begins. False: none is. */
static bool first_slot(const struct verd__timers *timers, unsigned *level, unsigned *slot,
                       verd_duration *begin)
{
    if (timers->levels == 0)
        return false;
    *level = (unsigned)__builtin_ctz(timers->levels);
    *slot = (unsigned)__builtin_ctzll(timers->used[*level]);
    unsigned shift = *level * DIGIT_BITS;
    uint64_t above = shift + DIGIT_BITS < 64 ? UINT64_MAX << (shift + DIGIT_BITS) : 0;
    *begin = (verd_duration)(((uint64_t)timers->base & above) | ((uint64_t)*slot << shift));
    return true;
}

/* Takes the timers of a slot out of the wheel, as a ring behind `list`. */
static void take_slot(struct verd__timers *timers, struct verd__timer *head,
                      struct verd__timer *list)
{
    list->next = head->next;
    list->prev = head->prev;
    list->next->prev = list;
    list->prev->next = list;
    head->next = head->prev = head;
    mark_empty(timers, head);
}

static struct verd__timer *pop(struct verd__timer *list)
{
    struct verd__timer *timer = list->next;
    list->next = timer->next;
    timer->next->prev = list;
    return timer;
}

/* Moves the timers of a slot that base has just come to down to lower levels. */
static void cascade(struct verd__timers *timers, struct verd__timer *head)
{
    struct verd__timer list;
    take_slot(timers, head, &list);
    while (list.next != &list)
        append(timers, pop(&list));
}

void verd__timers_advance(struct verd__timers *timers, verd_duration now)
{
    struct verd__timer due = {.next = &due, .prev = &due};
    unsigned level;
    unsigned slot;
    verd_duration begin;
    while (first_slot(timers, &level, &slot, &begin) && begin <= now) {
        struct verd__timer *head = &timers->slots[level][slot];
        timers->base = begin;
        if (level > 0) {
            cascade(timers, head);
            continue;
        }
        struct verd__timer list; /* one deadline: behind those that are due before */
        take_slot(timers, head, &list);
        list.next->prev = due.prev;
        due.prev->next = list.next;
        list.prev->next = &due;
        due.prev = list.prev;
    }
    if (now > timers->base)
        timers->base = now;
    while (due.next != &due) {
        struct verd__timer *timer = pop(&due);
        timer->next = NULL;
        timers->armed--;
        timers->fired++;
        timer->fire(timer);
    }
}

verd_duration verd__timers_next(const struct verd__timers *timers)
{
    unsigned level;
    unsigned slot;
    verd_duration begin;
    if (!first_slot(timers, &level, &slot, &begin))
        return VERD_FOREVER;
    const struct verd__timer *head = &timers->slots[level][slot];
    verd_duration earliest = VERD_FOREVER;
    unsigned scanned = 0;
    for (const struct verd__timer *at = head->next; at != head; at = at->next) {
        if (++scanned > SCAN_MAX)
            return begin;
        if (at->deadline < earliest)
            earliest = at->deadline;
    }
    return earliest;
}
