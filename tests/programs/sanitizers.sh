#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sanitizers find in green threads what they are for, where the library is built with them; where only the
# program is, it is told so, in one line, once.
set -eu

: "${VERD_CONFIG:=release}" "${VERD_CC:=cc}"
[ -z "${QEMU_LD_PREFIX-}" ] || { echo "skipped: sanitizers do not run under an emulator"; exit 77; }
[ -z "${VERD_MUSL-}" ] || { echo "skipped: sanitizers do not run with musl"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/program.c" << 'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd.h>

static pthread_barrier_t both;
static int counter;
static void *volatile lost;
static void (*work)(void);

/* Both OS threads at once: whatever they do before and behind it orders them. */
static void race(void)
{
    pthread_barrier_wait(&both);
    for (int i = 0; i < 100; i++) {
        counter++;
        verd_yield();
    }
}

static void leak(void)
{
    lost = malloc(12345);
    verd_yield();
    lost = NULL;
}

static void nothing(void) {}

static void *run(void *arg)
{
    work();
    return arg;
}

/* An OS thread with green threads. */
static void *start(void *arg)
{
    for (int i = 0; i < 3; i++)
        verd_join(verd_spawn(run, NULL), NULL);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    const char *what = argc > 1 ? argv[1] : "";
    work = strcmp(what, "race") == 0 ? race : strcmp(what, "leak") == 0 ? leak : nothing;
    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, start, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    puts("at its end");
    return 0;
}
END

fail() {
    echo "$1; it wrote:"
    cat "$work/said" "$work/errors"
    exit 1
}

# $1: the sanitizer's option. Whether it links here at all, without the library.
links() {
    echo 'int main(void) { return 0; }' > "$work/empty.c"
    # shellcheck disable=SC2086
    $VERD_CC "$1" -o "$work/empty" "$work/empty.c" > "$work/errors" 2>&1 && "$work/empty" > "$work/said" 2>&1
}

build() {
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS ${1+"$1"} -o "$work/program" "$work/program.c" "$VERD_BUILD/libverd.a" -pthread \
        $VERD_LDFLAGS > "$work/errors" 2>&1 || { cat "$work/errors"; exit 1; }
}

run() {
    status=0
    "$work/program" "$@" > "$work/said" 2> "$work/errors" || status=$?
}

# Where the library is built with one. $1: what is done; $2: what the report says
finds() {
    build
    run nothing
    if [ "$status" -ne 0 ] || [ -s "$work/errors" ]; then
        fail "a report of nothing"
    fi
    run "$1"
    [ "$status" -ne 0 ] || fail "no report of a $1"
    grep -q -e "$2" "$work/errors" || fail "another report than of a $1"
    echo "a $1 is found"
}

# Where it is not. $1: the sanitizer's option; $2: its name
is_told() {
    links "$1" || { echo "$2 does not link here"; return 0; }
    build "$1"
    run nothing
    grep -qx 'at its end' "$work/said" || fail "$2: the program did not get to its end"
    [ "$(grep -c '^libverd: ' "$work/errors")" -eq 1 ] || fail "$2: not one line"
    grep -q "^libverd: $2 is in this program, and not in its libverd" "$work/errors" || fail "$2: another line"
    tried=$((tried + 1))
}

tried=0
case $VERD_CONFIG in
asan) finds leak 'in leak ' ;;
tsan) finds race 'ThreadSanitizer: data race' ;;
*)
    export TSAN_OPTIONS=report_bugs=0
    build
    run nothing
    if [ "$status" -ne 0 ] || [ -s "$work/errors" ]; then
        fail "a line, where there is no sanitizer"
    fi
    is_told -fsanitize=address AddressSanitizer
    is_told -fsanitize=thread ThreadSanitizer
    case $($VERD_CC --version) in *clang*) is_told -fsanitize=memory MemorySanitizer ;; esac
    [ "$tried" -gt 0 ] || { echo "skipped: the compiler links no sanitizer"; exit 77; }
    echo "$tried sanitizers are told of"
    ;;
esac
