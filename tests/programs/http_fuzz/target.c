/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/chunk.h"
#include "http/parser.h"
#include "http/trailer.h"
#include "strict.h"

#define FIELDS 16

static const verd_http_limits limits = {.line = 256, .header = 2048, .fields = FIELDS};

static const uint8_t *input; /* that is tried */
static size_t input_size;

void fuzz_expect(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "http_fuzz: %s: \"", what);
    for (size_t i = 0; i < input_size; i++)
        fprintf(stderr, input[i] >= ' ' && input[i] <= '~' ? "%c" : "\\%03o", input[i]);
    fprintf(stderr, "\"\n");
    abort();
}

/* Memory of just this size, so that a sanitizer sees who reads beyond it. */
static char *copy(const void *data, size_t size)
{
    char *bytes = malloc(size > 0 ? size : 1);
    fuzz_expect(bytes != NULL, "no memory");
    memcpy(bytes, data, size);
    return bytes;
}

/* How many bytes come at once is taken from the input itself: the same input, the same pieces. */
struct pieces {
    uint64_t state;
};

static size_t next_piece(struct pieces *pieces, size_t rest)
{
    pieces->state = pieces->state * 6364136223846793005U + 1442695040888963407U;
    size_t size = 1 + (size_t)(pieces->state >> 33) % 24;
    return size < rest ? size : rest;
}

static struct pieces pieces_of(const uint8_t *data, size_t size)
{
    struct pieces pieces = {size};
    for (size_t i = 0; i < size; i++)
        pieces.state = (pieces.state ^ data[i]) * 1099511628211U;
    return pieces;
}

/* ---- heads ---- */

/* A message that was parsed, and its bytes. */
struct parsed {
    struct verd__head head;
    verd_http_field fields[FIELDS];
    char *bytes;
    int status;
};

static void parse_whole(struct parsed *parsed, const uint8_t *data, size_t size, bool response)
{
    verd__head_init(&parsed->head, &limits, parsed->fields, response);
    parsed->bytes = copy(data, size);
    parsed->status = verd__head_parse(&parsed->head, parsed->bytes, size);
}

/* Each piece comes with a move of all the bytes. */
static void parse_pieces(struct parsed *parsed, const uint8_t *data, size_t size, bool response)
{
    struct pieces pieces = pieces_of(data, size);
    size_t there = 0;
    verd__head_init(&parsed->head, &limits, parsed->fields, response);
    parsed->bytes = copy(data, 0);
    parsed->status = 0;
    while (parsed->status == 0 && there < size) {
        size_t piece = next_piece(&pieces, size - there);
        char *grown = malloc(there + piece);
        fuzz_expect(grown != NULL, "no memory");
        memcpy(grown, parsed->bytes, there);
        memcpy(grown + there, data + there, piece);
        verd__head_moved(&parsed->head, parsed->bytes, grown);
        free(parsed->bytes);
        parsed->bytes = grown;
        there += piece;
        parsed->status = verd__head_parse(&parsed->head, parsed->bytes, there);
    }
}

static void check_same_text(const char *one, const char *other)
{
    fuzz_expect((one == NULL) == (other == NULL), "a text is there in pieces only, or only in one");
    fuzz_expect(one == NULL || strcmp(one, other) == 0, "a text differs in pieces");
}

static void check_same(const struct parsed *whole, const struct parsed *pieces)
{
    const struct verd__head *one = &whole->head, *other = &pieces->head;
    bool wrong =
        whole->status > 200 && pieces->status > 200; /* there may be several things wrong */
    fuzz_expect(wrong || whole->status == pieces->status, "the status differs in pieces");
    if (whole->status != 200)
        return;
    fuzz_expect(one->parsed == other->parsed, "the end of the head differs in pieces");
    fuzz_expect(one->count == other->count, "the number of fields differs in pieces");
    fuzz_expect(one->bits == other->bits, "what the fields say differs in pieces");
    fuzz_expect(one->length == other->length, "the length differs in pieces");
    fuzz_expect(one->minor == other->minor && one->status == other->status,
                "the first line differs in pieces");
    check_same_text(one->method, other->method);
    check_same_text(one->path, other->path);
    check_same_text(one->query, other->query);
    check_same_text(one->host, other->host);
    for (size_t i = 0; i < one->count; i++) {
        check_same_text(one->fields[i].name, other->fields[i].name);
        check_same_text(one->fields[i].value, other->fields[i].value);
    }
}

/* A head that was taken for well-formed has a length in one way at most, and no text that could be
 * taken for more than it is. */
