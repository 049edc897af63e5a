/* SPDX-License-Identifier: MIT */
/* The page for a browser, which talks by a WebSocket at /talk. */
#ifndef CHAT_SERVER_PAGE_H
#define CHAT_SERVER_PAGE_H

#include <verd.h>

/* Replies with it. */
int reply_page(verd_http_exchange *x);

#endif
