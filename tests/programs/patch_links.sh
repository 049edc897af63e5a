#!/bin/sh
# SPDX-License-Identifier: MIT
#
# However a program is linked, what pkg-config says of verd-patch makes its calls green, and those of its static and
# shared libraries; and verd_patch_check tells where it does not.
set -eu

: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_CC:=cc}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -Iinclude}" "${VERD_LDFLAGS:=}" "${VERD_CONFIG:=release}"
command -v pkg-config > /dev/null || { echo "skipped: there is no pkg-config"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
built=0

fail() {
    echo "patch_links: $*"
    exit 1
}

# A library, which is compiled without a word of green threads: fortified, and with large files' names.
cat > "$work/library.c" << 'END'
#define _FILE_OFFSET_BITS 64
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The compiler knows the buffer's size, and not that of what is read. */
long READ(int fd, size_t size)
{
    char buffer[64];
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    if (poll(&entry, size, -1) != 1)
        return -1;
    return read(fd, buffer, size) == 1 ? (long)recv(fd, buffer, size, 0) : -1;
}
END
cat > "$work/program.c" << 'END'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <verd.h>
#include <verd/patch.h>
#define VERD_PTHREAD_DECLARE_ONLY
#include <verd/pthread.h>

long shared_read(int fd, size_t size), static_read(int fd, size_t size);

static long own_read(int fd, size_t size)
{
    char byte[2];
    return read(fd, &byte[0], size) == 1 ? (long)read(fd, &byte[1], size) : -1;
}

static long (*const reads[3])(int, size_t) = {own_read, static_read, shared_read};
static int pairs[3][2], told;

static void *wait_for_bytes(void *arg)
{
    int which = (int)(intptr_t)arg;
    told++;
    return (void *)(intptr_t)reads[which](pairs[which][0], 1);
}

/* If one of them held the OS thread, nobody would ever write. */
static int read_all(void)
{
    verd_thread *readers[3];
    intptr_t sum = 0;
    for (intptr_t i = 0; i < 3; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) != 0)
            return -1;
        readers[i] = verd_spawn(wait_for_bytes, (void *)i);
    }
    while (told < 3)
        verd_yield();
    for (int twice = 0; twice < 2; twice++) {
        verd_yield();
        for (int i = 0; i < 3; i++)
            if (write(pairs[i][1], "x", 1) != 1)
                return -1;
    }
    for (int i = 0; i < 3; i++) {
        void *got = NULL;
        if (verd_wait(readers[i], &got) != 0)
            return -1;
        sum += (intptr_t)got;
    }
    return (int)sum;
}

static void *block(void *arg)
{
    char byte;
    (void)!read(*(int *)arg, &byte, 1);
    return NULL;
}

/* An OS thread that has no green threads is cancelled where it waits. */
static int cancel_reader(void)
{
    pthread_t reader;
    void *result = NULL;
    int fds[2];
    if (pipe(fds) != 0 || pthread_create(&reader, NULL, block, &fds[0]) != 0)
        return -1;
    pthread_cancel(reader);
    pthread_join(reader, &result);
    return result == PTHREAD_CANCELED ? 0 : -1;
}

/* A green one of POSIX's likewise, in a library that knows nothing of it. */
static int cancel_green(intptr_t which)
{
    pthread_t reader;
    void *result = NULL;
    told = 0;
    if (verd_pthread_create(&reader, NULL, wait_for_bytes, (void *)which) != 0)
        return -1;
    while (told == 0)
        verd_yield();
    verd_pthread_cancel(reader);
    verd_pthread_join(reader, &result);
    return result == PTHREAD_CANCELED ? 0 : -1;
}

int main(int argc, char **argv)
{
    const char *missed[128];
    size_t count = verd_patch_check(missed, 128);
    alarm(60);
    if (argc > 1 && strcmp(argv[1], "off") == 0)
        return verd_patch_on() || !verd_patch_off();
    if (count > 128 || cancel_reader() != 0)
        return puts("no point of cancellation"), 1;
    for (size_t i = 0; i < count; i++)
        printf("%s ", missed[i]);
    puts("");
    if (argc > 1)
        return 0;
    return read_all() == 3 && cancel_green(0) == 0 && cancel_green(2) == 0 ? 0 : 1;
}
END

