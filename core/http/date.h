/* SPDX-License-Identifier: MIT */
/* The Date field, written once a second. */
#ifndef VERD_HTTP_DATE_H
#define VERD_HTTP_DATE_H

#include <stdint.h>

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT", CR, LF */
#define VERD__DATE_SIZE 37

struct verd__date {
    int64_t second;             /* since 1970; 0: nothing is written yet */
    char line[VERD__DATE_SIZE]; /* of that second */
};

/* Brings it up to now. Seconds are as coarse as the clock that the kernel keeps. */
void verd__date_update(struct verd__date *date);

/* Writes the field for a second from 1970 on, before the year 10000. */
void verd__date_write(char line[VERD__DATE_SIZE], int64_t second);

#endif
