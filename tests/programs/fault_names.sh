#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the library calls of libc is either made to fail (fault/hooks.c), or known not to be able to. A
# call that is neither is to be put where it belongs.
set -eu

: "${VERD_BUILD:=.}" "${VERD_NM:=nm}"

# These cannot fail with the arguments that they get, do not return, or have nothing to fail with, or what they give is
# handed on.
infallible='
    __errno_location __libc_current_sigrtmax __libc_current_sigrtmin abort environ exit raise secure_getenv getpid sched_yield
    clock_gettime dl_iterate_phdr getauxval sysconf gmtime_r gnu_dev_makedev snprintf htonl htons ntohl ntohs inet_ntop inet_pton
    memchr memmem memcpy memmove memset memcmp bcmp
    strcasecmp strchr strcmp strcspn strlen strtoul geteuid strncasecmp strncmp strnlen strpbrk strrchr strspn strstr strtoull strerror
    sigaction sigaddset sigdelset sigemptyset sigfillset sigisemptyset sigismember sigorset sigpending
    pthread_attr_destroy pthread_attr_setdetachstate pthread_getspecific pthread_key_delete
    pthread_attr_getdetachstate pthread_attr_getstacksize pthread_attr_setstack pthread_attr_setstacksize
    pthread_barrierattr_getpshared pthread_condattr_getclock pthread_condattr_getpshared pthread_mutexattr_getpshared
    pthread_mutexattr_getrobust pthread_mutexattr_gettype pthread_rwlockattr_getkind_np pthread_rwlockattr_getpshared
    pthread_exit pthread_getaffinity_np pthread_getattr_np pthread_getcpuclockid pthread_setaffinity_np pthread_sigqueue
    _longjmp _setjmp gettid longjmp
    pthread_cond_destroy pthread_cond_init pthread_mutex_destroy pthread_mutex_init
    pthread_mutex_lock pthread_mutex_unlock pthread_once pthread_sigmask
    ioctl isatty prctl pthread_join pthread_kill pthread_self fclose h_errno __h_errno_location
    pthread_cond_broadcast pthread_cond_signal pthread_cond_wait
    posix_spawnattr_setflags posix_spawnattr_setsigdefault posix_spawnattr_setsigmask
'
# Where there are no green threads, these names pass on to libc what they are given, errors included.
passed_on=$(sed -n 's/^#pragma redefine_extname \([a-z0-9_]*\) .*/\1/p' include/verd/posix.h)
hooks=$(sed -n 's/^HOOK[_A-Z]*.[^,]*, \([a-z0-9_]*\),.*/\1/p' tests/programs/fault/hooks.c)

# But for names of the compiler's own, and of the library's: a variable that several files share. glibc 2.38 and
# later have a second name for what reads C23's numbers.
called=$("$VERD_NM" --undefined-only --format=posix "$VERD_BUILD/libverd.a" |
    awk '$2 == "U" { sub(/^__isoc23_/, "", $1); print $1 }' | sort -u |
    grep -vE '^(verd_|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|lsan|sanitizer|aarch64|stack_chk)_|__u?divti3$)')

bad=0
complain() {
    echo "fault_names: $1"
    bad=1
}

[ -n "$called" ] || complain "$VERD_NM finds nothing in $VERD_BUILD/libverd.a"
for name in $called; do
    echo "$hooks $infallible $passed_on" | tr -s ' \n' '\n\n' | grep -qx "$name" ||
        complain "the library calls $name, which no test has fail"
done
for name in $hooks; do
    echo "$infallible" | tr -s ' \n' '\n\n' | grep -qx "$name" &&
        complain "$name is both made to fail and said to be unable to"
done
exit $bad
