/* SPDX-License-Identifier: MIT */
/* Tells valgrind where stacks are, so that it does not take a switch for a huge frame; and tells whether
 * it is there, for it complains of system calls that are newer than itself: those are then missing. Its
 * requests are a few instructions that do nothing outside of valgrind; without its header, they are left
 * out. */
#ifndef VERD_STACK_VALGRIND_H
#define VERD_STACK_VALGRIND_H

#include <stdbool.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define VERD__VALGRIND_REGISTER(low, high) ((unsigned)VALGRIND_STACK_REGISTER(low, high))
#define VERD__VALGRIND_DEREGISTER(id) VALGRIND_STACK_DEREGISTER(id)
#define VERD__ON_VALGRIND (RUNNING_ON_VALGRIND != 0)
#else
#define VERD__VALGRIND_REGISTER(low, high) 0u
#define VERD__VALGRIND_DEREGISTER(id) ((void)(id))
#define VERD__ON_VALGRIND false
#endif

#endif
