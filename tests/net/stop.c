/* SPDX-License-Identifier: MIT */

/* The end of a server: grace, kill, and who may ask for it. */
#include <criterion/criterion.h>

#include "call.h"
#include "house.h"

static struct house house, other;
static verd_duration at_once = 0, soon = 5 * VERD_MS, never = VERD_FOREVER;

static bool refuses(const struct house *self)
{
    return outcome(verd_connect("127.0.0.1", self->port)) == -ECONNREFUSED;
}

Test(stop, an_idle_server_ends_at_once)
{
    house_open(&house, NULL);
    callers_settle();
    cr_expect_eq(verd_serve_stop(house.server, VERD_FOREVER), 0);
    cr_expect(refuses(&house));
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect_eq(verd_serve_free(house.server), 0);
}

Test(stop, a_server_that_has_not_begun_ends_at_once)
{
    house_open(&house, NULL);
    cr_expect_eq(verd_serve_stop(house.server, VERD_FOREVER), 0);
    cr_expect(refuses(&house));
    cr_expect_eq(verd_serve_free(house.server), 0);
}

Test(stop, a_busy_handler_finishes_within_the_grace)
{
    struct caller stopper;
    house_open(&house, NULL);
    int guest = house_guest(&house);
    caller_start(&stopper, call_stop, house.server, &never);
    cr_expect(refuses(&house));
    cr_expect_not(stopper.done);
    guest_speak(guest);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(house.outcome, 1);
    cr_expect(guest_is_out(guest));
}

Test(stop, a_handler_that_has_not_begun_is_run_within_the_grace)
{
    house_open(&house, NULL);
    callers_settle();
    int guest = verd_connect("127.0.0.1", house.port);
    verd_write(guest, "x", 1);
    while (verd_serve_clients(house.server) == 0)
        verd_yield();
    cr_assert_eq(house.begun, 0); /* the acceptor has just started it */
    cr_expect_eq(verd_serve_stop(house.server, VERD_FOREVER), 0);
    cr_expect_eq(house.outcome, 1);
}

Test(stop, a_handler_is_killed_after_the_grace)
{
    verd_duration begin = verd_now();
    house_open(&house, NULL);
    int guest = house_guest(&house);
    cr_expect_eq(verd_serve_stop(house.server, soon), 0);
    cr_expect_geq(verd_now() - begin, soon);
    cr_expect_eq(house.outcome, -ECANCELED);
    cr_expect(guest_is_out(guest));
}

Test(stop, a_grace_of_zero_and_less_kills_at_once)
{
    for (verd_duration grace = 0; grace > -2; grace--) {
        house_open(&house, NULL);
        int guest = house_guest(&house);
        cr_expect_eq(verd_serve_stop(house.server, grace), 0);
        cr_expect_eq(house.outcome, -ECANCELED);
        cr_expect(guest_is_out(guest));
        verd_serve_free(house.server);
    }
}

Test(stop, a_handler_that_has_not_begun_never_does_when_it_is_killed)
{
    house_open(&house, NULL);
    callers_settle();
    int guest = verd_connect("127.0.0.1", house.port);
    while (verd_serve_clients(house.server) == 0)
        verd_yield();
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect(guest_is_out(guest));
    cr_expect_eq(house.begun, 0);
    cr_expect_eq(verd_serve_free(house.server), 0);
}

Test(stop, the_grace_holds_for_a_caller_who_is_shielded)
{
    house_open(&house, NULL);
    house_guest(&house);
    verd_kill(verd_self());
    verd_shield_begin();
    cr_expect_eq(verd_serve_stop(house.server, soon), 0);
    verd_shield_end();
    cr_expect_eq(house.outcome, -ECANCELED);
}

static void clean_up_slowly(int client, void *arg)
{
    struct house *self = arg;
    self->begun++;
    verd_shield_begin();
    self->outcome = verd_sleep(20 * VERD_MS);
    self->ended++;
    verd_shield_end();
    (void)client;
}

