#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The archive goes into shared objects: two plug-ins that carry it and a program that has it, too, or a
# shared libverd, all have green threads at once, on two OS threads.
set -eu

: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_CC:=cc}" "${VERD_NM:=nm}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -Iinclude}" "${VERD_LDFLAGS:=}"
case " $VERD_CC $VERD_LDFLAGS " in
*' -static '*) echo "skipped: a static program loads no shared objects"; exit 77 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "shared_objects: $*"
    exit 1
}

# Nine threads that wait for each other and for the clock, with a call on somebody else's green threads
# among them.
cat > "$work/nine.c" << 'END'
#include <verd.h>

static void *wait_a_little(void *inner)
{
    int (*call)(void) = *(int (**)(void))inner;
    verd_sleep(VERD_MS);
    return (void *)(intptr_t)(call != NULL ? call() : 1);
}

/* 8 of its own, and what `inner` counts. */
int NAME(int (*inner)(void))
{
    int (*none)(void) = NULL;
    intptr_t sum = 0;
    verd_thread *threads[9];
    for (int i = 0; i < 9; i++)
        threads[i] = verd_spawn(wait_a_little, i == 4 ? &inner : &none);
    for (int i = 0; i < 9; i++) {
        void *count = NULL;
        if (verd_wait(threads[i], &count) != 0)
            return -1;
        sum += (intptr_t)count;
    }
    return (int)sum;
}
END
cat > "$work/plugin.c" << 'END'
#define NAME nine
#include "nine.c"

void *copy(void)
{
    return (void *)(intptr_t)verd_version();
}
END
cat > "$work/program.c" << 'END'
#define NAME own_nine
#include "nine.c"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static int (*nine[2])(int (*)(void));
static void *objects[2], *copies[2];
static pthread_barrier_t counted, closed;

static int one(void)
{
    return 1;
}

static int second(void)
{
    return nine[1](one);
}

static int first(void)
{
    return nine[0](second);
}

/* An OS thread that outlives the plug-ins' being closed. */
static void *count(void *total)
{
    *(int *)total = own_nine(first);
    pthread_barrier_wait(&counted);
    pthread_barrier_wait(&closed);
    return NULL;
}

static int load(int which, const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL)
        return puts(dlerror()), -1;
    *(void **)&nine[which] = dlsym(object, "nine");
    void *(*copy)(void);
    *(void **)&copy = dlsym(object, "copy");
    copies[which] = copy();
    objects[which] = object;
    return 0;
}

static int copies_in_all(void)
{
    const void *own = verd_version();
    return 1 + (copies[0] != own) + (copies[1] != own && copies[1] != copies[0]);
}

int main(int argc, char **argv)
{
    int totals[2] = {0};
    pthread_t thread;
    if (argc != 3 || load(0, argv[1]) != 0 || load(1, argv[2]) != 0)
        return 1;
    pthread_barrier_init(&counted, NULL, 2);
    pthread_barrier_init(&closed, NULL, 2);
    pthread_create(&thread, NULL, count, &totals[0]);
    totals[1] = own_nine(first);
    pthread_barrier_wait(&counted);
    printf("%d %d of %d\n", totals[0], totals[1], copies_in_all());
    dlclose(objects[0]);
    dlclose(objects[1]);
    pthread_barrier_wait(&closed);
    pthread_join(thread, NULL);
    return 0;
}
END

build() {
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -Wall -Wextra "$@" -pthread $VERD_LDFLAGS
}

# $1: the copies that there are. $2: the program
expect_copies() {
    said=$("$work/$2" "$work/one.so" "$work/two.so" 2>&1) || fail "$2: $said"
    [ "$said" = "25 25 of $1" ] || fail "$2: $said, not of $1"
}

# musl loads no plug-in whose thread-local variables it would have had to set memory apart for.
archive=$VERD_BUILD/libverd.a
own=
if ! echo '#include <features.h>' | $VERD_CC -x c -E -dM - | grep -q __GLIBC__; then
    archive=$work/build/libverd.a
    own="BUILD=$work/build SHAREABLE=-fPIC $archive"
fi
# shellcheck disable=SC2086
make -s SHARED_LIB="$work/libverd.so.0" "$work/libverd.so.0" $own > "$work/log" 2>&1 ||
    fail "no shared libverd: $(cat "$work/log")"
exported=$("$VERD_NM" -D --defined-only --format=posix "$work/libverd.so.0" | cut -d' ' -f1)
echo "$exported" | grep -qx verd_context_switch || fail "a shared libverd exports nothing"
! echo "$exported" | grep -v '^verd_[a-z]' || fail "a shared libverd exports these"

build -o "$work/with_archive" "$work/program.c" "$archive" -ldl
build -o "$work/with_shared" "$work/program.c" "$work/libverd.so.0" -Wl,-rpath,"$work" -ldl

# With a shared libverd in the program, a plug-in has its own copy only if it hides that; who optimises
# the plug-in and its copy together has to.
for hide in '' -Wl,--exclude-libs,ALL; do
    for plugin in one two; do
        build -fPIC -shared -Wl,-z,nodelete $hide -o "$work/$plugin.so" "$work/plugin.c" \
            "$archive"
    done
    expect_copies 3 with_archive
    case ${hide:-none}-${VERD_CONFIG-} in
    none-lto) ;;
    none-*) expect_copies 1 with_shared ;;
    *) expect_copies 3 with_shared ;;
    esac
done
