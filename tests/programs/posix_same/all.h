/* SPDX-License-Identifier: MIT */
/* All cases. */
#include "transfer.h"

#include "large.h"
#include "locks.h"
#include "message.h"
#include "ready.h"
#include "rest.h"
#include "reused.h"
#include "signals.h"

static void all_cases(struct book *book)
{
    reading(book);
    writing(book);
    vectors(book);
    numbers(book);
    counters(book);
    receiving(book);
    sending(book);
    datagrams(book);
    addressed_datagrams(book);
    low_water(book);
    limits(book);
    connections(book);
    slow_connections(book);
    unix_connections(book);
    unix_backlog(book);
    polling(book);
    selecting(book);
    epolling(book);
    sleeping(book);
    reused_numbers(book);
    files(book);
    large_files(book);
    locks(book);
    names(book);
    children(book);
    commands(book);
    waiting_for_signals(book);
    looks(book);
    handlers_of_old(book);
    interruptions(book);
    interrupted_limits(book);
}