Test(stop, a_shielded_handler_is_waited_for)
{
    house_open_with(&house, NULL, clean_up_slowly);
    house_guest(&house);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect_eq(house.ended, 1);
    cr_expect_eq(house.outcome, 0);
}

static void heed_nothing(int client, void *arg)
{
    struct house *self = arg;
    self->begun++;
    for (int i = 0; i < 1000; i++) {
        verd_write(client, "x", 1);
        verd_yield();
    }
    self->ended++;
}

Test(stop, a_handler_that_does_not_heed_its_errors_is_waited_for)
{
    house_open_with(&house, NULL, heed_nothing);
    house_guest(&house);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect_eq(house.ended, 1);
}

Test(stop, a_server_that_waits_for_a_slot_can_be_stopped)
{
    house_open(&house, verd_pool_new(1));
    int guest = house_guest(&house);
    int left = house_guest(&house);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect(guest_is_out(guest) && guest_is_out(left));
    cr_expect_eq(house.begun, 1);
}

/* ---- more than once ---- */

Test(stop, stopping_a_server_that_has_ended_is_fine)
{
    house_open(&house, NULL);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    int successor = verd_listen("127.0.0.1", 0, 0);
    cr_expect_eq(successor, house.listener);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect_gt(verd_port(successor), 0); /* it was not closed instead */
}

Test(stop, who_runs_out_of_time_may_stop_again)
{
    struct caller closer;
    house_open(&house, NULL);
    int guest = house_guest(&house);
    cr_expect_eq(caller_within(VERD_MS, call_stop, house.server, &never), -ETIMEDOUT);
    cr_expect(refuses(&house));
    cr_expect_eq(outcome(verd_serve_free(house.server)), -EBUSY);
    caller_start(&closer, call_stop, house.server, &never);
    guest_speak(guest);
    cr_expect_eq(caller_end(&closer), 0);
    cr_expect_eq(house.outcome, 1);
}

Test(stop, the_grace_of_who_ran_out_of_time_does_not_count)
{
    verd_duration later = 200 * VERD_MS;
    house_open(&house, NULL);
    int guest = house_guest(&house);
    cr_expect_eq(caller_within(VERD_MS, call_stop, house.server, &later), -ETIMEDOUT);
    verd_sleep(later + later / 4);
    guest_speak(guest);
    cr_expect_eq(house.outcome, 1);
}

Test(stop, who_is_killed_leaves_a_server_that_can_be_stopped)
{
    struct caller stopper;
    house_open(&house, NULL);
    house_guest(&house);
    caller_start(&stopper, call_stop, house.server, &never);
    verd_kill(stopper.thread);
    cr_expect_eq(caller_end(&stopper), -ECANCELED);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect_eq(house.outcome, -ECANCELED);
}

static int call_stop_killed(struct caller *self)
{
    verd_kill(verd_self());
    return call_stop(self);
}

Test(stop, a_killed_thread_closes_the_listener_and_is_told_so)
{
    struct caller stopper;
    house_open(&house, NULL);
    caller_start(&stopper, call_stop_killed, house.server, &never);
    cr_expect_eq(caller_end(&stopper), -ECANCELED);
    cr_expect(refuses(&house));
    cr_expect_eq(verd_serve_wait(house.server), 0);
}

Test(stop, the_first_grace_to_end_counts)
{
    struct caller patient, waiter;
    house_open(&house, NULL);
    house_guest(&house);
    caller_start(&waiter, call_serve_wait, house.server, NULL);
    caller_start(&patient, call_stop, house.server, &never);
    cr_expect_eq(verd_serve_stop(house.server, soon), 0);
    cr_expect_eq(house.outcome, -ECANCELED);
    cr_expect_eq(caller_end(&patient), 0);
    cr_expect_eq(caller_end(&waiter), 0);
}

