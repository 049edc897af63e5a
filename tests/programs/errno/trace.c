/* SPDX-License-Identifier: MIT */
/* What <verd/stats.h> says of errnos. */
#include "table.h"

CALL(stats, verd_stats(&(struct verd_stats){0}))
CALL(stats_into_nothing, verd_stats(NULL))
CALL(stats_watch, verd_stats_watch(true))

const struct row trace_rows[] = {
    AT_FIRST("verd_stats", stats),
    PLAINLY("verd_stats", EINVAL, NULL, stats_into_nothing),
    AT_FIRST("verd_stats_watch", stats_watch),
    {0},
};
