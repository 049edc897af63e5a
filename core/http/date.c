/* SPDX-License-Identifier: MIT */
#include "http/date.h"

#include <string.h>
#include <time.h>

/* strftime's names depend on the locale, and these must not. */
static const char form[] = "Date: xxx, 00 xxx 0000 00:00:00 GMT\r\n";
static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void write_number(char *to, int number, int digits)
{
    while (digits > 0) {
        to[--digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

void verd__date_write(char line[VERD__DATE_SIZE], int64_t second)
{
    struct tm now;
    time_t time = (time_t)second;
    gmtime_r(&time, &now);
    memcpy(line, form, sizeof form - 1);
    memcpy(line + 6, days + 3 * (size_t)now.tm_wday, 3);
    write_number(line + 11, now.tm_mday, 2);
    memcpy(line + 14, months + 3 * (size_t)now.tm_mon, 3);
    write_number(line + 18, now.tm_year + 1900, 4);
    write_number(line + 23, now.tm_hour, 2);
    write_number(line + 26, now.tm_min, 2);
    write_number(line + 29, now.tm_sec, 2);
}

void verd__date_update(struct verd__date *date)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == date->second)
        return;
    date->second = now.tv_sec;
    verd__date_write(date->line, now.tv_sec);
}
