/* SPDX-License-Identifier: MIT */
/*
 * Where a debugger finds what: the offsets, sizes and values by which it reads threads out of a process or a core, with
 * nothing but memory to go by. It is in each program that has a scheduler, which refers to it: core/debug/layout.c, the
 * other half of core/debug/verd-gdb.py.
 */
#ifndef VERD_SCHED_LAYOUT_H
#define VERD_SCHED_LAYOUT_H

struct verd__layout;

__attribute__((visibility("hidden"))) extern const struct verd__layout verd__layout;

#endif
