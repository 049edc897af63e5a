/* SPDX-License-Identifier: MIT */

/*
 * Parsers of HTTP, and the decoder of chunks, with inputs that chance has changed.
 *
 *   http_fuzz                the test: all seeds, and many changed ones
 *   http_fuzz FILE...        these inputs
 *   http_fuzz --seeds DIR    writes the seeds there, for libFuzzer (http_libfuzzer.sh)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../support/random.h"
#include "http_fuzz/target.h"

#define SIZE_MAX_OF_INPUT 2048

/* So many inputs, or as many as there is time for: emulated, or watched by a sanitizer. */
#define INPUTS 200000
#define SECONDS 10

struct input {
    uint8_t bytes[SIZE_MAX_OF_INPUT];
    size_t size;
};

/* Puts bytes in the place of `gone` bytes; what gets too long is cut off. */
static void replace(struct input *input, size_t at, size_t gone, const void *bytes, size_t size)
{
    uint8_t rest[SIZE_MAX_OF_INPUT];
    size_t rest_size = input->size - at - gone;
    memcpy(rest, input->bytes + at + gone, rest_size);
    size = size < sizeof input->bytes - at ? size : sizeof input->bytes - at;
    memcpy(input->bytes + at, bytes, size);
    at += size;
    rest_size = rest_size < sizeof input->bytes - at ? rest_size : sizeof input->bytes - at;
    memcpy(input->bytes + at, rest, rest_size);
    input->size = at + rest_size;
}

/* What means something to the parsers. */
static const char *const words[] = {
    "\r\n",
    "\n",
    "\r",
    ":",
    " ",
    "\t",
    ",",
    ";",
    "0\r\n",
    "\r\n\r\n",
    "HTTP/1.1",
    "HTTP/1.0",
    "GET",
    "HEAD",
    "Content-Length: 1\r\n",
    "Host: h\r\n",
    "Transfer-Encoding: chunked\r\n",
    "chunked",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "http://",
    "?",
    "*",
    "[::1]",
    "A: b\r\n",
    "\r\n ",
    "%25",
    "[fe80::1%25a]",
    "\x7f",
    "\xff",
    "%2e",
    "/../",
    "&",
    "=",
    "websocket",
    "Upgrade: websocket\r\n",
    "Connection: upgrade\r\n",
    "Sec-WebSocket-Version: 13\r\n",
    "Sec-WebSocket-Protocol: chat\r\n",
    "Sec-WebSocket-Extensions: a\r\n",
    "chat",
    "timeout=",
    "9",
};

static void change(struct input *input)
{
    size_t at = random_below(input->size + 1), rest = input->size - at;
    size_t some = rest > 0 ? random_below(rest < 16 ? rest + 1 : 16) : 0;
    uint8_t byte = (uint8_t)random_below(256), copied[16];
    const char *word = words[random_below(sizeof words / sizeof *words)];
    const struct fuzz_seed *seed = &fuzz_seeds[random_below(fuzz_seed_count)];
    size_t from = random_below(seed->size);
    switch (random_below(6)) {
    case 0: /* another byte */
        replace(input, at, rest > 0, &byte, 1);
        break;
    case 1: /* one more */
        replace(input, at, 0, &byte, 1);
        break;
    case 2: /* fewer */
        replace(input, at, some, "", 0);
        break;
    case 3: /* the same twice */
        memcpy(copied, input->bytes + at, some);
        replace(input, at, 0, copied, some);
        break;
    case 4: /* a word */
        replace(input, at, some / 4, word, strlen(word));
        break;
    default: /* the end of another seed */
        replace(input, at, rest, seed->bytes + from, seed->size - from);
        break;
    }
}

/* The first byte, which says what the input is, stays. */
static void run_changed(void)
{
    const struct fuzz_seed *seed = &fuzz_seeds[random_below(fuzz_seed_count)];
    struct input input = {.size = seed->size};
    memcpy(input.bytes, seed->bytes, seed->size);
    for (size_t changes = 1 + random_below(6); changes > 0; changes--)
        change(&input);
    if (input.size == 0)
        return;
    input.bytes[0] = (uint8_t)seed->bytes[0];
    LLVMFuzzerTestOneInput(input.bytes, input.size);
}

static int run_files(int count, char **names)
{
    for (int i = 0; i < count; i++) {
        struct input input;
        FILE *file = fopen(names[i], "rb");
        if (file == NULL) {
            perror(names[i]);
            return 1;
        }
        input.size = fread(input.bytes, 1, sizeof input.bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(input.bytes, input.size);
    }
    return 0;
}

static int write_seeds(const char *directory)
{
    for (size_t i = 0; i < fuzz_seed_count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/seed-%02zu", directory, i);
        FILE *file = fopen(name, "wb");
        if (file == NULL || fwrite(fuzz_seeds[i].bytes, 1, fuzz_seeds[i].size, file) == 0 ||
            fclose(file) != 0) {
            perror(name);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        return write_seeds(argv[2]);
    if (argc > 1)
        return run_files(argc - 1, argv + 1);
    for (size_t i = 0; i < fuzz_seed_count; i++)
        LLVMFuzzerTestOneInput((const uint8_t *)fuzz_seeds[i].bytes, fuzz_seeds[i].size);
    long count = 0;
    for (time_t end = time(NULL) + SECONDS; count < INPUTS && time(NULL) < end; count++)
        run_changed();
    printf("%ld changed inputs\n", count);
    return 0;
}
