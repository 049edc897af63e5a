/* SPDX-License-Identifier: MIT */
/* What is fuzzed of HTTP: one function of bytes, for the program's own mutations and for libFuzzer. */
#ifndef HTTP_FUZZ_TARGET_H
#define HTTP_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first byte of an input says what the others are. */
#define FUZZ_REQUEST 'q'
#define FUZZ_RESPONSE 'r'
#define FUZZ_CHUNKS 'c'
#define FUZZ_URL 'u' /* and where it is redirected to, behind a '|' */
#define FUZZ_FORM 'f'
#define FUZZ_PATH 'p'
#define FUZZ_FRAMES 'w' /* as a client's, or with '-' in front, a server's */
#define FUZZ_UTF8 '8'
#define FUZZ_KEEP_ALIVE 'k'

/* Parses the input whole, and again as it comes in pieces; aborts if the outcomes differ, or if one of
 * them is not what it must be. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, saying what is wrong, unless the condition holds. */
void fuzz_expect(bool condition, const char *what);

void fuzz_url(const uint8_t *data, size_t size);
void fuzz_form(const uint8_t *data, size_t size);
void fuzz_path(const uint8_t *data, size_t size);
void fuzz_frames(const uint8_t *data, size_t size);
void fuzz_utf8(const uint8_t *data, size_t size);
void fuzz_keep_alive(const uint8_t *data, size_t size);

/* Reads what a head says of the connection, and of a handshake of WebSocket, a second time. */
struct verd__head;
void fuzz_handshake(const struct verd__head *head);

/* Well-formed inputs and some that are not, to begin with. */
extern const struct fuzz_seed {
    const char *bytes;
    size_t size;
} fuzz_seeds[];
extern const size_t fuzz_seed_count;

#endif
