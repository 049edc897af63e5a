/* SPDX-License-Identifier: MIT */
/* Descriptors that libverd makes: non-blocking, close-on-exec, and known to the hub. */
#ifndef VERD_NET_DESCRIPTOR_H
#define VERD_NET_DESCRIPTOR_H

/* The hub takes note of a descriptor that was just made, of this kind (VERD__FD_...). Returns it,
 * or -1 and errno (ENOMEM), the descriptor closed; -1 as it is. */
int verd__descriptor_new(int fd, unsigned bits);

/* A new stream socket. -1 and errno as socket(2), or ENOMEM. */
int verd__descriptor_socket(int family, unsigned bits);

/* A new TCP socket with TCP_NODELAY. -1 and errno likewise. */
int verd__descriptor_tcp(int family);

/* verd_close that leaves errno as it is; -1 as it is. */
void verd__descriptor_drop(int fd);

/* Gives a descriptor a number that is free, and close-on-exec. 0, or -1 and errno, the descriptor
 * closed; -1 as it is. */
int verd__descriptor_renumber(int fd, int number);

#endif
