/* SPDX-License-Identifier: MIT */
/*
 * The table of records, by descriptor number: chunks, made when a number of theirs is used for the first time.
 *
 * The pages of a chunk go back when none of its numbers is open. A call may have a record in hand all the same, one
 * that waits for something else meanwhile; it finds another generation then, as if the file had been closed just
 * now, and so its errno is EBADF. A record that is zero already may be of a file that the hub does not know, and
 * stays as it is.
 */
#ifndef VERD_HUB_TABLE_H
#define VERD_HUB_TABLE_H

#include "hub/hub.h"

/* Gives the pages of a chunk back if nobody needs them. Returns whether the kernel was asked. */
bool verd__table_release(struct verd__loop *loop, size_t chunk);

/* The hub ends. */
void verd__table_free(struct verd__loop *loop);

#endif
