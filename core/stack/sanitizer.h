/* SPDX-License-Identifier: MIT */
/* Which sanitizer the library is built with, for C and assembly. */
#ifndef VERD_STACK_SANITIZER_H
#define VERD_STACK_SANITIZER_H

#ifdef __has_feature /* clang */
#define VERD__HAS_FEATURE(feature) __has_feature(feature)
#else
#define VERD__HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || VERD__HAS_FEATURE(address_sanitizer)
#define VERD__ASAN 1
#else
#define VERD__ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || VERD__HAS_FEATURE(thread_sanitizer)
#define VERD__TSAN 1
#else
#define VERD__TSAN 0
#endif

#define VERD__MSAN VERD__HAS_FEATURE(memory_sanitizer)

/* Whether each switch is announced to one; then verd_context_switch is a function of C (fibre.c). */
#define VERD__ANNOUNCED (VERD__ASAN || VERD__TSAN || VERD__MSAN)

#ifndef __ASSEMBLER__
/* Of functions that a sanitizer would misunderstand: they change stacks, read what nobody may use, or have assembly
 * write to memory. */
#if VERD__ASAN
#define VERD__UNWATCHED __attribute__((no_sanitize_address))
#elif VERD__MSAN
#define VERD__UNWATCHED __attribute__((no_sanitize("memory")))
#elif VERD__TSAN && defined(__clang__)
#define VERD__UNWATCHED __attribute__((disable_sanitizer_instrumentation))
#elif VERD__TSAN
#define VERD__UNWATCHED __attribute__((no_sanitize_thread))
#else
#define VERD__UNWATCHED
#endif

/* Says on stderr, a line for each, which sanitizers the program is built with, and the library is not: they are
 * not told of switches then. */
void verd__sanitizer_check(void);
#endif

#endif
