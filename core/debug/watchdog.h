/* SPDX-License-Identifier: MIT */
#ifndef VERD_DEBUG_WATCHDOG_H
#define VERD_DEBUG_WATCHDOG_H

/* VERD_WATCHDOG's choice. */
void verd__watchdog_environment(void);

/* The child of a fork has a watchdog of its own, if the parent has one. */
void verd__watchdog_forked(void);

#endif
