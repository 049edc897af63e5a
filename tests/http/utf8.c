/* SPDX-License-Identifier: MIT */

/* Which bytes are UTF-8. The wrong ones are those of the cases 6.5 to 6.23 of Autobahn's test suite, and more. */
#include <criterion/criterion.h>
#include <string.h>

#include "http/utf8.h"

#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

static bool is_utf8_in_two(const char *text, size_t size, size_t first)
{
    struct verd__utf8 utf8 = {0};
    return verd__utf8_check(&utf8, text, first) &&
           verd__utf8_check(&utf8, text + first, size - first) && utf8.missing == 0;
}

static void expect_utf8(const char *text, size_t size, bool expected)
{
    char long_text[64];
    memset(long_text, 'a', sizeof long_text);
    for (size_t i = 0; i < size; i++)
        long_text[20 + i] = text[i];
    for (size_t first = 0; first <= size; first++)
        cr_expect_eq(is_utf8_in_two(text, size, first), expected, "%s in two at %zu", text, first);
    cr_expect_eq(verd__is_utf8(long_text, sizeof long_text), expected, "%s", text);
}

/* All code points, and all that would be one if it were not too short or beyond. */
Test(http, every_character_is_utf8_and_no_surrogate)
{
    for (unsigned c = 0x80; c < 0x200000; c++) {
        char text[4];
        size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = size - 1; i > 0; i--)
            text[i] = (char)(0x80 | (c >> 6 * (size - 1 - i) & 0x3f));
        text[0] = (char)((size == 2 ? 0xc0 : size == 3 ? 0xe0 : 0xf0) | c >> 6 * (size - 1));
        bool valid = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
        if (verd__is_utf8(text, size) != valid)
            cr_assert_fail("U+%X is taken for %s", c, valid ? "wrong" : "right");
    }
}

Test(http, what_is_no_utf8)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xf8\x88\x80\x80\x80",
        "\xfc\x84\x80\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf7\xbf\xbf\xbf",
        "\xce",
        "\xe1\xbd",
        "\xf0\x90\x80",
        "\xc2 ",
        "\xe2\x82 ",
        "\xce\xba\xba",
        "\xe2(\xa1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t size = strlen(wrong[i]);
        expect_utf8(wrong[i], size, false);
    }
    expect_utf8(KOSME, sizeof KOSME - 1, true);
    expect_utf8("\xef\xbf\xbf\xf4\x8f\xbf\xbf", 7, true);
}
