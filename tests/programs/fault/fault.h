/* SPDX-License-Identifier: MIT */
/*
 * Calls of libc that fail on purpose. hooks.c stands between whoever is linked with it and each libc
 * function that may fail; while faults are armed it counts the calls, and lets one of them fail as the
 * system might.
 *
 * A run is played in a child process and tells of itself in memory that it shares with its parent.
 */
#ifndef TESTS_PROGRAMS_FAULT_H
#define TESTS_PROGRAMS_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FAULTS_MAX 128       /* functions */
#define MOST_DESCRIPTORS 600 /* that a scenario has */

/* A function that may fail. One struct for each, at the same address in all processes of the test. */
struct fault {
    const char *name;
    const int *errors; /* as which it may fail */
    size_t error_count;
    unsigned strikes; /* runs in which it has failed; the test's own count */
};

/* All of them. */
extern struct fault *const __start_fault_list[], *const __stop_fault_list[];

/* How often it was called while faults were armed. */
struct fault_count {
    struct fault *_Atomic fault; /* NULL: the place is free */
    _Atomic unsigned calls;
};

/* Shared by all processes of the test. */
struct fault_record {
    struct fault_count counts[FAULTS_MAX];
    struct fault *target; /* that is to fail; NULL: none */
    unsigned call;        /* the how-manieth call of it, from 0 */
    int error;            /* as which */
    _Atomic bool armed;
    _Atomic bool struck; /* it has failed */
};

extern struct fault_record *faults;

/* Maps the record. */
void faults_init(void);

/* Counts from now on; and has that call fail, if there is a target. */
void faults_arm(void);
void faults_disarm(void);

/* Has the next call of the function fail, in the calling process. */
void fault_next(const char *name, int error);

/* Has all calls of the function fail from now on, in the calling process, as on a kernel that lacks it; 0: no longer. */
void fault_lacks(const char *name, int error);

/* Whether this call of the function is to fail; errno says as which. For hooks.c. */
bool fault_strikes(struct fault *fault);

/* What the library holds: blocks of memory and the like, bytes mapped, descriptors. */
struct holdings {
    long blocks;
    long mapped;
    int descriptors;
};

struct holdings holdings(void);

/* The functions themselves, for the tests' own calls, which do not count. */
int real_accept4(int, void *, void *, int) __asm__("__real_accept4");
int real_bind(int, const void *, unsigned) __asm__("__real_bind");
int real_close(int) __asm__("__real_close");
int real_connect(int, const void *, unsigned) __asm__("__real_connect");
int real_fcntl(int, int, ...) __asm__("__real_fcntl");
int real_kill(pid_t, int) __asm__("__real_kill");
int real_listen(int, int) __asm__("__real_listen");
off_t real_lseek(int, off_t, int) __asm__("__real_lseek");
int real_open(const char *, int, ...) __asm__("__real_open");
int real_pipe2(int *, int) __asm__("__real_pipe2");
int real_pthread_create(void *, const void *, void *(*)(void *),
                        void *) __asm__("__real_pthread_create");
ssize_t real_read(int, void *, size_t) __asm__("__real_read");
int real_socket(int, int, int) __asm__("__real_socket");
int real_socketpair(int, int, int, int *) __asm__("__real_socketpair");
int real_unlink(const char *) __asm__("__real_unlink");
pid_t real_waitpid(pid_t, int *, int) __asm__("__real_waitpid");
ssize_t real_write(int, const void *, size_t) __asm__("__real_write");

#endif
