#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gdb, with the script that is installed beside the library, shows what green threads there are in a live process and
# in a core file, goes to each, and finds all of its frames: whatever it waits for, where it runs, while nobody runs,
# and in a program that debuggers have nothing to read in but the library's own description.
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}" "${VERD_BUILD:=build/$VERD_ARCH-release}" "${VERD_NM:=nm}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -g -Iinclude}"
scratch=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator" 2> /dev/null || true; rm -rf "$scratch"' EXIT

skip() {
    echo "debugger_threads: $1"
    exit 77
}

if [ "$VERD_ARCH" = "$(uname -m)" ]; then
    gdb=gdb static=
else
    gdb=gdb-multiarch static=-static # else gdb would have to find the emulated one's libraries
    command -v "qemu-$VERD_ARCH" > /dev/null || skip "there is no qemu-$VERD_ARCH"
fi
command -v "$gdb" > /dev/null || skip "there is no $gdb"
[ "$("$gdb" -nx -batch -ex 'python print(gdb.Frame.level != None)' 2> /dev/null)" = True ] ||
    skip "$gdb has no Python, or is older than 11"

# Of the OS thread behind main nobody runs when main's thread 4 has started.
cat > "$scratch/threads.c" << 'END'
#include <pthread.h>
#include <unistd.h>
#include <verd.h>

#include "sched/scheduler.h"

verd_mutex lock = VERD_MUTEX_INIT;
int ends[2];
struct verd__scheduler *_Atomic others;

__attribute__((noinline)) long read_below(int depth)
{
    char byte;
    volatile long local = depth * 11;
    if (depth > 0)
        return read_below(depth - 1) + local;
    return verd_read(ends[0], &byte, 1) + local;
}

void *reader(void *arg)
{
    return read_below(3) == 0 ? arg : NULL;
}

void *holder(void *arg)
{
    verd_mutex_lock(&lock);
    return verd_sleep(1000 * VERD_SEC) == 0 ? arg : NULL;
}

void *locker(void *arg)
{
    verd_mutex_lock(&lock);
    return verd_mutex_unlock(&lock) == 0 ? arg : NULL;
}

void *late(void *arg)
{
    return arg;
}

__attribute__((noinline)) void stop_here(const char *how)
{
    if (how[0] == 'c')
        __builtin_trap(); /* here, and not in the C library, through which gdb may find no way */
    __asm__ volatile("");
}

void *runner(void *how)
{
    verd_spawn(late, NULL);
    stop_here(how);
    return NULL;
}

void *sleeper(void *arg)
{
    return verd_sleep(1000 * VERD_SEC) == 0 ? arg : NULL;
}

void *other(void *arg)
{
    verd_thread *thread = verd_spawn(sleeper, NULL);
    others = verd__current;
    return verd_join(thread, NULL) == 0 ? arg : NULL;
}

int main(int count, char **how)
{
    pthread_t os_thread;
    verd_attr attr = {.name = "the reader"};
    if (count < 2 || verd_self() == NULL || pipe(ends) != 0 ||
        pthread_create(&os_thread, NULL, other, NULL) != 0)
        return 1;
    verd_spawn_with(&attr, reader, NULL);
    verd_spawn(holder, NULL);
    verd_spawn(locker, NULL);
    while (others == NULL || *(void *volatile *)&others->idle.sp == NULL)
        verd_sleep(VERD_MS);
    return verd_join(verd_spawn(runner, how[1]), NULL);
}
END
# Words, not a word: the compiler and its flags.
$VERD_CC $VERD_CFLAGS -Icore -I"arch/$VERD_ARCH" -O0 $static -o "$scratch/threads" "$scratch/threads.c" \
    "$VERD_BUILD/libverd.a" -pthread ${VERD_LDFLAGS-}
strip=${VERD_NM%nm}strip
command -v "$strip" > /dev/null || strip=strip
"$strip" -g -o "$scratch/plain" "$scratch/threads"
"$strip" -o "$scratch/stripped" "$scratch/threads"

failed=0
[ -z "${VERD_MUSL-}" ] || idle=

# Asks gdb about a program: what it says is in $log then.
ask() {
    what=$1 program=$2 log=$scratch/$1.log
    shift 2
    timeout 300 "$gdb" -nx -batch -iex 'set auto-load python-scripts off' -iex 'set debuginfod enabled off' \
        -ex 'set confirm off' -ex 'set width 0' -ex 'source core/debug/verd-gdb.py' \
        "$@" "$scratch/$program" > "$log" 2>&1 < /dev/null || true
}

# $1: what it shall have said, a pattern for a line
expect() {
    grep -Eq -e "$1" "$log" && return
    echo "debugger_threads: $what: there is no line '$1'"
    failed=1
}

expect_frame() {
    expect "^#[0-9]+ +(0x[0-9a-f]+ in )?$1 \("
}

expect_no_trouble() {
    ! grep -E 'corrupt|Backtrace stopped|Cannot access memory|Python' "$log" || failed=1
}

# What there is to be seen of all threads, with debug information.
check_table() {
    span='for [0-9]+\.[0-9] s'
    expect "^  1\.0 +\(main\) .* waits for the end of a thread, $span, thread 4\$"
    expect "^  1\.1 +\"the reader\" +[0-9.]+K of [0-9]+K +main \(threads.c:[0-9]+\) +waits for input from descriptor [0-9]+, $span\$"
    expect "^  1\.2 +holder .* waits for a point in time, $span\$"
    expect "^  1\.3 +locker .* waits for a mutex, $span, at 0x[0-9a-f]+ \(lock\), held by thread 2\$"
    expect "^\* 1\.4 +runner +[0-9.]+K of [0-9]+K +main \(threads.c:[0-9]+\) +runs\$"
    expect "^  1\.5 +late +- +runner \(threads.c:[0-9]+\) +has not started\$"
    expect "^  2\.0 +\(main\) .* waits for the end of a thread, $span, thread 1\$"
    expect "^\* 2\.1 +sleeper .* waits for a point in time, $span\$"
}