# Without the checks of sanitizers, which change what is linked and how.
in_static='getaddrinfo gethostbyname2 gethostbyname2_r system popen pclose gethostbyname gethostbyname_r '
install_log=$(make -s install PREFIX="$work/there" 2>&1) || fail "install: $install_log"
flags=$(PKG_CONFIG_PATH=$work/there/lib/pkgconfig pkg-config --libs verd-patch)

compile() {
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -w "$@" || fail "cannot compile: $*"
}
link() {
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -w -o "$work/program" "$@" $VERD_LDFLAGS > "$work/log" 2>&1
}

# $1: what is missed. $2: where what pkg-config says is to be. The rest are flags.
try() {
    missed=$1 place=$2
    shift 2
    built=$((built + 1))
    case " $* $VERD_LDFLAGS $VERD_CC " in
    *' -static'*) libraries="$work/library.a $work/shared.a" ;;
    *) libraries="$work/library.a $work/shared.so" ;;
    esac
    compile "$@" -c -o "$work/program.o" "$work/program.c"
    case $place in
    # shellcheck disable=SC2086
    first) link "$@" $flags "$work/program.o" $libraries || fail "$*, first: $(cat "$work/log")" ;;
    # shellcheck disable=SC2086
    last) link "$@" "$work/program.o" $libraries $flags || fail "$*, last: $(cat "$work/log")" ;;
    # shellcheck disable=SC2086
    between) link "$@" "$work/program.o" $flags $libraries || fail "$*: $(cat "$work/log")" ;;
    esac
    said=$("$work/program") || fail "with $*, $place: $said"
    [ "$said" = "$missed" ] || fail "with $*, $place, it misses $said"
    VERD_PATCH=off "$work/program" off || fail "with $*: VERD_PATCH=off is not heard"
}

fortify='-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'
case $VERD_CONFIG in
release | lto) ;;
*) fortify= ;;
esac
# shellcheck disable=SC2086
compile $fortify -DREAD=static_read -c -o "$work/library.o" "$work/library.c"
ar rc "$work/library.a" "$work/library.o" # the compiler's own ar is not needed: there is one file
# shellcheck disable=SC2086
compile $fortify -fno-lto -DREAD=shared_read -c -o "$work/shared.o" "$work/library.c"
ar rc "$work/shared.a" "$work/shared.o"

case " $VERD_LDFLAGS $VERD_CC " in
*' -static'*)
    for place in first last between; do try "$in_static" $place; done
    try "$in_static" last -Wl,--gc-sections
    echo "patch_links: $built programs"
    exit
    ;;
esac
# shellcheck disable=SC2086
compile $fortify -fPIC -fno-lto -shared -DREAD=shared_read -o "$work/shared.so" "$work/library.c"

for place in first last between; do
    try '' $place
    try '' $place -Wl,--as-needed
    try '' $place -Wl,--gc-sections -Wl,-z,now
done
try '' last -fPIE -pie -Wl,-z,text -Wl,-z,now
try '' last -fno-pie -no-pie
try '' last -Wl,--no-as-needed -rdynamic
for linker in lld gold; do
    ! $VERD_CC -fuse-ld=$linker -Wl,--version > /dev/null 2>&1 || [ "$VERD_CONFIG" = lto ] ||
        try '' last -fuse-ld=$linker -Wl,--gc-sections
done
case $VERD_CONFIG in
release)
    try '' last -O2 -flto
    # shellcheck disable=SC2086
    try '' last $fortify
    for place in first last between; do
        try "$in_static" $place -static
        try "$in_static" $place -static -Wl,--gc-sections
    done
    [ -n "${VERD_MUSL-}" ] || try "$in_static" last -fPIE -static-pie
    ;;
esac

# What a program does not export is told of, and a mere archive is not silently left out.
link "$work/program.o" "$work/library.a" "$work/shared.so" $flags -Wl,--exclude-libs,ALL ||
    fail "--exclude-libs: $(cat "$work/log")"
"$work/program" check | grep -q '^read ' || fail "a name that is not exported is called ours"
# A sanitizer's runtime may come before it, and be one of its users.
! link -L"$work/there/lib" -lverd-patch "$work/program.o" "$work/library.a" "$work/shared.so" -l:libverd.a -pthread ||
    [ -z "$("$work/program")" ] || fail "an archive before its users is silently left out"
echo "patch_links: $built programs"
