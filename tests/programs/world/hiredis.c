/* SPDX-License-Identifier: MIT */

/* hiredis' blocking calls in 200 green threads, each with a connection of its own. */
#include "world.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>

#define CONNECTIONS 200
#define MESSAGES 100

static const char *socket_path;
static int port;
static long rounds, released;

/* Every second one by the network, with a name to be looked up. */
static redisContext *connect_to_server(intptr_t number)
{
    redisContext *redis =
        number % 2 == 0 ? redisConnectUnix(socket_path) : redisConnect("localhost", port);
    CHECK(redis != NULL);
    CHECK_SAYING(redis->err == 0, redis->errstr);
    return redis;
}

static redisReply *ask(redisContext *redis, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis, format, arguments);
    va_end(arguments);
    CHECK_SAYING(reply != NULL, redis->errstr);
    CHECK_SAYING(reply->type != REDIS_REPLY_ERROR, reply->str);
    return reply;
}

static long long ask_number(redisContext *redis, const char *command)
{
    redisReply *reply = ask(redis, command);
    long long number = reply->integer;
    CHECK(reply->type == REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
    return number;
}

static long informed(redisContext *redis, const char *field)
{
    redisReply *reply = ask(redis, "INFO clients");
    const char *at = strstr(reply->str, field);
    CHECK(at != NULL);
    long value = strtol(at + strlen(field), NULL, 10);
    freeReplyObject(reply);
    return value;
}

/* ---- many at once ---- */

/* A value that takes several reads and writes. */
static void keep_value(void *number)
{
    size_t size = 300000 + (size_t)(intptr_t)number;
    char *value = malloc(size);
    CHECK(value != NULL);
    memset(value, 'a' + (int)((intptr_t)number % 26), size);
    redisContext *redis = connect_to_server((intptr_t)number);
    freeReplyObject(ask(redis, "SET value:%d %b", (int)(intptr_t)number, value, size));
    freeReplyObject(ask(redis, "INCR count"));
    redisReply *reply = ask(redis, "GET value:%d", (int)(intptr_t)number);
    CHECK(reply->len == size && memcmp(reply->str, value, size) == 0);
    freeReplyObject(reply);
    freeReplyObject(ask(redis, "DEL value:%d", (int)(intptr_t)number));
    redisFree(redis);
    free(value);
}

/* ---- one that blocks ---- */

/* All but the first wait for an item; the first finds them waiting, and only then makes the items. */
static void wait_for_item(void *number)
{
    redisContext *redis = connect_to_server((intptr_t)number);
    if ((intptr_t)number > 0) {
        redisReply *reply = ask(redis, "BLPOP gate 0");
        CHECK(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2);
        freeReplyObject(reply);
        released++;
    } else {
        while (informed(redis, "blocked_clients:") < CONNECTIONS - 1) {
            freeReplyObject(ask(redis, "PING"));
            rounds++;
        }
        CHECK(released == 0);
        for (int i = 1; i < CONNECTIONS; i++)
            freeReplyObject(ask(redis, "RPUSH gate item"));
    }
    redisFree(redis);
}

/* A read's own time limit, which the library makes of SO_RCVTIMEO. */
static void give_up(void *number)
{
    redisContext *redis = connect_to_server((intptr_t)number);
    CHECK(redisSetTimeout(redis, (struct timeval){.tv_usec = 20000}) == REDIS_OK);
    CHECK(redisCommand(redis, "BLPOP nothing 0") == NULL);
    CHECK_SAYING(redis->err == REDIS_ERR_IO && errno == EAGAIN, redis->errstr);
    redisFree(redis);
}

/* ---- messages ---- */

static long heard;

static void subscribe(void *number)
{
    redisContext *redis = connect_to_server((intptr_t)number);
    if ((intptr_t)number > 0) {
        freeReplyObject(ask(redis, "SUBSCRIBE news"));
        for (int i = 0; i < MESSAGES; i++) {
            void *message;
            CHECK_SAYING(redisGetReply(redis, &message) == REDIS_OK, redis->errstr);
            redisReply *reply = message;
            CHECK(reply->elements == 3 && strtol(reply->element[2]->str, NULL, 10) == i);
            freeReplyObject(reply);
            heard++;
        }
    } else {
        char command[64];
        redisReply *reply;
        for (size_t subscribers = 0; subscribers < 20; freeReplyObject(reply)) {
            reply = ask(redis, "PUBSUB NUMSUB news");
            subscribers = (size_t)reply->element[1]->integer;
        }
        for (int i = 0; i < MESSAGES; i++) {
            snprintf(command, sizeof command, "PUBLISH news %d", i);
            CHECK(ask_number(redis, command) == 20);
        }
    }
    redisFree(redis);
}

/* hiredis SOCKET PORT */
int main(int argc, char **argv)
{
    world_begin();
    CHECK(argc == 3);
    socket_path = argv[1];
    port = atoi(argv[2]);

    world_run(CONNECTIONS, keep_value);
    redisContext *redis = connect_to_server(0);
    CHECK(ask_number(redis, "INCR count") == CONNECTIONS + 1);
    redisFree(redis);
    world_run(CONNECTIONS, wait_for_item);
    CHECK(released == CONNECTIONS - 1);
    printf("hiredis: %ld clients were in BLPOP at once, while another asked %ld times\n", released,
           rounds);
    world_run(CONNECTIONS, give_up);
    world_run(21, subscribe);
    printf("hiredis: 20 subscribers heard %ld messages\n", heard);
    CHECK(heard == 20L * MESSAGES);
    return 0;
}
