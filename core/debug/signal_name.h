/* SPDX-License-Identifier: MIT */
#ifndef VERD_DEBUG_SIGNAL_NAME_H
#define VERD_DEBUG_SIGNAL_NAME_H

/* The number of a signal: of "QUIT", "SIGQUIT", "RTMIN+1" or "3", as kill(1) takes them; 0: there is none. */
int verd__signal_by_name(const char *name);

#endif
