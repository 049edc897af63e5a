/* SPDX-License-Identifier: MIT */

/* The backdoor of a hub that is busy, asked by an OS thread that has no green threads. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

#include "backdoor.h"
#include "process.h"

/* Where hold_computing is found; but thread sanitizer is more often at work than what it looks after. */
#define COMPUTES (UNDER_TSAN ? "    at " : "    at hold_computing+")

/* ---- what is told from outside ---- */

static void ask_threads(void)
{
    client_meet_holder();
    client_ask("threads\n");
    client_hear(END_OF_ANSWER);
    client_let_go();
}

Test(debug, a_backdoor_tells_of_the_threads_while_one_computes)
{
    hold_by(hold_computing, ask_threads);
    client_end();
    EXPECT_HEARD("\"parked\" waits for verd_unpark");
    EXPECT_HEARD("thread 0 (main) waits for");
    door_close();
}

Test(debug, a_backdoor_tells_of_the_threads_while_one_blocks)
{
    hold_by(hold_blocking, ask_threads);
    client_end();
    EXPECT_HEARD("\"parked\" waits for verd_unpark");
    door_close();
}

static void ask_calls(void)
{
    client_meet_holder();
    client_ask_until("bt\n", COMPUTES);
    client_let_go();
}

Test(debug, a_backdoor_shows_the_calls_of_all_while_one_computes)
{
    hold_by(hold_computing, ask_calls);
    client_end();
    EXPECT_HEARD("green threads of process");
    EXPECT_HEARD(COMPUTES);
    EXPECT_HEARD("at park+");
    door_close();
}

static char question[32];
static _Atomic(size_t) number;

static void say_who_computes(void)
{
    number = verd_number(verd_self());
    hold_computing();
}

static void ask_calls_of_holder(void)
{
    client_meet_holder();
    snprintf(question, sizeof question, "bt %zu\n", number);
    client_ask_until(question, COMPUTES);
    client_let_go();
}

Test(debug, a_backdoor_shows_the_calls_of_a_thread_that_computes)
{
    hold_by(say_who_computes, ask_calls_of_holder);
    client_end();
    EXPECT_HEARD("\"holder\" runs");
    EXPECT_HEARD(COMPUTES);
    cr_assert(!has_heard("parked"), "%s", heard);
    door_close();
}

/* ---- what the hub is asked ---- */

/* On a machine that is busy, the one that computes may not come to say where it is. */
static void ask_figures(void)
{
    client_meet_holder();
    client_ask_in_vain();
    while (!has_heard(COMPUTES)) {
        client_leave();
        client_come_in();
        client_ask_in_vain();
    }
    client_let_go();
    client_hear(END_OF_ANSWER);
}

Test(debug, a_backdoor_says_who_keeps_the_hub_from_an_answer_that_comes_when_it_can)
{
    hold_by(hold_computing, ask_figures);
    client_end();
    EXPECT_HEARD("\"holder\" holds its OS thread, which has looked at no event for ");
    EXPECT_HEARD(COMPUTES);
    const char *excuse = strstr(heard, EXCUSE), *figures = strstr(heard, "threads_made ");
    cr_assert(excuse != NULL && figures > excuse, "%s", heard);
    cr_assert_eq(process_count(heard, EXCUSE), 1);
    door_close();
}

static void ask_several(void)
{
    client_meet_holder();
    client_ask("stats\nfds\nthreads\n");
    client_let_go();
    client_hear("\"parked\"");
}

Test(debug, a_backdoor_answers_a_client_in_the_order_of_its_questions)
{
    hold_by(hold_computing, ask_several);
    client_end();
    const char *figures = strstr(heard, "threads_made "), *fds = strstr(heard, "descriptor "),
               *threads = strstr(heard, "\"parked\"");
    cr_assert(figures != NULL && figures < fds && fds < threads, "%s", heard);
    door_close();
}

