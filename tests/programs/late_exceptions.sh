#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A C program that loads C++ as a plug-in, before its OS thread's first green thread: exceptions are each green
# thread's own, as in a program that was linked with C++; and so when it is linked with the runtime and loads its
# plug-ins later.
set -eu

: "${VERD_CC:=cc}" "${VERD_CXX:=c++}" "${VERD_BUILD:?}" "${VERD_CFLAGS:=-Iinclude}" "${VERD_LDFLAGS:=}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat > "$scratch/plugin.cc" << 'END'
#include <stdexcept>
#include <string>

// Throws and catches while others do, too; returns whether each exception was the thread's own.
extern "C" int plugin_run(int number, void (*give_way)(void))
{
    std::string own = "thrown by " + std::to_string(number);
    for (int round = 0; round < 50; round++) {
        try {
            throw std::runtime_error(own);
        } catch (const std::runtime_error &) {
            for (int i = 0; i < (number + round) % 4; i++)
                give_way();
            try {
                throw;
            } catch (const std::runtime_error &again) {
                give_way();
                if (again.what() != own)
                    return 0;
            }
        }
        give_way();
        if (std::current_exception() != nullptr || std::uncaught_exceptions() != 0)
            return 0;
    }
    return 1;
}
END

cat > "$scratch/program.c" << 'END'
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <verd.h>

#define THREADS 7

static int (*run)(int number, void (*give_way)(void));

static void *call_plugin(void *number)
{
    return (void *)(intptr_t)run((int)(intptr_t)number, verd_yield);
}

static void load(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        fprintf(stderr, "%s\n", dlerror());
    else
        *(void **)&run = dlsym(plugin, "plugin_run");
}

/* Before there are green threads, in the midst of them, or in one of them. */
static void *load_in_thread(void *path)
{
    load(path);
    return NULL;
}

int main(int argc, char *argv[])
{
    verd_thread *threads[THREADS];
    int right = 0;
    const char *when = argc > 2 ? argv[2] : "";
    if (strcmp(when, "before") == 0)
        load(argv[1]);
    verd_yield();
    if (strcmp(when, "amid") == 0)
        load(argv[1]);
    if (strcmp(when, "in a thread") == 0)
        verd_join(verd_spawn(load_in_thread, argv[1]), NULL);
    if (run == NULL)
        return 2;
    for (int i = 0; i < THREADS; i++)
        threads[i] = verd_spawn(call_plugin, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        right += verd_join(threads[i], &result) == 0 && result != NULL;
    }
    return right == THREADS ? 0 : 1;
}
END

# shellcheck disable=SC2086 # flags are words
$VERD_CXX -std=c++17 -fPIC -shared $VERD_LDFLAGS -o "$scratch/plugin.so" "$scratch/plugin.cc" 2> /dev/null || {
    echo "late_exceptions: no shared C++ can be built here"
    exit 77
}
link() {
    # shellcheck disable=SC2086 # flags are words
    $VERD_CC $VERD_CFLAGS -o "$scratch/$1" "$scratch/program.c" "$VERD_BUILD/libverd.a" -pthread -ldl \
        $VERD_LDFLAGS $2
}
failed=0
run() {
    status=0
    "$scratch/$1" "$scratch/plugin.so" "$2" || status=$?
    [ "$status" -eq 0 ] && return
    echo "late_exceptions: $1 loads C++ $2: status $status"
    failed=1
}

# AddressSanitizer looks for the runtime when the program starts, and has no throw to call if there was none.
if [ "${VERD_CONFIG:-}" != asan ]; then
    link plain ""
    run plain before
fi
link with_runtime "-Wl,--no-as-needed -lstdc++"
for when in before amid "in a thread"; do
    run with_runtime "$when"
done
exit $failed
