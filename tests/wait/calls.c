/* SPDX-License-Identifier: MIT */
#include "calls.h"
#include "process.h"

static const struct rows *const all[] = {
    &rows_of_threads, &rows_of_sync,       &rows_of_queues,  &rows_of_selects,
    &rows_of_pools,   &rows_of_sockets,    &rows_of_streams, &rows_of_servers,
    &rows_of_http,    &rows_of_websockets, &rows_of_files,   &rows_of_processes,
};

const struct row *row_number(size_t number)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (number < all[i]->count)
            return &all[i]->rows[number];
        number -= all[i]->count;
    }
    return NULL;
}

bool is_as_said(const struct row *row)
{
    return !(row->traits & NOWAIT) || !process_is_emulated();
}
