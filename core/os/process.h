/* SPDX-License-Identifier: MIT */
/* Starting programs, for the library itself. */
#ifndef VERD_OS_PROCESS_H
#define VERD_OS_PROCESS_H

#include <signal.h>

#include <verd/os.h>

/* verd_spawn_process, with these signals' defaults in the program, too; NULL: no more of them. */
int verd__spawn_process(verd_process *process, const verd_process_options *options,
                        const sigset_t *defaults);

#endif
