/* SPDX-License-Identifier: MIT */
/* Reading disk files, for the library's own calls. */
#ifndef VERD_IO_TRANSFER_H
#define VERD_IO_TRANSFER_H

#include <stddef.h>
#include <sys/types.h>

/* The file's own offset, where one is asked for. */
#define VERD__FILE_OFFSET ((off_t)-1)

/* Reads what the page cache has, without waiting for the disk; at most as far as the first page that it
 * has not. Returns the count, 0 at the end of the file, or -1: it is to be read elsewhere. */
ssize_t verd__file_read_cached(int fd, void *buffer, size_t size, off_t offset);

#endif
