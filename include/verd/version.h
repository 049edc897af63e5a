/* SPDX-License-Identifier: MIT */
/*
 * The version: of the headers that a program was compiled with, and of the library that it runs.
 *
 *     #if VERD_VERSION_NUMBER < 10200                        // before 1.2.0
 *     printf("libverd %s\n", verd_version());
 */
#ifndef VERD_VERSION_H
#define VERD_VERSION_H

#include <verd/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VERD_VERSION_MAJOR 0
#define VERD_VERSION_MINOR 1
#define VERD_VERSION_PATCH 0

/* The three in one number, to compare: 1.2.3 is 10203. */
#define VERD_VERSION_NUMBER \
    (VERD_VERSION_MAJOR * 10000 + VERD_VERSION_MINOR * 100 + VERD_VERSION_PATCH)

/* The three as text: "1.2.3". */
#define VERD_VERSION VERD__VERSION_TEXT(VERD_VERSION_MAJOR, VERD_VERSION_MINOR, VERD_VERSION_PATCH)
#define VERD__VERSION_TEXT(major, minor, patch) VERD__VERSION_JOIN(major, minor, patch)
#define VERD__VERSION_JOIN(major, minor, patch) #major "." #minor "." #patch

/* VERD_VERSION of the library that runs: another than the program was compiled with where a shared
 * libverd was replaced. Static text. Never blocks or fails; from any OS thread. */
const char *verd_version(void);

#ifdef __cplusplus
}
#endif

#endif
