/* SPDX-License-Identifier: MIT */
/* The page with the form. */
#ifndef FEED_SCRAPER_PAGE_H
#define FEED_SCRAPER_PAGE_H

#include <verd.h>

/* Replies with it; `urls`, which ends in NULL, are in the form already. */
int reply_page(verd_http_exchange *x, char **urls);

#endif
