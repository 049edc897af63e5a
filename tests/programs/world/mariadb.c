/* SPDX-License-Identifier: MIT */

/* libmariadb's blocking calls in a hundred green threads, each with a connection of its own. */
#include "world.h"

#include <mysql.h>

#define CONNECTIONS 100
#define ROWS 50000

static const char *path; /* of the server's socket */
static int connected, slept, most_asleep;

static MYSQL *connect_to_server(void)
{
    MYSQL *sql = mysql_init(NULL);
    CHECK(sql != NULL);
    CHECK_SAYING(mysql_real_connect(sql, NULL, "root", NULL, NULL, 0, path, 0) == sql,
                 mysql_error(sql));
    return sql;
}

static void tell(MYSQL *sql, const char *command)
{
    CHECK_SAYING(mysql_query(sql, command) == 0, mysql_error(sql));
}

static int ask_number(MYSQL *sql, const char *question)
{
    tell(sql, question);
    MYSQL_RES *result = mysql_store_result(sql);
    MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
    CHECK_SAYING(row != NULL && row[0] != NULL, mysql_error(sql));
    int number = atoi(row[0]);
    mysql_free_result(result);
    return number;
}

/* ---- many at once ---- */

/* As the server counts them, that are in the same state at the same moment. */
static int waiting_for(MYSQL *sql, const char *state)
{
    char question[128];
    snprintf(question, sizeof question,
             "select count(*) from information_schema.processlist where state = '%s'", state);
    return ask_number(sql, question);
}

static verd_event ready = VERD_EVENT_INIT;
static verd_duration begun;

static void sleep_in_server(void *number)
{
    MYSQL *sql = connect_to_server();
    if (++connected == CONNECTIONS) {
        begun = verd_now();
        verd_event_set(&ready, NULL);
    }
    CHECK(verd_event_wait(&ready, NULL) == 0);
    if ((intptr_t)number > 0) {
        CHECK(ask_number(sql, "select sleep(0.2)") == 0);
        slept++;
    } else {
        while (slept < CONNECTIONS - 1) {
            int asleep = waiting_for(sql, "User sleep");
            most_asleep = asleep > most_asleep ? asleep : most_asleep;
        }
    }
    mysql_close(sql);
}

/* The first has the lock, until it finds all others waiting for it. */
static verd_event locked = VERD_EVENT_INIT;

static void wait_in_server(void *number)
{
    MYSQL *sql = connect_to_server();
    if ((intptr_t)number > 0)
        CHECK(verd_event_wait(&locked, NULL) == 0);
    CHECK(ask_number(sql, "select get_lock('one', 60)") == 1);
    if ((intptr_t)number == 0) {
        verd_event_set(&locked, NULL);
        while (waiting_for(sql, "User lock") < CONNECTIONS - 1)
            ;
    }
    CHECK(ask_number(sql, "select release_lock('one')") == 1);
    mysql_close(sql);
}

/* ---- rows ---- */

/* By a prepared statement, each with an answer of its own. */
static void put_rows(MYSQL *sql, int table, int count)
{
    char command[64];
    int number;
    MYSQL_BIND parameter = {.buffer_type = MYSQL_TYPE_LONG, .buffer = &number};
    MYSQL_STMT *statement = mysql_stmt_init(sql);
    int length = snprintf(command, sizeof command, "insert into rows%d values (?)", table);
    CHECK_SAYING(mysql_stmt_prepare(statement, command, (unsigned long)length) == 0,
                 mysql_stmt_error(statement));
    CHECK(mysql_stmt_bind_param(statement, &parameter) == 0);
    for (number = 1; number <= count; number++)
        CHECK_SAYING(mysql_stmt_execute(statement) == 0, mysql_stmt_error(statement));
    mysql_stmt_close(statement);
}

/* As they come, so that what is not read yet waits in the socket. */
static void read_rows(MYSQL *sql, int table)
{
    char question[128];
    int rows = 0;
    MYSQL_ROW row;
    snprintf(question, sizeof question,
             "select number, repeat('x', 100) from rows%d order by number", table);
    tell(sql, question);
    MYSQL_RES *result = mysql_use_result(sql);
    CHECK_SAYING(result != NULL, mysql_error(sql));
    while ((row = mysql_fetch_row(result)) != NULL)
        CHECK(atoi(row[0]) == ++rows && strlen(row[1]) == 100);
    CHECK_SAYING(mysql_errno(sql) == 0 && rows == ROWS, mysql_error(sql));
    mysql_free_result(result);
}

static void put_and_read(void *number)
{
    char command[128];
    int table = (int)(intptr_t)number;
    MYSQL *sql = connect_to_server();
    snprintf(command, sizeof command, "create table verd.rows%d (number int)", table);
    tell(sql, command);
    CHECK(mysql_select_db(sql, "verd") == 0);
    put_rows(sql, table, 1000);
    snprintf(command, sizeof command, "insert into rows%d select seq from seq_1001_to_%d", table,
             ROWS);
    tell(sql, command);
    read_rows(sql, table);
    mysql_close(sql);
}

/* ---- a server that does not answer ---- */

static void give_up(void *unused)
{
    unsigned seconds = 1;
    MYSQL *sql = mysql_init(NULL);
    (void)unused;
    CHECK(sql != NULL && mysql_options(sql, MYSQL_OPT_READ_TIMEOUT, &seconds) == 0);
    CHECK_SAYING(mysql_real_connect(sql, NULL, "root", NULL, NULL, 0, path, 0) == sql,
                 mysql_error(sql));
    CHECK(mysql_query(sql, "select sleep(60)") != 0);
    mysql_close(sql);
}

/* mariadb PATH-OF-SOCKET */
int main(int argc, char **argv)
{
    world_begin();
    CHECK(argc == 2 && mysql_library_init(0, NULL, NULL) == 0);
    path = argv[1];
    world_run(CONNECTIONS, sleep_in_server);
    printf("mariadb: %d times sleep(0.2), %d of them at once as the server saw it, in %.2f s\n",
           slept, most_asleep, (double)(verd_now() - begun) / VERD_SEC);
    CHECK(most_asleep > 1);
    world_run(CONNECTIONS, wait_in_server);
    printf("mariadb: %d waited for one lock in the server at once\n", CONNECTIONS - 1);
    MYSQL *sql = connect_to_server();
    tell(sql, "create database verd");
    mysql_close(sql);
    world_run(4, put_and_read);
    printf("mariadb: 4 times %d rows, in and out\n", ROWS);
    world_run(CONNECTIONS, give_up);
    printf("mariadb: %d gave up a server that did not answer\n", CONNECTIONS);
    mysql_library_end();
    return 0;
}
