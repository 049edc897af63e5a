/* SPDX-License-Identifier: MIT */

/* libpq's blocking calls in a hundred green threads, each with a connection of its own. */
#include "world.h"

#include <libpq-fe.h>
#include <poll.h>

#define CONNECTIONS 100
#define ROWS 50000

static const char *server;
static int connected, slept, most_asleep;

static PGconn *connect_to_server(void)
{
    PGconn *sql = PQconnectdb(server);
    CHECK_SAYING(PQstatus(sql) == CONNECTION_OK, PQerrorMessage(sql));
    return sql;
}

static PGresult *ask(PGconn *sql, const char *command, ExecStatusType expected)
{
    PGresult *result = PQexec(sql, command);
    CHECK_SAYING(PQresultStatus(result) == expected, PQerrorMessage(sql));
    return result;
}

static void tell(PGconn *sql, const char *command)
{
    PQclear(ask(sql, command, PGRES_COMMAND_OK));
}

static int ask_number(PGconn *sql, const char *question)
{
    PGresult *result = ask(sql, question, PGRES_TUPLES_OK);
    int number = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    return number;
}

/* ---- many at once ---- */

/* As the server counts them, that are in the same state at the same moment. */
static int waiting_for(PGconn *sql, const char *event)
{
    char question[128];
    snprintf(question, sizeof question,
             "select count(*) from pg_stat_activity where wait_event = '%s'", event);
    return ask_number(sql, question);
}

static verd_event ready = VERD_EVENT_INIT;
static verd_duration begun;

static void sleep_in_server(void *number)
{
    PGconn *sql = connect_to_server();
    if (++connected == CONNECTIONS) {
        begun = verd_now();
        verd_event_set(&ready, NULL);
    }
    CHECK(verd_event_wait(&ready, NULL) == 0);
    if ((intptr_t)number > 0) {
        PQclear(ask(sql, "select pg_sleep(0.2)", PGRES_TUPLES_OK));
        slept++;
    } else {
        while (slept < CONNECTIONS - 1) {
            int asleep = waiting_for(sql, "PgSleep");
            most_asleep = asleep > most_asleep ? asleep : most_asleep;
        }
    }
    PQfinish(sql);
}

/* The first has the lock, until it finds all others waiting for it. */
static verd_event locked = VERD_EVENT_INIT;

static void wait_in_server(void *number)
{
    PGconn *sql = connect_to_server();
    if ((intptr_t)number > 0) {
        CHECK(verd_event_wait(&locked, NULL) == 0);
        PQclear(ask(sql, "select pg_advisory_lock_shared(1)", PGRES_TUPLES_OK));
    } else {
        PQclear(ask(sql, "select pg_advisory_lock(1)", PGRES_TUPLES_OK));
        verd_event_set(&locked, NULL);
        while (waiting_for(sql, "advisory") < CONNECTIONS - 1)
            ;
        PQclear(ask(sql, "select pg_advisory_unlock(1)", PGRES_TUPLES_OK));
    }
    PQfinish(sql);
}

/* ---- COPY ---- */

static void copy_in(PGconn *sql, int table)
{
    char line[128];
    snprintf(line, sizeof line, "copy rows%d from stdin", table);
    PQclear(ask(sql, line, PGRES_COPY_IN));
    for (int i = 0; i < ROWS; i++) {
        int size = snprintf(line, sizeof line, "%d\tthe row of that number %d\n", i, i * 7);
        CHECK_SAYING(PQputCopyData(sql, line, size) == 1, PQerrorMessage(sql));
    }
    CHECK_SAYING(PQputCopyEnd(sql, NULL) == 1, PQerrorMessage(sql));
    PGresult *result = PQgetResult(sql);
    CHECK_SAYING(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(sql));
    PQclear(result);
    CHECK(PQgetResult(sql) == NULL);
}

static void copy_out(PGconn *sql, int table)
{
    char command[64], *line;
    int rows = 0;
    snprintf(command, sizeof command, "copy rows%d to stdout", table);
    PQclear(ask(sql, command, PGRES_COPY_OUT));
    for (; PQgetCopyData(sql, &line, 0) > 0; rows++) {
        CHECK(atoi(line) == rows);
        PQfreemem(line);
    }
    CHECK(rows == ROWS);
    PQclear(PQgetResult(sql));
    CHECK(PQgetResult(sql) == NULL);
}

static void copy(void *number)
{
    char command[128];
    int table = (int)(intptr_t)number;
    PGconn *sql = connect_to_server();
    snprintf(command, sizeof command, "create table rows%d (number int, words text)", table);
    tell(sql, command);
    copy_in(sql, table);
    copy_out(sql, table);
    PQfinish(sql);
}

/* ---- LISTEN and NOTIFY ---- */

#define LISTENERS 20
static int listening, heard;

/* As the manual of libpq has it: poll, then see what has come. */
static void listen_to_others(PGconn *sql)
{
    PGnotify *news;
    tell(sql, "listen news");
    listening++;
    while ((news = PQnotifies(sql)) == NULL) {
        struct pollfd entry = {.fd = PQsocket(sql), .events = POLLIN};
        CHECK(poll(&entry, 1, -1) == 1);
        CHECK_SAYING(PQconsumeInput(sql) == 1, PQerrorMessage(sql));
    }
    CHECK(strcmp(news->relname, "news") == 0 && strcmp(news->extra, "green") == 0);
    PQfreemem(news);
    heard++;
}

static void listen_or_notify(void *number)
{
    PGconn *sql = connect_to_server();
    if ((intptr_t)number > 0) {
        listen_to_others(sql);
    } else {
        while (listening < LISTENERS)
            ask_number(sql, "select 1");
        tell(sql, "notify news, 'green'");
    }
    PQfinish(sql);
}

/* libpq HOW-TO-CONNECT */
int main(int argc, char **argv)
{
    world_begin();
    CHECK(argc == 2);
    server = argv[1];
    world_run(CONNECTIONS, sleep_in_server);
    printf("libpq: %d times pg_sleep(0.2), %d of them at once as the server saw it, in %.2f s\n",
           slept, most_asleep, (double)(verd_now() - begun) / VERD_SEC);
    CHECK(most_asleep > 1);
    world_run(CONNECTIONS, wait_in_server);
    printf("libpq: %d waited for one lock in the server at once\n", CONNECTIONS - 1);
    world_run(4, copy);
    printf("libpq: 4 times COPY of %d rows, in and out\n", ROWS);
    world_run(LISTENERS + 1, listen_or_notify);
    printf("libpq: %d heard a NOTIFY\n", heard);
    CHECK(heard == LISTENERS);
    return 0;
}
