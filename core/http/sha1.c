/* SPDX-License-Identifier: MIT */
#include "http/sha1.h"

#include <string.h>

#define BLOCK 64
#define WORDS 80

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* What the twenty rounds of each quarter have of their own. */
static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round / 20) {
    case 0:
        return ((b & c) | (~b & d)) + 0x5a827999U;
    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1U;
    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU;
    default:
        return (b ^ c ^ d) + 0xca62c1d6U;
    }
}

static void expand(uint32_t words[WORDS], const unsigned char *block)
{
    for (unsigned i = 0; i < 16; i++, block += 4)
        words[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
                   block[3];
    for (unsigned i = 16; i < WORDS; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
}

static void add_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t words[WORDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    expand(words, block);
    for (unsigned round = 0; round < WORDS; round++) {
        uint32_t next = rotate(a, 5) + mix(round, b, c, d) + e + words[round];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void verd__sha1(const char *text, size_t size, unsigned char digest[VERD__SHA1_SIZE])
{
    uint32_t state[5] = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
    unsigned char blocks[2 * BLOCK] = {0};
    size_t end = size < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    memcpy(blocks, text, size);
    blocks[size] = 0x80;
    blocks[end - 2] = (unsigned char)(size * 8 >> 8);
    blocks[end - 1] = (unsigned char)(size * 8);
    for (size_t i = 0; i < end; i += BLOCK)
        add_block(state, blocks + i);
    for (size_t i = 0; i < VERD__SHA1_SIZE; i++)
        digest[i] = (unsigned char)(state[i / 4] >> (24 - i % 4 * 8));
}

void verd__base64(char *to, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16;
        three |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
        three |= i + 2 < size ? data[i + 2] : 0;
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = (char)(i + 1 < size ? digits[three >> 6 & 63] : '=');
        *to++ = (char)(i + 2 < size ? digits[three & 63] : '=');
    }
    *to = '\0';
}
