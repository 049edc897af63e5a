/* SPDX-License-Identifier: MIT */
/* What tests ask the kernel about their own process, and what they have a child find out. */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define UNDER_ASAN true
#else
#define UNDER_ASAN false
#endif

#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

#define UNDER_MSAN HAS_FEATURE(memory_sanitizer)

/* They need address space without limit and memory for each stack, have a malloc of their own, catch
 * SIGSEGV, and make all take some ten times as long. */
#define UNDER_SANITIZER (UNDER_ASAN || UNDER_TSAN || UNDER_MSAN)

/* Whether another architecture is emulated in user mode: some ten times slower, and its memory is
 * not told from the emulator's. */
bool process_is_emulated(void);

/* Whether each green thread has an OS thread of its own (VERD_THREADS=os), so that a switch takes a thousand times
 * as long. */
bool process_is_carried(void);

/* Whether instructions are translated, by an emulator or by valgrind: the same of time and memory, but valgrind knows what
 * the kernel does. */
bool process_is_translated(void);

/* Whether the child of a fork may start OS threads though one of its parent's was just starting. An emulator aborts;
 * ASan's malloc, which it calls as an OS thread starts, may be locked in the child for good. */
bool process_can_fork_beside_starts(void);

/* A line of /proc/self/status in KiB: "VmRSS", "VmPTE", "VmSize". -1: there is none. */
long process_kib(const char *field);

/* The kernel's count of this process's mappings, and of its descriptors. */
size_t process_mappings(void);
size_t process_descriptors(void);

/* Whether its address space has a limit. */
bool process_is_limited(void);

/* How many more it may have open, up to `wanted`: the limit is raised where it is lower. */
size_t process_descriptors_up_to(size_t wanted);

/* How often this OS thread gave the processor away by itself: once per wait. */
long process_waits(void);

/* The same of all OS threads but the process's first. */
long process_waits_of_others(void);

struct process_end {
    int status;      /* as waitpid has it */
    char text[8192]; /* the beginning of what it wrote on stderr */
};

/* Runs fn(arg) in a child process, which exits with 0 when it returns; no core is dumped. */
struct process_end process_run(void (*fn)(void *), void *arg);

/* Runs fn(arg) here, and takes what it writes on stderr: for what begins OS threads, which an emulator cannot have in a
 * process that was forked. */
struct process_end process_capture(void (*fn)(void *), void *arg);

/* Whether `holds` is true in the child of a fork of the calling thread. */
bool process_child_finds(bool (*holds)(void));

/* Whether it died of that signal. */
bool process_died_of(const struct process_end *end, int signal);

/* How often `what` occurs in `text`. */
size_t process_count(const char *text, const char *what);

#endif
