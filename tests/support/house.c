/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "call.h"

void house_handle(int client, void *arg)
{
    struct house *house = arg;
    char byte;
    house->begun++;
    house->outcome = outcome(verd_read(client, &byte, 1));
    house->ended++;
}

void house_open_with(struct house *house, verd_pool *pool, void (*handler)(int client, void *house))
{
    *house = (struct house){.outcome = 12345};
    house->listener = make_listener(&house->port);
    house->server = verd_serve(house->listener, handler, house, pool);
}

void house_open(struct house *house, verd_pool *pool)
{
    house_open_with(house, pool, house_handle);
}

int house_guest(const struct house *house)
{
    int guest = verd_connect("127.0.0.1", house->port);
    callers_settle();
    return guest;
}

void guest_speak(int guest)
{
    verd_write(guest, "x", 1);
    callers_settle();
}

bool guest_is_out(int guest)
{
    char byte;
    ssize_t n = verd_read(guest, &byte, 1);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

int call_stop(struct caller *self)
{
    return verd_serve_stop(self->object, *(const verd_duration *)self->item);
}

int call_serve_wait(struct caller *self)
{
    return verd_serve_wait(self->object);
}
