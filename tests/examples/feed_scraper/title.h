/* SPDX-License-Identifier: MIT */
/* The title of a feed. */
#ifndef FEED_SCRAPER_TITLE_H
#define FEED_SCRAPER_TITLE_H

#include <stddef.h>

/* The title of a feed (RSS 0.9x, 1.0 and 2.0, and Atom), on one line, allocated; "" if it has none, or
 * is no feed. NULL: no memory. */
char *feed_title(const char *text, size_t size);

#endif
