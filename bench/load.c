/* SPDX-License-Identifier: MIT */

/* Waiting is done by asking epoll over and over, without ever sleeping: a load that sleeps would
 * have the server pay for waking it, more or less often as chance will have it. */
#include "load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define EVENTS 1024

/* So many are connected before the first of them has to be accepted: fewer than a backlog holds. */
#define WAVE 512

/* Connections that the load closes leave their address in use for a minute, so each use of
 * load_connections comes from another one: 127.0.0.2, 127.0.0.3, ... */
#define FIRST_ADDRESS (INADDR_LOOPBACK + 1)

enum command { ROUND_TRIPS, CONNECTIONS };

struct order {
    enum command command;
    long count;
};

struct connection {
    int fd;
    size_t received; /* bytes of the answer that is under way */
};

/* A set of connections that are driven together. */
struct crowd {
    struct connection *connections;
    long size;
    int epoll;
};

/* A piece of an answer is read at once, up to so many bytes. */
#define PIECE 4096

#define ECHO_SIZE 64

static const char echo[ECHO_SIZE];
const struct talk load_echo = {.message = echo, .size = ECHO_SIZE, .answer = ECHO_SIZE};

static const struct talk *talk; /* this process's */

static void crowd_make(struct crowd *crowd, long most)
{
    crowd->connections = calloc((size_t)most, sizeof *crowd->connections);
    crowd->size = 0;
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (crowd->connections == NULL || crowd->epoll < 0)
        bench_fail("the load");
}

static void crowd_add(struct crowd *crowd, int port, uint32_t from)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct connection *connection = &crowd->connections[crowd->size++];
    int yes = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection->fd = fd;
    if (fd < 0 ||
        /* the port is chosen by connect, which needs it free towards this server alone */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        connect(fd, (struct sockaddr *)&server, sizeof server) != 0 ||
        epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_fail("connect");
}

static void send_message(const struct connection *connection)
{
    if (send(connection->fd, talk->message, talk->size, MSG_NOSIGNAL) != (ssize_t)talk->size)
        bench_fail("send");
}

/* Reads what is there. Returns whether the answer is complete. */
static bool receive(struct connection *connection)
{
    char piece[PIECE];
    size_t rest = talk->answer - connection->received;
    ssize_t size = read(connection->fd, piece, rest < sizeof piece ? rest : sizeof piece);
    if (size <= 0)
        bench_fail("an answer");
    connection->received = (connection->received + (size_t)size) % talk->answer;
    return connection->received == 0;
}

/* Does `count` round trips on the `size` connections from `first` on. */
static void round_trips(struct crowd *crowd, long first, long size, long count)
{
    struct epoll_event events[EVENTS];
    long started = size < count ? size : count, finished = 0;

    for (long i = 0; i < started; i++)
        send_message(&crowd->connections[first + i]);
    while (finished < count) {
        int ready = epoll_wait(crowd->epoll, events, EVENTS, 0);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!receive(connection))
                continue;
            finished++;
            if (started < count) {
                send_message(connection);
                started++;
            }
        }
    }
}

/* Connects and has a message answered on each, in waves. */
static void crowd_grow(struct crowd *crowd, long size, int port, uint32_t from)
{
    while (crowd->size < size) {
        long first = crowd->size, wave = size - first < WAVE ? size - first : WAVE;
        while (crowd->size < first + wave)
            crowd_add(crowd, port, from);
        round_trips(crowd, first, wave, wave);
    }
}

/* Closes one side, and the other when the server has closed its own. */
static void crowd_free(struct crowd *crowd)
{
    for (long i = 0; i < crowd->size; i++)
        shutdown(crowd->connections[i].fd, SHUT_WR);
    for (long i = 0; i < crowd->size; i++) {
        char end;
        if (read(crowd->connections[i].fd, &end, 1) != 0)
            bench_fail("the end of a connection");
        close(crowd->connections[i].fd);
    }
    close(crowd->epoll);
    free(crowd->connections);
}

static _Noreturn void obey(int commands, int answers, int port, int connections)
{
    struct crowd crowd;
    struct order order;
    uint32_t address = FIRST_ADDRESS;

    crowd_make(&crowd, connections);
    crowd_grow(&crowd, connections, port, INADDR_LOOPBACK);
    do {
        if (write(answers, "", 1) != 1 || read(commands, &order, sizeof order) != sizeof order)
            _exit(0);
        if (order.command == ROUND_TRIPS) {
            round_trips(&crowd, 0, crowd.size, order.count);
        } else {
            struct crowd passing;
            crowd_make(&passing, order.count);
            crowd_grow(&passing, order.count, port, address++);
            crowd_free(&passing);
        }
    } while (true);
}

static void wait_for_answer(const struct load *load)
{
    char done;
    if (read(load->answers, &done, 1) != 1)
        bench_fail("the load");
}

static void give_order(const struct load *load, enum command command, long count)
{
    struct order order = {.command = command, .count = count};
    if (write(load->commands, &order, sizeof order) != sizeof order)
        bench_fail("the load");
    wait_for_answer(load);
}

void load_start(struct load *load, const struct server *server, const struct talk *said,
                int connections)
{
    int commands[2], answers[2];
    talk = said;
    if (pipe(commands) != 0 || pipe(answers) != 0)
        bench_fail("pipe");
    load->pid = fork();
    if (load->pid < 0)
        bench_fail("fork");
    if (load->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(commands[1]);
        close(answers[0]);
        bench_pin(1);
        obey(commands[0], answers[1], server->port, connections);
    }
    close(commands[0]);
    close(answers[1]);
    load->commands = commands[1];
    load->answers = answers[0];
    wait_for_answer(load);
}

void load_stop(struct load *load)
{
    kill(load->pid, SIGKILL);
    waitpid(load->pid, NULL, 0);
    close(load->commands);
    close(load->answers);
}

void load_round_trips(struct load *load, long count)
{
    give_order(load, ROUND_TRIPS, count);
}

void load_connections(struct load *load, long count)
{
    give_order(load, CONNECTIONS, count);
}
