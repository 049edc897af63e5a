/* SPDX-License-Identifier: MIT */
/* Tells valgrind where stacks are, so that it does not take a switch for a huge frame. Its requests
 * are a few instructions that do nothing outside of valgrind; without its header, they are left
 * out. */
#ifndef VERD_STACK_VALGRIND_H
#define VERD_STACK_VALGRIND_H

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define VERD__VALGRIND_REGISTER(low, high) ((unsigned)VALGRIND_STACK_REGISTER(low, high))
#define VERD__VALGRIND_DEREGISTER(id) VALGRIND_STACK_DEREGISTER(id)
#else
#define VERD__VALGRIND_REGISTER(low, high) 0u
#define VERD__VALGRIND_DEREGISTER(id) ((void)(id))
#endif

#endif
