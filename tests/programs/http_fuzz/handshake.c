/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/handshake.h"
#include "http/line.h"
#include "http/list.h"

/* ---- lists, read a second time: each member is cut out ---- */

static void cut_out(char *to, const char *begin, const char *end)
{
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (begin < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    memcpy(to, begin, (size_t)(end - begin));
    to[end - begin] = '\0';
}

static bool has(const struct verd__head *head, const char *name, const char *member, bool any_case)
{
    bool found = false;
    for (size_t i = 0; i < head->count; i++) {
        const char *begin = head->fields[i].value, *end;
        char *cut = malloc(strlen(begin) + 1);
        fuzz_expect(cut != NULL, "no memory");
        do {
            end = begin + strcspn(begin, ",");
            cut_out(cut, begin, end);
            found = found || (strcasecmp(head->fields[i].name, name) == 0 &&
                              (any_case ? strcasecmp(cut, member) : strcmp(cut, member)) == 0);
            begin = end + 1;
        } while (*end != '\0');
        free(cut);
    }
    return found;
}

static void check_lists(const struct verd__head *head)
{
    static const char *const names[] = {"Connection", "Upgrade", "Sec-WebSocket-Protocol",
                                        "Sec-WebSocket-Extensions", "Sec-WebSocket-Version"};
    static const char *const members[] = {"close", "keep-alive", "upgrade", "websocket",
                                          "chat",  "chat.2",     "13",      "permessage-deflate"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            for (int any = 0; any < 2; any++)
                fuzz_expect(verd__list_has(head->fields, head->count, names[n], members[m], any) ==
                                has(head, names[n], members[m], any),
                            "a second reader finds another list");
        }
    }
}

/* What Connection says; of HTTP/1.0, nobody upgrades. */
static void check_connection(const struct verd__head *head)
{
    bool upgrade = (head->response || head->minor > 0) && has(head, "Connection", "upgrade", true);
    fuzz_expect(((head->bits & VERD__HEAD_CLOSE) != 0) == has(head, "Connection", "close", true) &&
                    ((head->bits & VERD__HEAD_KEEP_ALIVE) != 0) ==
                        has(head, "Connection", "keep-alive", true) &&
                    ((head->bits & VERD__HEAD_UPGRADE) != 0) == upgrade,
                "a second reader finds another connection");
}

/* ---- handshakes: RFC 6455, 4.2.1 and 4.1, and 11.3 for what comes once ---- */

/* NULL: it does not come, or comes more than once. */
static const char *only(const struct verd__head *head, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < head->count; i++) {
        if (strcasecmp(head->fields[i].name, name) != 0)
            continue;
        if (value != NULL)
            return NULL;
        value = head->fields[i].value;
    }
    return value;
}

static bool is(const char *value, const char *wanted)
{
    return value != NULL && strcmp(value, wanted) == 0;
}

static bool is_key(const char *key)
{
    if (key == NULL || strlen(key) != 24 || strcmp(key + 22, "==") != 0)
        return false;
    for (int i = 0; i < 22; i++) {
        char c = key[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return true;
}

static const char *const protocols[] = {"chat.2", "chat", NULL};

static void check_asked(const struct verd__head *head)
{
    const char *key, *chosen = verd__handshake_choose(head, protocols);
    bool asks = strcmp(head->method, "GET") == 0 && head->minor > 0 &&
                has(head, "Connection", "upgrade", true) &&
                has(head, "Upgrade", "websocket", true) &&
                is(only(head, "Sec-WebSocket-Version"), "13");
    int status = !asks ? 426 : is_key(only(head, "Sec-WebSocket-Key")) ? 0 : 400;
    fuzz_expect(verd__handshake_judge(head, &key) == status,
                "a second reader finds another handshake");
    fuzz_expect(status != 0 || is(only(head, "Sec-WebSocket-Key"), key),
                "a second reader finds another key");
    for (const char *const *p = protocols; *p != NULL; p++) {
        if (has(head, "Sec-WebSocket-Protocol", *p, false)) {
            fuzz_expect(chosen == *p, "a second reader finds another protocol");
            return;
        }
    }
    fuzz_expect(chosen == NULL, "a second reader finds no protocol");
}

static void check_answered(const struct verd__head *head)
{
    const char *chosen, *upgrade = only(head, "Upgrade");
    const char *taken = only(head, "Sec-WebSocket-Protocol");
    bool is_answer =
        verd__handshake_is_answer(head, "dGhlIHNhbXBsZSBub25jZQ==", protocols, &chosen);
    bool none = verd__head_find(head, "Sec-WebSocket-Protocol") == NULL;
    bool right = head->status == 101 && has(head, "Connection", "upgrade", true) &&
                 upgrade != NULL && strcasecmp(upgrade, "websocket") == 0 &&
                 is(only(head, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") &&
                 verd__head_find(head, "Sec-WebSocket-Extensions") == NULL &&
                 (none || is(taken, "chat.2") || is(taken, "chat"));
    fuzz_expect(is_answer == right, "a second reader finds another answer");
    fuzz_expect(!right || none ? chosen == NULL : is(taken, chosen),
                "a second reader finds another protocol in an answer");
}

void fuzz_handshake(const struct verd__head *head)
{
    check_lists(head);
    check_connection(head);
    if (head->response)
        check_answered(head);
    else
        check_asked(head);
}

/* ---- Keep-Alive ---- */

/* Seconds, as they are said; what is beyond a hundred years is that. */
static double seconds_of(const char *digits)
{
    double seconds = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        seconds = seconds < 1e12 ? seconds * 10 + (*digits - '0') : seconds;
    return seconds;
}

/* The time that the first member says that begins so; below 0: none. */
static double timeout_of(const char *list)
{
    double seconds = -1;
    char *text = strdup(list), *rest = text, *member;
    fuzz_expect(text != NULL, "no memory");
    while ((member = strsep(&rest, ",")) != NULL) {
        member += strspn(member, " \t");
        if (strncasecmp(member, "timeout=", 8) != 0)
            continue;
        if (member[8] >= '0' && member[8] <= '9')
            seconds = seconds_of(member + 8);
        break;
    }
    free(text);
    return seconds;
}

void fuzz_keep_alive(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_expect(text != NULL, "no memory");
    memcpy(text, data, size);
    text[size] = '\0';
    double said = timeout_of(text);
    verd_duration time = verd__keep_alive(text);
    if (said < 0)
        fuzz_expect(time == VERD_FOREVER, "a second reader finds no time");
    else if (said < 9e9)
        fuzz_expect(time == (said > 1 ? ((verd_duration)said - 1) * VERD_SEC : 0),
                    "a second reader finds another time");
    else
        fuzz_expect(time >= 9000000000 * VERD_SEC - VERD_SEC, "a long time has become a short one");
    free(text);
}
