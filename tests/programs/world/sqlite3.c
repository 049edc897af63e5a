/* SPDX-License-Identifier: MIT */

/* SQLite in green threads, each with a connection of its own to one file. SQLite opens and looks up files with a mutex
 * held, so its mutexes have to be green: it takes them from the program, and before anything else. */
#include <verd/pthread.h>

#include "world.h"

#include <sqlite3.h>

#define CONNECTIONS 20
#define TRANSACTIONS 3
#define ROWS 20

static const char *file, *journal;
static int in_transaction, at_work, met;

/* ---- mutexes ---- */

struct sqlite3_mutex {
    pthread_mutex_t lock;
};

/* That of each number from SQLITE_MUTEX_STATIC_MAIN on. */
static sqlite3_mutex statics[16];

static int begin_or_end(void)
{
    return SQLITE_OK;
}

static void prepare(sqlite3_mutex *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutex_init(&mutex->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static sqlite3_mutex *allocate(int kind)
{
    if (kind > SQLITE_MUTEX_RECURSIVE)
        return &statics[kind];
    sqlite3_mutex *mutex = malloc(sizeof *mutex);
    if (mutex != NULL)
        prepare(mutex, kind == SQLITE_MUTEX_FAST ? PTHREAD_MUTEX_NORMAL : PTHREAD_MUTEX_RECURSIVE);
    return mutex;
}

static void deallocate(sqlite3_mutex *mutex)
{
    pthread_mutex_destroy(&mutex->lock);
    free(mutex);
}

static void enter(sqlite3_mutex *mutex)
{
    pthread_mutex_lock(&mutex->lock);
}

static int try_to_enter(sqlite3_mutex *mutex)
{
    return pthread_mutex_trylock(&mutex->lock) == 0 ? SQLITE_OK : SQLITE_BUSY;
}

static void leave(sqlite3_mutex *mutex)
{
    pthread_mutex_unlock(&mutex->lock);
}

static sqlite3_mutex_methods green = {.xMutexInit = begin_or_end,
                                      .xMutexEnd = begin_or_end,
                                      .xMutexAlloc = allocate,
                                      .xMutexFree = deallocate,
                                      .xMutexEnter = enter,
                                      .xMutexTry = try_to_enter,
                                      .xMutexLeave = leave};

static void use_green_mutexes(void)
{
    for (size_t i = 0; i < sizeof statics / sizeof *statics; i++)
        prepare(&statics[i], PTHREAD_MUTEX_NORMAL);
    CHECK(sqlite3_config(SQLITE_CONFIG_MUTEX, &green) == SQLITE_OK);
}

/* ---- connections ---- */

static sqlite3 *open_file(void)
{
    sqlite3 *sql;
    CHECK(sqlite3_open(file, &sql) == SQLITE_OK);
    CHECK(sqlite3_busy_timeout(sql, 80000) == SQLITE_OK);
    return sql;
}

static void tell(sqlite3 *sql, const char *command)
{
    CHECK_SAYING(sqlite3_exec(sql, command, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(sql));
}

static void answer_is(sqlite3 *sql, const char *question, const char *expected)
{
    sqlite3_stmt *statement;
    CHECK_SAYING(sqlite3_prepare_v2(sql, question, -1, &statement, NULL) == SQLITE_OK,
                 sqlite3_errmsg(sql));
    CHECK_SAYING(sqlite3_step(statement) == SQLITE_ROW, sqlite3_errmsg(sql));
    const char *said = (const char *)sqlite3_column_text(statement, 0);
    CHECK_SAYING(strcmp(said, expected) == 0, said);
    sqlite3_finalize(statement);
}

static void insert_row(sqlite3 *sql, int number)
{
    char command[128];
    snprintf(command, sizeof command, "insert into rows values (%d, randomblob(500))", number);
    tell(sql, command);
}

/* The others wait by SQLite's own busy handler, which sleeps, while one that has the file gives way. */
static void write_rows(void *number)
{
    sqlite3 *sql = open_file();
    for (int i = 0; i < TRANSACTIONS; i++) {
        met += at_work++ > 0;
        tell(sql, "begin immediate");
        CHECK(in_transaction == 0);
        in_transaction = 1;
        for (int row = 0; row < ROWS; row++)
            insert_row(sql, (int)(intptr_t)number);
        verd_yield();
        in_transaction = 0;
        tell(sql, "commit");
        at_work--;
    }
    CHECK(sqlite3_close(sql) == SQLITE_OK);
}

/* sqlite3 FILE JOURNAL [plain] */
int main(int argc, char **argv)
{
    char command[64], expected[32];
    struct verd_stats stats;
    world_begin();
    CHECK(argc >= 3);
    file = argv[1];
    journal = argv[2];
    if (argc == 3)
        use_green_mutexes();

    sqlite3 *sql = open_file();
    snprintf(command, sizeof command, "pragma journal_mode = %s", journal);
    answer_is(sql, command, journal);
    tell(sql, "create table rows (number int, bytes blob)");
    world_run(CONNECTIONS, write_rows);
    snprintf(expected, sizeof expected, "%d", CONNECTIONS * TRANSACTIONS * ROWS);
    answer_is(sql, "select count(*) from rows", expected);
    snprintf(expected, sizeof expected, "%d", CONNECTIONS);
    answer_is(sql, "select count(distinct number) from rows", expected);
    answer_is(sql, "pragma integrity_check", "ok");
    CHECK(sqlite3_close(sql) == SQLITE_OK);

    CHECK(verd_stats(&stats) == 0 && stats.offload_jobs > CONNECTIONS * TRANSACTIONS && met > 0);
    printf("sqlite3: %d transactions in %d connections, journal_mode %s: %d began while others "
           "were at it, %llu calls offloaded\n",
           CONNECTIONS * TRANSACTIONS, CONNECTIONS, journal, met,
           (unsigned long long)stats.offload_jobs);
    return 0;
}
