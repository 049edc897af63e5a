/* SPDX-License-Identifier: MIT */

/* The child of a fork, and the server that its parent has. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "house.h"

static struct house house;

/* In the child: its server has ended, its guest is out, and the listener can be served anew. */
static bool serves_anew(int guest)
{
    struct house own = {.listener = house.listener, .port = house.port};
    if (outcome(verd_serve_wait(house.server)) != -ECANCELED)
        return false;
    own.server = verd_serve(own.listener, house_handle, &own, NULL);
    int another = house_guest(&own);
    guest_speak(another);
    verd_close(guest);
    return guest_is_out(another) && own.ended == 1 && verd_serve_stop(own.server, 0) == 0 &&
           verd_serve_free(house.server) == 0;
}

Test(serve, the_child_of_a_fork_can_serve_the_listener_anew)
{
    int status = -1;
    house_open(&house, NULL);
    int guest = house_guest(&house);
    pid_t child = fork();
    if (child == 0)
        _exit(serves_anew(guest) ? 0 : 1);
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    guest_speak(guest); /* the child has not ended what is the parent's */
    cr_assert(guest_is_out(guest));
    cr_assert_eq(house.outcome, 1);
}

Test(serve, the_child_of_a_fork_does_not_keep_clients_connected)
{
    int ends[2];
    house_open(&house, NULL);
    int guest = house_guest(&house);
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        _exit((int)read(ends[0], &(char){0}, 1)); /* until this test is over */
    guest_speak(guest);
    cr_expect(guest_is_out(guest)); /* hangs if the child has it too */
    close(ends[1]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
