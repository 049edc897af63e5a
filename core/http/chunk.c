/* SPDX-License-Identifier: MIT */
#include "http/chunk.h"

#include "http/text.h"

/* More digits overflow. */
#define DIGITS 16

enum state {
    SIZE,       /* the size's digits */
    SIZE_BLANK, /* white space before an extension */
    EXTENSION,  /* up to the CR */
    SIZE_LF,    /* the LF of the size's line */
    DATA,       /* `left` bytes */
    DATA_CR,    /* behind the data */
    DATA_LF,
    TRAILER,       /* first byte of a trailer's line, or of the last, which is empty */
    TRAILER_NAME,  /* up to the colon */
    TRAILER_VALUE, /* up to the CR */
    TRAILER_LF,
    LAST_LF,
    ENDED,
};

void verd__chunk_init(struct verd__chunk *chunk, const verd_http_limits *limits)
{
    *chunk = (struct verd__chunk){
        .spare = limits->header,
        .fields = limits->fields,
        .most = limits->line,
    };
}

static bool is_text(unsigned char c)
{
    return (c >= ' ' && c != 0x7f) || c == '\t';
}

static bool eat_size(struct verd__chunk *chunk, unsigned char c)
{
    int digit = verd__hex_value((char)c);
    if (digit >= 0 && chunk->digits < DIGITS) {
        chunk->left = chunk->left * 16 + (uint64_t)digit;
        chunk->digits++;
        return true;
    }
    if (chunk->digits == 0 || digit >= 0)
        return false;
    chunk->state = c == '\r' ? SIZE_LF : c == ';' ? EXTENSION : SIZE_BLANK;
    return c == '\r' || c == ';' || c == ' ' || c == '\t';
}

/* The line with the size is complete. */
static void begin_data(struct verd__chunk *chunk)
{
    chunk->state = chunk->left > 0 ? DATA : TRAILER;
    chunk->digits = 0;
}

static bool move_on(struct verd__chunk *chunk, bool right, enum state next)
{
    chunk->state = (uint8_t)next;
    return right;
}

/* The first byte of a trailer's line, or of the last. */
static bool begin_trailer(struct verd__chunk *chunk, unsigned char c)
{
    chunk->line = 0;
    if (c == '\r')
        return move_on(chunk, true, LAST_LF);
    if (c == ' ' || c == '\t')
        return move_on(chunk, chunk->folds && chunk->named, TRAILER_VALUE);
    chunk->named = true;
    return move_on(chunk, verd__is_token[c], TRAILER_NAME);
}

/* Whether the byte just eaten belongs to a trailer's line. */
static bool is_of_trailer(const struct verd__chunk *chunk, uint8_t before)
{
    return chunk->state >= TRAILER_NAME ? chunk->state <= TRAILER_LF : before == TRAILER_LF;
}

/* One byte that is not data. Returns whether it may stand there. */
static bool eat(struct verd__chunk *chunk, unsigned char c)
{
    switch ((enum state)chunk->state) {
    case SIZE:
        return eat_size(chunk, c);
    case SIZE_BLANK:
        if (c == ';')
            chunk->state = EXTENSION;
        return c == ';' || c == ' ' || c == '\t';
    case EXTENSION:
        if (c == '\r')
            chunk->state = SIZE_LF;
        return c == '\r' || is_text(c);
    case SIZE_LF:
        begin_data(chunk);
        return c == '\n';
    case DATA_CR:
        return move_on(chunk, c == '\r', DATA_LF);
    case DATA_LF:
        return move_on(chunk, c == '\n', SIZE);
    case TRAILER:
        return begin_trailer(chunk, c);
    case TRAILER_NAME:
        if (c == ':')
            chunk->state = TRAILER_VALUE;
        return c == ':' || verd__is_token[c];
    case TRAILER_VALUE:
        if (c == '\r')
            chunk->state = TRAILER_LF;
        return c == '\r' || is_text(c);
    case TRAILER_LF:
        return move_on(chunk, c == '\n', TRAILER);
    case LAST_LF:
        return move_on(chunk, c == '\n', ENDED);
    case DATA:
    case ENDED:
        break;
    }
    return false;
}

/* One of them, if there is one left. */
static bool spend(size_t *left)
{
    if (*left == 0)
        return false;
    --*left;
    return true;
}

/* Whether the byte just eaten is still within the limits of what may be spent on nothing. */
static bool afford(struct verd__chunk *chunk)
{
    switch ((enum state)chunk->state) {
    case TRAILER_NAME:
        if (chunk->line == 0 && !spend(&chunk->fields))
            return false;
        break;
    case TRAILER_VALUE:
        break;
    case EXTENSION:
    case SIZE_BLANK:
        return spend(&chunk->spare);
    default:
        return true;
    }
    return ++chunk->line <= chunk->most && spend(&chunk->spare);
}

enum verd__chunk_result verd__chunk_eat(struct verd__chunk *chunk, const char *data, size_t size,
                                        size_t *used)
{
    enum verd__chunk_result result = VERD__CHUNK_MORE;
    size_t i = 0;
    if (chunk->state == DATA && chunk->left == 0)
        chunk->state = DATA_CR;
    for (; i < size && chunk->state != DATA && chunk->state != ENDED; i++) {
        uint8_t before = chunk->state;
        if (!eat(chunk, (unsigned char)data[i])) {
            result = VERD__CHUNK_WRONG;
            break;
        }
        if (!afford(chunk)) {
            result = VERD__CHUNK_LARGE;
            break;
        }
        if (chunk->trailers != NULL && is_of_trailer(chunk, before))
            verd__text_add(chunk->trailers, data + i, 1);
    }
    *used = i;
    if (result != VERD__CHUNK_MORE)
        return result;
    if (chunk->state == ENDED)
        return VERD__CHUNK_END;
    return chunk->state == DATA ? VERD__CHUNK_DATA : VERD__CHUNK_MORE;
}

size_t verd__chunk_line(char *to, uint64_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 1, i = 0;
    while (count < DIGITS && size >> (4 * count) != 0)
        count++;
    while (count > 0)
        to[i++] = digits[(size >> (4 * --count)) & 15];
    to[i++] = '\r';
    to[i++] = '\n';
    return i;
}
