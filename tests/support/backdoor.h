/* SPDX-License-Identifier: MIT */
/* A backdoor, its client on an OS thread that has no green threads, and a green thread that holds the hub meanwhile. */
#ifndef TESTS_SUPPORT_BACKDOOR_H
#define TESTS_SUPPORT_BACKDOOR_H

#include <stdbool.h>

#include <verd.h>

/* What ends each answer. */
#define END_OF_ANSWER "\n\n"

/* The end of what is told in place of an answer that does not come yet. */
#define EXCUSE "the answer comes when that OS thread gives way\n"

/* Where it is; one directory after another. */
extern char door_path[64];
void door_choose_path(void);

void door_open(void);
void door_close(void);

/* Asserts that nothing is left of it. */
void door_expect_gone(void);

/* ---- the client ---- */

/* What it has heard since it came in. */
extern char heard[65536];

/* Begins it; and waits for its end, while others run. */
void client_begin(void (*fn)(void));
void client_end(void);

/* The rest is called on it. The connection stays until client_end. */
void client_come_in(void);
void client_leave(void);
void client_ask_no_more(void);
void client_ask(const char *question);

/* Asks what its hub has to answer, and hears why it does not yet. */
void client_ask_in_vain(void);

/* Adds to what it has heard, until it has `text` behind what is there already, or there is no more; NULL: until then. */
void client_hear(const char *text);

/* Asks time and again until the answer has `text`, as what is told of those who run is of any moment. */
void client_ask_until(const char *question, const char *text);

/* Comes in when the OS thread is held. */
void client_meet_holder(void);

bool has_heard(const char *text);
#define EXPECT_HEARD(text) cr_assert(has_heard(text), "\"%s\" is not in:\n%s", text, heard)

/* ---- who holds the OS thread ---- */

/* Until the client lets it go: computes, or blocks in the kernel. */
void hold_computing(void);
void hold_blocking(void);
void client_let_go(void);

/* Opens the backdoor, and runs fn on a green thread "holder", beside one that is "parked", and the client. */
void hold_by(void (*fn)(void), void (*client)(void));

#endif
