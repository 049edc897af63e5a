/* SPDX-License-Identifier: MIT */

/* Descriptors that are closed while someone waits, and duplicates. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "call.h"

static char buffer[64];

Test(io, verd_close_wakes_a_reader_with_EBADF_at_once)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[0]);
    verd_yield();
    cr_assert(reader.returned && reader.outcome == -EBADF);
}

Test(io, verd_close_wakes_a_writer_with_EBADF_at_once)
{
    int fds[2];
    struct call writer = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_close(fds[0]);
    verd_yield();
    cr_assert(writer.returned && writer.outcome == -EBADF);
}

Test(io, verd_close_wakes_an_accept_with_EBADF)
{
    int port;
    int listener = make_listener(&port);
    struct call accepter = {0};
    call_start(&accepter, call_accept, listener);
    verd_close(listener);
    cr_assert_eq(call_end(&accepter), -EBADF);
}

Test(io, verd_close_wakes_who_waits_for_readiness_with_EBADF)
{
    int fds[2];
    struct call waiter = {0};
    make_pair(fds);
    call_start(&waiter, call_wait_input, fds[0]);
    verd_close(fds[0]);
    cr_assert_eq(call_end(&waiter), -EBADF);
}

Test(io, verd_close_wakes_who_polls)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, call_poll_input, fds[0]);
    verd_close(fds[0]);
    ssize_t result = call_end(&poller);
    cr_assert(result == POLLNVAL || result == -EBADF);
}

Test(io, verd_close_wakes_a_reader_of_a_foreign_descriptor)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, verd_close_wakes_a_reader_that_had_data_before)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_plain_close_under_a_reader_is_noticed)
{
    int fds[2];
    struct call reader = {0};
    with_audits();
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    close(fds[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_plain_close_under_a_writer_is_noticed)
{
    int fds[2];
    struct call writer = {.size = 1};
    with_audits();
    make_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    close(fds[0]);
    cr_assert_eq(call_end(&writer), -EBADF);
}

Test(io, a_plain_close_under_a_reader_of_a_foreign_descriptor_is_noticed)
{
    int fds[2];
    struct call reader = {0};
    with_audits();
    make_foreign_pair(fds);
    call_start(&reader, call_read, fds[0]);
    close(fds[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_plain_close_under_an_accept_is_noticed)
{
    int port;
    with_audits();
    int listener = make_listener(&port);
    struct call accepter = {0};
    call_start(&accepter, call_accept, listener);
    close(listener);
    cr_assert_eq(call_end(&accepter), -EBADF);
}

Test(io, a_plain_close_under_a_long_wait_is_noticed_when_someone_else_waits)
{
    int fds[2], others[2];
    struct call reader = {0}, other = {0};
    with_audits();
    make_pair(fds);
    make_pair(others);
    call_start(&reader, call_read, fds[0]);
    verd_sleep(300 * VERD_MS); /* whatever looks at the waits that have begun has done so */
    close(fds[0]);
    call_start(&other, call_read, others[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, reading_what_was_closed_plainly_is_EBADF)
{
    int fds[2];
    with_audits();
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    close(fds[0]);
    cr_assert_eq(outcome(verd_read(fds[0], buffer, sizeof buffer)), -EBADF);
}

Test(io, closing_twice_is_EBADF)
{
    int fds[2];
    make_pair(fds);
    verd_close(fds[0]);
    cr_assert_eq(outcome(verd_close(fds[0])), -EBADF);
}

Test(io, closing_a_negative_number_is_EBADF)
{
    cr_assert_eq(outcome(verd_close(-1)), -EBADF);
}

Test(io, verd_close_works_in_a_killed_thread)
{
    int fds[2];
    make_pair(fds);
    verd_kill(verd_self());
    cr_assert_eq(outcome(verd_close(fds[0])), 0);
}

Test(io, closing_a_duplicate_leaves_the_reader_waiting)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    int duplicate = dup(fds[0]);
    call_start(&reader, call_read, fds[0]);
    verd_close(duplicate);
    settle();
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&reader), 1);
}

Test(io, closing_a_duplicate_plainly_leaves_the_reader_waiting)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    int duplicate = dup(fds[0]);
    call_start(&reader, call_read, fds[0]);
    close(duplicate);
    settle();
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&reader), 1);
}

Test(io, verd_close_wakes_the_reader_although_a_duplicate_lives)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    dup(fds[0]);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_plain_close_is_noticed_although_a_duplicate_lives)
{
    int fds[2];
    struct call reader = {0};
    with_audits();
    make_foreign_pair(fds);
    dup(fds[0]);
    call_start(&reader, call_read, fds[0]);
    close(fds[0]);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, data_stays_with_the_duplicate_of_what_was_closed)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    int duplicate = dup(fds[0]);
    call_start(&reader, call_read, fds[0]);
    close(fds[0]);
    verd_write(fds[1], "x", 1);
    call_end(&reader);
    cr_assert_eq(verd_read(duplicate, buffer, sizeof buffer), 1);
}

Test(io, a_duplicate_can_be_waited_for_after_the_other_was_closed)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    int duplicate = dup(fds[0]);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[0]);
    call_end(&reader);
    call_start(&reader, call_read, duplicate);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&reader), 1);
}

Test(io, a_duplicate_put_back_under_the_number_can_be_waited_for)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    int duplicate = dup(fds[0]);
    verd_close(fds[0]);
    call_end(&reader);
    dup2(duplicate, fds[0]);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&reader), 1);
}