static int call_stop_and_free(struct caller *self)
{
    int result = call_stop(self);
    return result == 0 ? verd_serve_free(self->object) : result;
}

Test(stop, the_first_of_those_who_wait_may_free_the_server)
{
    struct caller first, second, third;
    house_open(&house, NULL);
    int guest = house_guest(&house);
    caller_start(&first, call_stop_and_free, house.server, &never);
    caller_start(&second, call_stop, house.server, &never);
    caller_start(&third, call_serve_wait, house.server, NULL);
    guest_speak(guest);
    cr_expect_eq(caller_end(&first), 0);
    cr_expect_eq(caller_end(&second), 0);
    cr_expect_eq(caller_end(&third), 0);
}

/* ---- shared pools ---- */

static void *hold_slot(void *arg)
{
    verd_park();
    return arg;
}

Test(stop, a_server_waits_for_its_own_handlers_only)
{
    verd_pool *pool = verd_pool_new(10);
    struct caller stopper;
    house_open(&house, pool);
    house_open(&other, pool);
    verd_pool_spawn(pool, hold_slot, NULL);
    int guest = house_guest(&house);
    int stranger = house_guest(&other);
    caller_start(&stopper, call_stop, house.server, &never);
    guest_speak(guest);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(verd_pool_running(pool), 2);
    cr_expect_eq(other.outcome, 12345);
    guest_speak(stranger);
    cr_expect_eq(other.outcome, 1);
}

Test(stop, a_server_kills_its_own_handlers_only)
{
    verd_pool *pool = verd_pool_new(10);
    house_open(&house, pool);
    house_open(&other, pool);
    house_guest(&house);
    int stranger = house_guest(&other);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    guest_speak(stranger);
    cr_expect_eq(other.outcome, 1);
}

/* ---- from within ---- */

static verd_duration grace; /* of stop_from_within */
static int stopped, reached;

/* The first byte of the client has the handler stop the server; it then can still wait. */
static void stop_from_within(int client, void *arg)
{
    struct house *self = arg;
    house_handle(client, self);
    if (self->outcome != 1)
        return;
    int result = outcome(verd_serve_stop(self->server, grace));
    stopped += result == 0;
    reached += outcome(verd_sleep(VERD_MS)) == result;
}

Test(stop, a_handler_can_stop_its_own_server)
{
    grace = VERD_FOREVER;
    house_open_with(&house, NULL, stop_from_within);
    int guest = house_guest(&house);
    guest_speak(guest);
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect(stopped == 1 && reached == 1);
    cr_expect(guest_is_out(guest));
    cr_expect(refuses(&house));
}

Test(stop, a_handler_that_stops_waits_for_the_others)
{
    grace = VERD_FOREVER;
    house_open_with(&house, NULL, stop_from_within);
    int first = house_guest(&house);
    int second = house_guest(&house);
    guest_speak(first);
    cr_expect_eq(stopped, 0);
    verd_shutdown(second, SHUT_WR);
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect(stopped == 1 && reached == 1);
}

Test(stop, a_handler_is_not_killed_by_its_own_grace)
{
    grace = 0;
    house_open_with(&house, NULL, stop_from_within);
    int first = house_guest(&house);
    house_guest(&house);
    guest_speak(first);
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect(stopped == 1 && reached == 1);
    cr_expect(house.ended == 2 && house.outcome == -ECANCELED);
}

Test(stop, two_handlers_that_stop_do_not_wait_for_each_other)
{
    grace = VERD_FOREVER;
    house_open_with(&house, NULL, stop_from_within);
    int first = house_guest(&house);
    int second = house_guest(&house);
    int third = house_guest(&house);
    guest_speak(first);
    guest_speak(second);
    cr_expect_eq(stopped, 0);
    verd_shutdown(third, SHUT_WR);
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect(stopped == 2 && reached == 2);
}

static void stop_twice_from_within(int client, void *arg)
{
    stop_from_within(client, arg);
    stop_from_within(client, arg);
}

