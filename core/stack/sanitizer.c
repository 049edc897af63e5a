/* SPDX-License-Identifier: MIT */
#include "stack/sanitizer.h"

#include <stddef.h>

#include "stack/line.h"

/* A program that is built with one starts by calling it; they are in no other. */
extern void asan(void) __asm__("__asan_init") __attribute__((weak));
extern void tsan(void) __asm__("__tsan_init") __attribute__((weak));
extern void msan(void) __asm__("__msan_init") __attribute__((weak));

static void warn(const char *sanitizer, const char *what)
{
    struct verd__line line = {.length = 0};
    verd__line_text(&line, sanitizer);
    verd__line_text(&line, " is in this program, and not in its libverd, so ");
    verd__line_text(&line, what);
    verd__line_text(&line, ": build that with it, too (make CONFIG=asan, tsan or msan)");
    verd__line_write(&line);
}

void verd__sanitizer_check(void)
{
    if (!VERD__ASAN && asan != NULL)
        warn("AddressSanitizer", "leaks in green threads are missed, and reports mislead");
    if (!VERD__TSAN && tsan != NULL)
        warn("ThreadSanitizer", "it takes green threads for one, and reports races that are none");
    if (!VERD__MSAN && msan != NULL)
        warn("MemorySanitizer", "it takes what other green threads have written for random");
}
