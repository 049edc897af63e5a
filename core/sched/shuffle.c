/* SPDX-License-Identifier: MIT */
#include "sched/shuffle.h"

#include <stdlib.h>

#include "stack/line.h"

/* Threads are dealt to these, and taken out one after the other: the first half is the round. */
#define HEAPS 64

struct heaps {
    struct verd_thread *first[HEAPS];
    struct verd_thread **last[HEAPS];
};

/* Decimal digits and nothing else; false: something else. */
static bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    do {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*text - '0'), number))
            return false;
    } while (*++text != '\0');
    return true;
}

void verd__shuffle_init(struct verd__scheduler *scheduler)
{
    const char *seed = getenv("VERD_SCHEDULE_SEED");
    if (seed == NULL || seed[0] == '\0')
        return;
    if (read_number(seed, &scheduler->chance)) {
        scheduler->expecting |= VERD__SEEDED;
        return;
    }
    struct verd__line line = {0};
    verd__line_text(&line, "VERD_SCHEDULE_SEED=");
    verd__line_text(&line, seed);
    verd__line_text(&line, " is not a number: threads run in the order of coming");
    verd__line_write(&line);
}

/* A heap by chance: splitmix64 (Steele, Lea and Flood, 2014). */
static unsigned draw(struct verd__scheduler *scheduler)
{
    uint64_t z = scheduler->chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) % HEAPS);
}

/* Where the unstarted ones go: as many heaps as there are of them, to be taken from the first heap on. */
static void draw_for_unstarted(struct verd__scheduler *scheduler, size_t counts[HEAPS])
{
    for (const struct verd_thread *at = scheduler->first; at != NULL; at = at->next) {
        if (at->state == VERD__UNSTARTED)
            counts[draw(scheduler)]++;
    }
}

static void deal(struct verd__scheduler *scheduler, struct heaps *heaps)
{
    size_t counts[HEAPS] = {0};
    unsigned unstarted = 0;
    draw_for_unstarted(scheduler, counts);
    for (struct verd_thread *at = scheduler->first, *next; at != NULL; at = next) {
        unsigned heap;
        next = at->next;
        if (at->state == VERD__UNSTARTED) {
            while (counts[unstarted] == 0)
                unstarted++;
            counts[unstarted]--;
            heap = unstarted;
        } else {
            heap = draw(scheduler);
        }
        *heaps->last[heap] = at;
        heaps->last[heap] = &at->next;
    }
}

/* Makes one list of some heaps. Returns where its next one goes. */
static struct verd_thread **gather(struct heaps *heaps, unsigned begin, unsigned end,
                                   struct verd_thread **list)
{
    struct verd_thread **last = list;
    for (unsigned i = begin; i < end; i++) {
        *heaps->last[i] = NULL;
        if (heaps->first[i] == NULL)
            continue;
        *last = heaps->first[i];
        last = heaps->last[i];
    }
    *last = NULL;
    return last;
}

void verd__shuffle(struct verd__scheduler *scheduler)
{
    struct heaps heaps;
    for (unsigned i = 0; i < HEAPS; i++)
        heaps.last[i] = &heaps.first[i];
    deal(scheduler, &heaps);
    gather(&heaps, 0, HEAPS / 2, &scheduler->batch);
    scheduler->last = gather(&heaps, HEAPS / 2, HEAPS, &scheduler->first);
    if (scheduler->batch == NULL)
        verd__turn(scheduler);
}
