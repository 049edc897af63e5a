/* SPDX-License-Identifier: MIT */
#include "sched/shuffle.h"

#include "sched/setting.h"

/* Threads are dealt to these, and taken out one after the other: the first half is the round. */
#define BUCKETS 64

struct buckets {
    struct verd__thread *first[BUCKETS];
    struct verd__thread **last[BUCKETS];
};

void verd__shuffle_init(struct verd__scheduler *scheduler)
{
    if (verd__setting_number("VERD_SCHEDULE_SEED", 0, UINT64_MAX,
                             "threads run in the order of coming", &scheduler->chance))
        scheduler->expecting |= VERD__SEEDED;
}

/* splitmix64 (Steele, Lea and Flood, 2014). */
uint64_t verd__draw(struct verd__scheduler *scheduler)
{
    uint64_t z = scheduler->chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A bucket by chance. */
static unsigned draw(struct verd__scheduler *scheduler)
{
    return (unsigned)(verd__draw(scheduler) % BUCKETS);
}

/* Where the unstarted ones go: as many buckets as there are of them, to be taken from the first bucket on. */
static void draw_for_unstarted(struct verd__scheduler *scheduler, size_t counts[BUCKETS])
{
    for (const struct verd__thread *at = scheduler->first; at != NULL; at = at->next) {
        if (at->state == VERD__UNSTARTED)
            counts[draw(scheduler)]++;
    }
}

static void deal(struct verd__scheduler *scheduler, struct buckets *buckets)
{
    size_t counts[BUCKETS] = {0};
    unsigned unstarted = 0;
    draw_for_unstarted(scheduler, counts);
    for (struct verd__thread *at = scheduler->first, *next; at != NULL; at = next) {
        unsigned bucket;
        next = at->next;
        if (at->state == VERD__UNSTARTED) {
            while (counts[unstarted] == 0)
                unstarted++;
            counts[unstarted]--;
            bucket = unstarted;
        } else {
            bucket = draw(scheduler);
        }
        *buckets->last[bucket] = at;
        buckets->last[bucket] = &at->next;
    }
}

/* Makes one list of some buckets. Returns where its next one goes. */
static struct verd__thread **gather(struct buckets *buckets, unsigned begin, unsigned end,
                                    struct verd__thread **list)
{
    struct verd__thread **last = list;
    for (unsigned i = begin; i < end; i++) {
        *buckets->last[i] = NULL;
        if (buckets->first[i] == NULL)
            continue;
        *last = buckets->first[i];
        last = buckets->last[i];
    }
    *last = NULL;
    return last;
}

void verd__shuffle(struct verd__scheduler *scheduler)
{
    struct buckets buckets;
    for (unsigned i = 0; i < BUCKETS; i++)
        buckets.last[i] = &buckets.first[i];
    deal(scheduler, &buckets);
    gather(&buckets, 0, BUCKETS / 2, &scheduler->batch);
    scheduler->last = gather(&buckets, BUCKETS / 2, BUCKETS, &scheduler->first);
    if (scheduler->batch == NULL)
        verd__turn(scheduler);
}