static void ask_meanwhile(void)
{
    client_meet_holder();
    client_ask("what\n");
    client_hear(END_OF_ANSWER);
    client_ask("stats\n");
    usleep(10000); /* the next one comes by itself */
    client_ask("threads\n");
    client_hear(EXCUSE);
    if (!has_heard("\"parked\""))
        client_hear("\"parked\"");
    client_let_go();
    client_hear("holds ");
}

Test(debug, who_waits_for_the_hub_and_knows_may_ask_a_backdoor_what_is_told_without)
{
    hold_by(hold_computing, ask_meanwhile);
    client_end();
    const char *excuse = strstr(heard, EXCUSE), *threads = strstr(heard, "\"parked\" waits"),
               *figures = strstr(heard, "threads_made ");
    cr_assert(excuse != NULL && excuse < threads && threads < figures, "%s", heard);
    EXPECT_HEARD("\"holder\" holds its OS thread");
    door_close();
}

/* And leaves at once; another one sees that it has been read. */
static void kill_one(void)
{
    client_meet_holder();
    client_ask(question);
    client_leave();
    client_come_in();
    client_ask_in_vain();
    client_let_go();
    client_hear(END_OF_ANSWER);
}

static void *park_to_be_killed(void *arg)
{
    (void)arg;
    return verd_park() != 0 ? (void *)(intptr_t)errno : NULL;
}

Test(debug, what_a_client_has_asked_of_the_hub_is_done_though_it_has_left)
{
    void *error;
    verd_thread *thread = verd_spawn(park_to_be_killed, NULL);
    snprintf(question, sizeof question, "kill %zu\n", verd_number(thread));
    hold_by(hold_computing, kill_one);
    cr_assert_eq(verd_join(thread, &error), 0);
    cr_assert_eq((intptr_t)error, ECANCELED);
    client_end();
    door_close();
}

static void ask_and_end(void)
{
    client_meet_holder();
    client_ask("stats\nhelp\n");
    client_ask_no_more();
    client_hear(EXCUSE);
    client_let_go();
    client_hear(NULL);
}

Test(debug, a_client_that_asks_no_more_gets_all_answers)
{
    hold_by(hold_computing, ask_and_end);
    client_end();
    EXPECT_HEARD("threads_made ");
    EXPECT_HEARD("kill N");
    door_close();
}

static void *sleep_long(void *arg)
{
    verd_sleep(1000 * VERD_SEC);
    return arg;
}

static void ask_question(void)
{
    client_come_in();
    client_ask(question);
    client_hear(END_OF_ANSWER);
}

Test(debug, a_backdoor_wakes_a_hub_that_waits_for_time_alone)
{
    door_open();
    verd_thread *thread = verd_spawn(sleep_long, NULL);
    verd_yield();
    snprintf(question, sizeof question, "kill %zu\n", verd_number(thread));
    client_begin(ask_question);
    cr_assert_eq(verd_join(thread, NULL), 0);
    client_end();
    EXPECT_HEARD("done\n");
    door_close();
}

static void kill_the_inbox(void)
{
    client_come_in();
    client_ask("threads\n");
    client_hear(END_OF_ANSWER);
    const char *inbox = strstr(heard, "\"inbox\"");
    while (inbox != NULL && inbox > heard && inbox[-1] != '\n')
        inbox--;
    snprintf(question, sizeof question, "kill %d\n",
             inbox != NULL ? atoi(inbox + strlen("thread ")) : -1);
    client_ask(question);
    client_hear("done" END_OF_ANSWER);
    client_ask("stats\n");
    client_hear("holds ");
}

Test(debug, a_backdoor_cannot_kill_the_way_to_its_hub)
{
    verd_hub_close(verd_hub_open());
    verd_yield(); /* it waits for nobody */
    door_open();
    client_begin(kill_the_inbox);
    client_end();
    EXPECT_HEARD("holds ");
    door_close();
}