/* Neither of them has to end, either; and those that have stopped and go on are waited for. */
Test(stop, the_last_handler_to_stop_lets_the_others_go_on)
{
    grace = VERD_FOREVER;
    house_open_with(&house, NULL, stop_twice_from_within);
    int first = house_guest(&house);
    int second = house_guest(&house);
    guest_speak(first);
    cr_expect_eq(stopped, 0);
    guest_speak(second);
    while (stopped < 2)
        verd_sleep(VERD_MS);
    guest_speak(first);
    verd_sleep(5 * VERD_MS);
    cr_expect_eq(stopped, 2);
    guest_speak(second);
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect(stopped == 4 && reached == 4);
}

Test(stop, who_stops_from_outside_waits_for_the_handlers_that_stop)
{
    grace = VERD_FOREVER;
    struct caller stopper;
    house_open_with(&house, NULL, stop_from_within);
    int first = house_guest(&house);
    int second = house_guest(&house);
    guest_speak(first);
    caller_start(&stopper, call_stop, house.server, &never);
    guest_speak(second);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect(stopped == 2 && reached == 2);
    cr_expect_eq(verd_serve_clients(house.server), 0);
}

Test(stop, a_handler_that_stops_can_be_killed_from_outside)
{
    grace = VERD_FOREVER;
    house_open_with(&house, NULL, stop_from_within);
    int first = house_guest(&house);
    house_guest(&house);
    guest_speak(first);
    cr_expect_eq(verd_serve_stop(house.server, at_once), 0);
    cr_expect(stopped == 0 && reached == 1);
}

static void wait_from_within(int client, void *arg)
{
    struct house *self = arg;
    (void)client;
    self->outcome = outcome(verd_serve_wait(self->server));
}

Test(stop, a_handler_cannot_wait_for_its_own_server)
{
    house_open_with(&house, NULL, wait_from_within);
    house_guest(&house);
    cr_expect_eq(house.outcome, -EDEADLK);
}

static void free_from_within(int client, void *arg)
{
    struct house *self = arg;
    (void)client;
    self->outcome =
        outcome(verd_serve_stop(self->server, 0)) == 0 ? outcome(verd_serve_free(self->server)) : 1;
}

Test(stop, a_handler_cannot_free_its_own_server)
{
    house_open_with(&house, NULL, free_from_within);
    house_guest(&house);
    cr_expect_eq(verd_serve_wait(house.server), 0);
    cr_expect_eq(house.outcome, -EBUSY);
}

static void stop_the_other(int client, void *arg)
{
    (void)client, (void)arg;
    stopped += verd_serve_stop(other.server, 0) == 0;
}

Test(stop, a_handler_can_stop_another_server)
{
    house_open_with(&house, NULL, stop_the_other);
    house_open(&other, NULL);
    house_guest(&other);
    house_guest(&house);
    cr_expect_eq(verd_serve_stop(house.server, VERD_FOREVER), 0);
    cr_expect(stopped == 1 && other.outcome == -ECANCELED);
}

Test(stop, a_wait_for_the_end_obeys_a_timeout)
{
    house_open(&house, NULL);
    cr_expect_eq(caller_within(VERD_MS, call_serve_wait, house.server, NULL), -ETIMEDOUT);
    int guest = house_guest(&house); /* it goes on */
    cr_expect_eq(house.begun, 1);
    verd_close(guest);
}

static void note_turn(void *turned)
{
    *(bool *)turned = true;
}

Test(stop, waiting_for_a_server_that_has_ended_lets_others_run_once_in_a_while)
{
    bool stop_turned = false, wait_turned = false;
    house_open(&house, NULL);
    cr_assert_eq(verd_serve_stop(house.server, 0), 0);
    verd_spawn_n(note_turn, &stop_turned);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect(stop_turned);
    verd_spawn_n(note_turn, &wait_turned);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(verd_serve_wait(house.server), 0);
    cr_expect(wait_turned);
}
