/* SPDX-License-Identifier: MIT */
/* What the hub keeps of descriptors after a peak of them. */
#include <criterion/criterion.h>
#include <malloc.h>
#include <unistd.h>

#include <sys/mman.h>

#include "call.h"
#include "hub/hub.h"
#include "hub/table.h"
#include "process.h"
#include "shortage.h"

#define MOST 3000
#define PATIENCE 6000 /* of 10 ms */

static struct verd__loop *loop(void)
{
    return verd__loop(verd__scheduler());
}

static int fds[MOST];

/* Descriptors of the library's, as many as the limit has room for, up to MOST. */
static size_t open_many(void)
{
    size_t count = 0, most = process_descriptors_up_to(MOST);
    need_descriptors(3 * VERD__FDS_PER_CHUNK);
    while (count + 2 <= most && verd_pipe(fds + count) == 0)
        count += 2;
    return count;
}

/* Whether the first page of the chunk is there, of which the highest number is in the middle of the table. */
static bool is_resident(const void *page)
{
    unsigned char resident = 0;
    return mincore((void *)(uintptr_t)page, 1, &resident) != 0 || (resident & 1);
}

static bool has_gone(size_t chunk)
{
    for (int i = 0; i < PATIENCE && is_resident(loop()->chunks[chunk]); i++)
        verd_sleep(10 * VERD_MS);
    return !is_resident(loop()->chunks[chunk]);
}

Test(hub, records_of_numbers_that_are_closed_go_back)
{
    if (process_is_emulated())
        cr_skip_test("the emulator keeps what is given back");
    with_audits();
    size_t count = open_many();
    for (size_t i = 0; i < count; i++)
        verd_close(fds[i]);
    cr_assert(has_gone(1));
}

/* The highest number is left, which is in another chunk than the others. */
Test(hub, the_record_of_a_number_that_is_open_stays)
{
    size_t count = open_many(), kept = 2 * VERD__FDS_PER_CHUNK;
    for (size_t i = 0; i < count; i++) {
        if (i != kept)
            verd_close(fds[i]);
    }
    size_t chunk = (size_t)fds[kept] / VERD__FDS_PER_CHUNK;
    uint32_t generation = verd__loop_known(loop(), fds[kept])->generation;
    verd__table_release(loop(), chunk);
    const struct verd__fd *record = verd__loop_known(loop(), fds[kept]);
    cr_assert(record->bits & VERD__FD_OURS && record->generation == generation);
}

/* Whoever has the record in hand must not take the new file for the old one. */
Test(hub, a_number_whose_record_has_gone_is_never_known_by_what_it_was_before)
{
    size_t count = open_many();
    int fd = fds[VERD__FDS_PER_CHUNK];
    size_t chunk = (size_t)fd / VERD__FDS_PER_CHUNK;
    const struct verd__fd *record = verd__loop_known(loop(), fd);
    uint32_t before = record->generation;
    for (size_t i = 0; i < count; i++)
        verd_close(fds[i]);
    verd__table_release(loop(), chunk);
    uint32_t between = record->generation;
    open_many();
    cr_assert(record == verd__loop_known(loop(), fd) && between != before &&
              record->generation != before && record->bits & VERD__FD_OURS);
}

Test(hub, a_record_that_is_waited_for_stays_though_its_number_is_closed)
{
    int pair[2];
    struct call reader = {0};
    make_pair(pair);
    call_start(&reader, call_read, pair[0]);
    struct verd__fd *record = verd__loop_known(loop(), pair[0]);
    close(pair[0]);
    verd__table_release(loop(), 0);
    cr_assert(record->waiting[VERD__INPUT] != NULL);
}

/* The first field of the backend's state is what it waits with. */
Test(hub, no_room_is_kept_for_waits_that_are_over)
{
    enum { READERS = 1000 };
    static struct call readers[READERS];
    if (loop()->backend->shrink == NULL)
        cr_skip_test("this hub keeps none");
    open_many();
    for (size_t i = 0; i < READERS; i++)
        call_start(&readers[i], call_read, fds[2 * i]);
    size_t before = malloc_usable_size(*(void **)loop()->state);
    for (size_t i = 1; i < READERS; i++)
        verd_close(fds[2 * i + 1]);
    for (size_t i = 1; i < READERS; i++)
        call_end(&readers[i]);
    loop()->backend->shrink(loop());
    cr_assert_lt(malloc_usable_size(*(void **)loop()->state), before / 4);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&readers[0]), 1);
}
