/* SPDX-License-Identifier: MIT */

/* Handlers that wait for their client's next request. */
#include <criterion/criterion.h>

#include "call.h"
#include "house.h"

static struct house house;
static verd_duration never = VERD_FOREVER;

/* A request is a byte, and so is its answer; *house is as house_handle leaves it. */
static void answer_requests(int client, void *arg)
{
    struct house *self = arg;
    char byte;
    int next;
    self->begun++;
    while ((next = verd_serve_next(client)) == 1 && verd_read(client, &byte, 1) == 1)
        verd_write(client, &byte, 1);
    self->outcome = outcome(next);
    self->ended++;
}

static bool is_answered(int guest)
{
    char byte;
    return verd_read(guest, &byte, 1) == 1;
}

Test(stop, an_idle_client_does_not_use_up_the_grace)
{
    house_open_with(&house, NULL, answer_requests);
    int first = house_guest(&house);
    int second = house_guest(&house);
    guest_speak(first);
    cr_expect(is_answered(first));
    cr_expect_eq(verd_serve_stop(house.server, VERD_FOREVER), 0);
    cr_expect_eq(house.ended, 2);
    cr_expect_eq(house.outcome, 0);
    cr_expect(guest_is_out(first) && guest_is_out(second));
}

Test(stop, a_request_that_has_come_is_answered)
{
    struct caller stopper;
    house_open_with(&house, NULL, answer_requests);
    int guest = house_guest(&house);
    verd_write(guest, "x", 1); /* without giving way */
    caller_start(&stopper, call_stop, house.server, &never);
    cr_expect(is_answered(guest));
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect(guest_is_out(guest));
}

Test(stop, a_handler_that_asks_for_the_next_once_the_server_stops_gets_none)
{
    struct caller stopper;
    house_open_with(&house, NULL, house_handle); /* reads a byte on its own */
    int guest = house_guest(&house);
    caller_start(&stopper, call_stop, house.server, &never);
    cr_expect_not(stopper.done);
    guest_speak(guest);
    cr_expect_eq(caller_end(&stopper), 0);
}

Test(serve, the_end_of_a_client_is_its_next)
{
    house_open_with(&house, NULL, answer_requests);
    int guest = house_guest(&house);
    verd_close(guest);
    callers_settle();
    cr_expect_eq(house.ended, 1);
    cr_expect_eq(house.outcome, 1);
}

static void wait_for_a_while(int client, void *arg)
{
    struct house *self = arg;
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    self->outcome = outcome(verd_serve_next(client));
    verd_timeout_end(&limit);
    self->ended++;
}

Test(serve, a_timeout_ends_the_wait_for_the_next)
{
    house_open_with(&house, NULL, wait_for_a_while);
    int guest = house_guest(&house);
    cr_expect(guest_is_out(guest));
    cr_expect_eq(house.outcome, -ETIMEDOUT);
}

static void ask_for_another(int client, void *arg)
{
    struct house *self = arg;
    self->outcome = outcome(verd_serve_next(client + 1));
    self->ended++;
}

Test(serve, who_is_no_handler_of_the_client_has_no_next)
{
    int fds[2];
    make_pair(fds);
    cr_expect_eq(outcome(verd_serve_next(fds[0])), -EINVAL);
    house_open_with(&house, NULL, ask_for_another);
    cr_expect(guest_is_out(house_guest(&house)));
    cr_expect_eq(house.outcome, -EINVAL);
}