static void check_head(const struct parsed *parsed, size_t size)
{
    const struct verd__head *head = &parsed->head;
    unsigned framing = head->bits & (VERD__HEAD_LENGTH | VERD__HEAD_TRANSFER);
    fuzz_expect(head->parsed <= size, "the head ends behind its bytes");
    fuzz_expect(memcmp(parsed->bytes + head->parsed - 2, "\r\n", 2) == 0, "the head has no end");
    fuzz_expect(head->response || framing != (VERD__HEAD_LENGTH | VERD__HEAD_TRANSFER),
                "a request has two lengths");
    for (size_t i = 0; i < head->count; i++) {
        const verd_http_field *field = &head->fields[i];
        fuzz_expect(verd__is_name(field->name), "a name is no token");
        fuzz_expect(verd__is_text(field->value, strlen(field->value)), "a value is no text");
        fuzz_expect(field->value + strlen(field->value) < parsed->bytes + head->parsed,
                    "a value ends behind the head");
    }
}

/* What is logged is the line that came. */
static void check_line(const struct parsed *parsed, const uint8_t *data)
{
    const struct verd__head *head = &parsed->head;
    struct verd__text text = {0};
    const char *line = verd__head_line(head, &text);
    size_t start = (size_t)(head->line - parsed->bytes);
    size_t length = strcspn(line, "\r\n");
    fuzz_expect(line[length] == '\0', "a logged line has more than a line");
    if (parsed->status == 200 && !head->response)
        fuzz_expect(memcmp(data + start, line, length) == 0 && data[start + length] == '\r',
                    "a logged line is not what came");
    verd__text_free(&text);
}

/* ---- the same by a strict reader ---- */

static bool is_slice(struct strict_slice slice, const char *text)
{
    return strlen(text) == slice.size &&
           (slice.size == 0 || memcmp(slice.at, text, slice.size) == 0);
}

/* As it is said; what is beyond an integer is that. */
static uint64_t number_of(struct strict_slice digits)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digits.at[i] - '0'), &number))
            return UINT64_MAX;
    }
    return number;
}

static void check_as_strict(const struct verd__head *head, const struct strict_request *strict)
{
    fuzz_expect(head->parsed == strict->end, "a strict reader finds another end of a head");
    fuzz_expect(is_slice(strict->method, head->method), "a strict reader finds another method");
    fuzz_expect(is_slice(strict->host, head->host), "a strict reader finds another host");
    fuzz_expect(head->minor == strict->minor, "a strict reader finds another version");
    fuzz_expect(((head->bits & VERD__HEAD_CHUNKED) != 0) == strict->chunked,
                "a strict reader does not find the same chunks");
    fuzz_expect(((head->bits & VERD__HEAD_LENGTH) != 0) == (strict->length.at != NULL) &&
                    head->length == number_of(strict->length),
                "a strict reader finds another length");
    fuzz_expect(head->count == strict->count, "a strict reader finds more fields, or fewer");
    for (size_t i = 0; i < strict->count; i++)
        fuzz_expect(is_slice(strict->names[i], head->fields[i].name) &&
                        is_slice(strict->values[i], head->fields[i].value),
                    "a strict reader finds another field");
}

/* Whether a request is refused for its size alone, which no grammar knows. */
static bool is_too_large(int status)
{
    return status == 414 || status == 431;
}

static void compare_request(const struct parsed *parsed, const uint8_t *data, size_t size)
{
    struct strict_request strict;
    char *bytes = copy(data, size);
    bool taken = strict_request(&strict, bytes, size);
    if (parsed->status == 200) {
        fuzz_expect(taken, "a strict reader does not take a request");
        check_as_strict(&parsed->head, &strict);
    } else {
        fuzz_expect(!taken || is_too_large(parsed->status),
                    "a strict reader takes a request that was refused");
    }
    free(bytes);
}

static void fuzz_head(const uint8_t *data, size_t size, bool response)
{
    struct parsed whole, pieces;
    parse_whole(&whole, data, size, response);
    parse_pieces(&pieces, data, size, response);
    check_same(&whole, &pieces);
    if (whole.status == 200)
        check_head(&whole, size);
    if (!response)
        compare_request(&whole, data, size);
    if (whole.status == 200)
        fuzz_handshake(&whole.head);
    if (whole.head.started)
        check_line(&whole, data);
    free(whole.bytes);
    free(pieces.bytes);
}

/* ---- chunks ---- */

struct decoded {
    enum verd__chunk_result result;
    struct verd__trailers trailers;
    char *bytes; /* the chunks' data */
    size_t size;
    size_t used; /* of the input */
};

/* Takes what framing and data there are in one piece. */
static void decode_piece(struct decoded *decoded, struct verd__chunk *chunk, const char *piece,
                         size_t size)
{
    do {
        size_t used;
        decoded->result = verd__chunk_eat(chunk, piece, size, &used);
        fuzz_expect(used <= size, "more was eaten than there was");
        decoded->used += used;
        piece += used;
        size -= used;
        if (decoded->result != VERD__CHUNK_DATA)
            return;
        fuzz_expect(chunk->left > 0, "there is data, but none of it");
        size_t some = chunk->left < size ? (size_t)chunk->left : size;
        memcpy(decoded->bytes + decoded->size, piece, some);
        decoded->size += some;
        decoded->used += some;
        chunk->left -= some;
        piece += some;
        size -= some;
    } while (size > 0);
    decoded->result = VERD__CHUNK_MORE;
}

