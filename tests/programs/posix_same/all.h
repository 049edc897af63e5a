/* SPDX-License-Identifier: MIT */
/* All cases. */
#include "transfer.h"

#include "message.h"
#include "ready.h"
#include "rest.h"

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
    limits(book);
    connections(book);
    unix_connections(book);
    polling(book);
    selecting(book);
    epolling(book);
    sleeping(book);
    files(book);
    names(book);
    children(book);
    interruptions(book);
}
