/* SPDX-License-Identifier: MIT */
#include "http/handshake.h"

#include <string.h>

#include "http/list.h"
#include "http/sha1.h"

void verd__handshake_sign(const char *key, char accept[VERD__ACCEPT_SIZE])
{
    static const char everyone[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[VERD__KEY_SIZE - 1 + sizeof everyone];
    unsigned char digest[VERD__SHA1_SIZE];
    memcpy(text, key, VERD__KEY_SIZE - 1);
    memcpy(text + VERD__KEY_SIZE - 1, everyone, sizeof everyone);
    verd__sha1(text, sizeof text - 1, digest);
    verd__base64(accept, digest, sizeof digest);
}

/* The value of a field that may come once; "": it does not, or comes again, and who takes the one knows nothing of who
 * takes the other. */
static const char *value_of(const struct verd__head *head, const char *name)
{
    const char *value = "";
    size_t count = 0;
    for (size_t i = 0; i < head->count; i++) {
        if (verd__same(head->fields[i].name, name)) {
            value = head->fields[i].value;
            count++;
        }
    }
    return count == 1 ? value : "";
}

/* 16 bytes in base64 */
static bool is_key(const char *key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return strspn(key, digits) == VERD__KEY_SIZE - 3 && strcmp(key + VERD__KEY_SIZE - 3, "==") == 0;
}

int verd__handshake_judge(const struct verd__head *head, const char **key)
{
    *key = value_of(head, "Sec-WebSocket-Key");
    if (strcmp(head->method, "GET") != 0 ||
        !(head->bits & VERD__HEAD_UPGRADE) || /* nor is it of HTTP/1.0 */
        !verd__list_has(head->fields, head->count, "Upgrade", "websocket", true) ||
        strcmp(value_of(head, "Sec-WebSocket-Version"), "13") != 0)
        return 426;
    return is_key(*key) ? 0 : 400;
}

const char *verd__handshake_choose(const struct verd__head *head, const char *const *protocols)
{
    while (protocols != NULL && *protocols != NULL &&
           !verd__list_has(head->fields, head->count, "Sec-WebSocket-Protocol", *protocols, false))
        protocols++;
    return protocols != NULL ? *protocols : NULL;
}

bool verd__handshake_is_answer(const struct verd__head *head, const char *key,
                               const char *const *offered, const char **chosen)
{
    char accept[VERD__ACCEPT_SIZE];
    *chosen = NULL;
    verd__handshake_sign(key, accept);
    if (head->status != 101 || !(head->bits & VERD__HEAD_UPGRADE) ||
        !verd__same(value_of(head, "Upgrade"), "websocket") ||
        strcmp(value_of(head, "Sec-WebSocket-Accept"), accept) != 0 ||
        verd__head_find(head, "Sec-WebSocket-Extensions") != NULL)
        return false;
    if (verd__head_find(head, "Sec-WebSocket-Protocol") == NULL)
        return true;
    while (offered != NULL && *offered != NULL &&
           strcmp(*offered, value_of(head, "Sec-WebSocket-Protocol")) != 0)
        offered++;
    *chosen = offered != NULL ? *offered : NULL;
    return *chosen != NULL;
}
