/* SPDX-License-Identifier: MIT */
#include "hub/audit.h"

/* An audit comes so long after the first wait that follows the one before, or a hundred times as
 * long as that one took. */
#define INTERVAL_MIN (100 * VERD_MS)
#define INTERVAL_FACTOR 100

static void audit_record(struct verd__hub *hub, int fd, struct verd__fd *record)
{
    if (record->waiting[VERD__INPUT] == NULL && record->waiting[VERD__OUTPUT] == NULL)
        return;
    if (hub->backend->verify(hub, fd, record) != 0)
        verd__hub_gone(hub, record);
}

static void audit(struct verd__timer *timer)
{
    void *start = (char *)timer - offsetof(struct verd__hub, audit);
    struct verd__hub *hub = start;
    verd_duration begin = verd_now();
    for (size_t chunk = 0; chunk < hub->chunk_count; chunk++) {
        for (size_t i = 0; hub->chunks[chunk] != NULL && i < VERD__FDS_PER_CHUNK; i++)
            audit_record(hub, (int)(chunk * VERD__FDS_PER_CHUNK + i), &hub->chunks[chunk][i]);
    }
    verd_duration took = verd_now() - begin;
    hub->audit_interval = took * INTERVAL_FACTOR;
    if (hub->audit_interval < INTERVAL_MIN)
        hub->audit_interval = INTERVAL_MIN;
}

void verd__audit_init(struct verd__hub *hub)
{
    hub->audit.fire = audit;
    hub->audit_interval = INTERVAL_MIN;
}

void verd__audit_arm(struct verd__hub *hub)
{
    verd__timer_arm(&hub->scheduler->timers, &hub->audit, verd_now() + hub->audit_interval);
}