static void decode(struct decoded *decoded, const uint8_t *data, size_t size, bool whole)
{
    struct pieces pieces = pieces_of(data, size);
    struct verd__chunk chunk;
    size_t at = 0;
    verd__chunk_init(&chunk, &limits);
    *decoded = (struct decoded){.result = VERD__CHUNK_MORE, .bytes = malloc(size + 1)};
    fuzz_expect(decoded->bytes != NULL, "no memory");
    chunk.trailers = &decoded->trailers.lines;
    chunk.folds = true;
    while (decoded->result == VERD__CHUNK_MORE && at < size) {
        size_t some = whole ? size : next_piece(&pieces, size - at);
        char *piece = copy(data + at, some);
        decode_piece(decoded, &chunk, piece, some);
        free(piece);
        at += some;
    }
}

/* Names and values that can be such, all within the limits. */
static void check_trailers(struct verd__trailers *trailers)
{
    size_t count;
    const verd_http_field *fields = verd__trailers_fields(trailers, true, &count);
    fuzz_expect((fields == NULL) == (count == 0), "no memory");
    fuzz_expect(trailers->count <= FIELDS, "there are more trailers than may be");
    fuzz_expect((trailers->lines.size > 0) == (trailers->count > 0), "a trailer is lost");
    for (size_t i = 0; i < trailers->count; i++) {
        const verd_http_field *field = &trailers->fields[i];
        fuzz_expect(verd__is_name(field->name), "a trailer's name is no token");
        fuzz_expect(verd__is_text(field->value, strlen(field->value)), "a trailer is no text");
    }
}

/* What is beyond the limits, the strict reader does not know. */
static void compare_body(const struct decoded *decoded, const uint8_t *data, size_t size)
{
    struct strict_body strict = {.data = copy(data, size)};
    char *bytes = copy(data, size);
    bool taken = strict_body(&strict, bytes, size);
    if (decoded->result == VERD__CHUNK_END) {
        fuzz_expect(taken, "a strict reader does not take a body");
        fuzz_expect(strict.end == decoded->used, "a strict reader finds another end of a body");
        fuzz_expect(strict.size == decoded->size &&
                        memcmp(strict.data, decoded->bytes, strict.size) == 0,
                    "a strict reader finds another body");
        fuzz_expect(strict.trailers == decoded->trailers.count,
                    "a strict reader finds more trailers, or fewer");
    } else {
        fuzz_expect(!taken || decoded->result == VERD__CHUNK_LARGE,
                    "a strict reader takes a body that was refused");
    }
    free(strict.data);
    free(bytes);
}

static void fuzz_chunks(const uint8_t *data, size_t size)
{
    struct decoded whole, pieces;
    decode(&whole, data, size, true);
    decode(&pieces, data, size, false);
    fuzz_expect(whole.result == pieces.result, "the result differs in pieces");
    fuzz_expect(whole.used == pieces.used, "the end of the body differs in pieces");
    fuzz_expect(whole.size == pieces.size && memcmp(whole.bytes, pieces.bytes, whole.size) == 0,
                "the data differs in pieces");
    if (whole.result == VERD__CHUNK_END) {
        check_trailers(&whole.trailers);
        check_trailers(&pieces.trailers);
        fuzz_expect(whole.trailers.count == pieces.trailers.count, "the trailers differ in pieces");
    }
    compare_body(&whole, data, size);
    verd__trailers_free(&whole.trailers);
    verd__trailers_free(&pieces.trailers);
    free(whole.bytes);
    free(pieces.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    input = data;
    input_size = size;
    switch (data[0]) {
    case FUZZ_REQUEST:
        fuzz_head(data + 1, size - 1, false);
        break;
    case FUZZ_RESPONSE:
        fuzz_head(data + 1, size - 1, true);
        break;
    case FUZZ_CHUNKS:
        fuzz_chunks(data + 1, size - 1);
        break;
    case FUZZ_URL:
        fuzz_url(data + 1, size - 1);
        break;
    case FUZZ_FORM:
        fuzz_form(data + 1, size - 1);
        break;
    case FUZZ_PATH:
        fuzz_path(data + 1, size - 1);
        break;
    case FUZZ_FRAMES:
        fuzz_frames(data + 1, size - 1);
        break;
    case FUZZ_UTF8:
        fuzz_utf8(data + 1, size - 1);
        break;
    case FUZZ_KEEP_ALIVE:
        fuzz_keep_alive(data + 1, size - 1);
        break;
    default:
        break;
    }
    return 0;
}
