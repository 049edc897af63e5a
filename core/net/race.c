/* SPDX-License-Identifier: MIT */
/*
 * "Happy Eyeballs" (RFC 8305): an address that does not answer, as those of one family do where its
 * network is broken, does not hold up the others. One thread does it all: it starts an attempt
 * whenever one is due, and else waits for news of those under way.
 */
#include "net/race.h"

#include <errno.h>
#include <stdlib.h>

#include <verd/net.h>

#include "io/descriptor.h"
#include "sched/obligation.h"
#include "net/socket.h"

/* How long an attempt has no company (RFC 8305, 5: "Connection Attempt Delay"). */
#define HEAD_START (250 * VERD_MS)

struct race {
    struct verd__obligation obligation;
    struct verd__loop *loop;
    const struct addrinfo *next[2]; /* of the first address's family, of the other; NULL: no more */
    int turn;                       /* which of them is next */
    verd_duration due;              /* when */
    size_t count;                   /* attempts under way */
    struct verd__fd_watch *watches; /* they, in the order of their starts */
    int error;                      /* of those that have failed; 0: none has */
};

/* The first of the list that is, or is not, of this family. */
static const struct addrinfo *find(const struct addrinfo *address, int family, bool is)
{
    while (address != NULL && (address->ai_family == family) != is)
        address = address->ai_next;
    return address;
}

/* By turns, as long as both families have one. NULL: all have been tried */
static const struct addrinfo *take_address(struct race *race)
{
    int turn = race->next[race->turn] != NULL ? race->turn : !race->turn;
    const struct addrinfo *address = race->next[turn];
    if (address == NULL)
        return NULL;
    race->next[turn] = find(address->ai_next, address->ai_family, true);
    race->turn = !turn;
    return address;
}

/* That this machine has no way to an address says little while others might be reached. */
static bool is_telling(int error)
{
    return error != EAFNOSUPPORT && error != EADDRNOTAVAIL && error != ENETUNREACH;
}

/* One address has failed. The next one need not wait. */
static void note_failure(struct race *race, int error)
{
    if (is_telling(error) || !is_telling(race->error) || race->error == 0)
        race->error = error;
    race->due = 0;
}

static bool is_under_way(int error)
{
    return error == EINPROGRESS || error == EALREADY || error == EINTR;
}

/* Starts an attempt, or lets the socket know that it is connected. */
static int try_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (connect(fd, address, length) != 0 && errno != EISCONN)
        return -1;
    return verd__socket_met_itself(fd, address, length) ? -1 : 0;
}

/* Asks what has become of an attempt: until it is connected, its socket knows no peer. */
static int ask(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer, size = sizeof(int);
    int error = 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
        return try_connect(fd, (struct sockaddr *)&peer, length);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
        errno = error != 0 ? error : EINPROGRESS;
    return -1;
}

/* Starts the next attempt. Returns its descriptor if it is connected at once, else -1. */
static int start(struct race *race, const struct addrinfo *address)
{
    int fd = verd__socket_tcp(address->ai_family);
    if (fd >= 0 && try_connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    if (fd < 0 || !is_under_way(errno)) {
        note_failure(race, errno);
        verd__descriptor_drop(fd);
        return -1;
    }
    race->watches[race->count++] = (struct verd__fd_watch){
        .record = verd__loop_fd(race->loop, fd), /* adopted */
        .fd = fd,
        .events = VERD__OUTPUT_EVENTS,
    };
    race->due = verd__time_after(verd_now(), HEAD_START);
    return -1;
}

/* Takes an attempt out. */
static void leave(struct race *race, size_t i)
{
    race->count--;
    for (; i < race->count; i++)
        race->watches[i] = race->watches[i + 1];
}

/* Returns the descriptor of an attempt that is connected, which is taken out, or -1. */
static int look(struct race *race)
{
    for (size_t i = 0; i < race->count;) {
        int fd = race->watches[i].fd;
        if (ask(fd) == 0) {
            leave(race, i);
            return fd;
        }
        if (is_under_way(errno)) {
            i++;
            continue;
        }
        note_failure(race, errno);
        leave(race, i);
        verd_close(fd);
    }
    return -1;
}

/* Waits until there is news, or the next attempt is due. 0, or -1 and errno */
static int wait_for_news(struct race *race)
{
    bool more = race->next[0] != NULL || race->next[1] != NULL;
    verd_duration until = more ? race->due : VERD_FOREVER;
    if (verd__loop_wait_any(race->loop, race->watches, race->count, until) == 0 || errno == ETIME)
        return 0;
    return -1;
}

/* Returns the descriptor that is connected, or -1 and errno. */
static int run(struct race *race)
{
    for (;;) {
        bool due = race->count == 0 || verd_now() >= race->due;
        const struct addrinfo *address = due ? take_address(race) : NULL;
        int fd = -1;
        if (address != NULL) {
            fd = start(race, address);
        } else if (race->count == 0) {
            errno = race->error;
            return -1;
        } else if (wait_for_news(race) != 0) {
            return -1;
        } else {
            fd = look(race);
        }
        if (fd >= 0)
            return fd;
    }
}

static size_t length_of(const struct addrinfo *addresses)
{
    size_t length = 0;
    for (; addresses != NULL; addresses = addresses->ai_next)
        length++;
    return length;
}

/* Ends the attempts that are still under way. */
static void end(struct verd__obligation *obligation)
{
    struct race *race = VERD__CONTAINER_OF(obligation, struct race, obligation);
    for (size_t i = 0; i < race->count; i++)
        verd_close(race->watches[i].fd);
    free(race->watches);
}

int verd__race(struct verd__loop *loop, const struct addrinfo *addresses)
{
    struct race race = {
        .loop = loop,
        .next = {addresses, find(addresses, addresses->ai_family, false)},
    };
    race.watches = calloc(length_of(addresses), sizeof *race.watches);
    verd__obligation_begin(loop->scheduler, &race.obligation, end);
    int fd = race.watches != NULL ? run(&race) : -1;
    int error = errno;
    verd__obligation_settle(loop->scheduler, &race.obligation);
    errno = error;
    return fd;
}
