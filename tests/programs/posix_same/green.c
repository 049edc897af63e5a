/* SPDX-License-Identifier: MIT */
#include <verd/posix.h>

#include "transfer.h"

#include "message.h"
#include "ready.h"
#include "rest.h"

void green_cases(struct book *book)
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
