/* SPDX-License-Identifier: MIT */
/* Writing without the signal that a closed pipe brings. */
#ifndef VERD_IO_QUIET_H
#define VERD_IO_QUIET_H

#include "io/io.h"

/* request->file(fd, request) without SIGPIPE. */
ssize_t verd__write_quietly(int fd, const struct verd__request *request);

#endif