# What is asked of a process, and what is to be seen then. Thread 1 comes from its function to the call that waits;
# one that idles is seen by `verd`, and what its OS thread does is charged to nobody.
all_questions() {
    "$@" -ex 'info verd' -ex 'verd 1.1' -ex 'frame function read_below' -ex up -ex 'info locals' -ex 'info threads' -ex 'frame function reader' \
        -ex 'info verd' -ex 'verd off' -ex 'verd apply all bt' -ex 'verd apply 2.0-1 1.1 bt 1' -ex 'thread apply all bt'
}
check_all() {
    check_table
    expect '^\[Green thread 1\.1 "the reader" waits for input'
    expect '^local = 11$'
    expect '^\* 1\.1 +"the reader"'
    [ "$(grep -Ec '^#[0-9]+ .*read_below \(depth=' "$log")" -ge 6 ] || expect 'so many frames of read_below'
    # Not through musl, which comes without unwind tables.
    for name in verd_read reader holder locker runner main other sleeper ${idle-verd_idle}; do
        expect_frame "$name"
    done
    expect '^\(no frames: it is to call late\)$'
    expect_no_trouble
    # From sleeper's last frame to verd_idle's there is nothing of it.
    awk '/^Thread|^Green/ { seen = 0 } / (sleeper|other) \(/ { seen = 1 } / verd_idle \(/ && seen { exit 1 }' "$log" ||
        expect 'an idle OS thread that ends in verd_idle'
}

# What is to be seen in a core file without the stacks: which threads there are, and why no more.
check_lost() {
    lost='its stack is not in the core file'
    for number in 1.1 1.2 1.3 2.1; do
        expect "^[* ] $number +\? +\? +- +(can run or waits|waits|runs): $lost\$"
    done
    expect "^\* 1\.4 +\? +\? +- +runs: $lost\$"
    expect '^  1\.0 +\(main\) .* waits for the end of a thread, '
    expect '^  1\.5 +late +- +runner \(threads.c:[0-9]+\) +has not started$'
    expect "^\(no frames: $lost\)\$"
    # The one that ran had its registers with the OS thread.
    expect '^#0 .* stop_here \('
    ! grep -E 'Python|1[.]1 .*K of' "$log" || failed=1
}

# ---- a live process, and a core file ----

dump_core() (
    cd "$scratch"
    ulimit -c unlimited
    "$@" ./threads core > /dev/null 2>&1
)
if [ "$gdb" = gdb ]; then
    # gdb would write the shadow of AddressSanitizer and ThreadSanitizer, too: terabytes.
    case ${VERD_CONFIG-} in
    asan | tsan | msan) then_what= ;;
    *) then_what="gcore $scratch/of_gdb" ;;
    esac
    all_questions ask live threads -ex 'break stop_here' -ex 'run live' -ex "$then_what"
    { dump_core env; } 2> /dev/null || true
    core=$(find "$scratch" -name 'core*' | head -n 1)
else
    "qemu-$VERD_ARCH" -cpu cortex-a72 -g "$scratch/socket" "$scratch/threads" live > /dev/null 2>&1 &
    emulator=$!
    while [ ! -S "$scratch/socket" ]; do
        sleep 0.1
    done
    all_questions ask live threads -ex "target remote $scratch/socket" -ex 'break stop_here' -ex continue
    { dump_core "qemu-$VERD_ARCH" -cpu cortex-a72; } 2> /dev/null || true
    core=$(find "$scratch" -name 'qemu_*.core')
fi
if ! grep -q '^  *Id ' "$log"; then
    tail -n 3 "$log"
    skip "$gdb cannot trace a process here"
fi
check_all

if [ ! -s "$core" ]; then
    echo 'debugger_threads: no core file is written here, so only the live process was looked at'
    exit "$failed"
fi
all_questions ask core threads -ex "core-file $core"
check_all

# gdb's own core files lack stacks whose guards are within a mapping: it stops at what it cannot read.
if [ -s "$scratch/of_gdb" ]; then
    all_questions ask gcore threads -ex "core-file $scratch/of_gdb"
    if grep -q 'Memory read failed' "$scratch/live.log"; then
        check_lost
    else
        check_table
    fi
fi

# Without debug information of anything; and without a single name.
ask plain plain -ex "core-file $core" -ex 'info verd' -ex 'verd 1.1' -ex bt -ex 'verd 2.1' -ex bt
expect '^  1\.3 +locker .* waits for a mutex, .*, held by thread 2$'
for name in verd_read read_below reader sleeper; do
    expect_frame "$name"
done
expect_no_trouble
ask stripped stripped -ex "core-file $core" -ex 'info verd' -ex 'verd 1.1' -ex bt
expect '^  1\.3 +0x[0-9a-f]+ .* waits for a mutex, .*, held by thread 2$'
[ "$(grep -c '^#[0-9]' "$log")" -ge 8 ] || expect 'at least eight frames'

# The program itself says which script gdb is to load.
"$gdb" -nx -batch -ex 'info auto-load python-scripts' "$scratch/threads" > "$log" 2>&1
expect '^(Yes|No) +/usr/share/gdb/auto-load/verd-gdb.py *$'

[ "$failed" = 0 ] || {
    [ -z "${V-}" ] || cat "$scratch/live.log"
    exit 1
}
