#!/bin/sh
# SPDX-License-Identifier: MIT
#
# With VERD_THREADS=os each green thread has an OS thread of its own, and a tool that knows nothing of green threads,
# valgrind's helgrind, finds what is wrong between them, and nothing where all is right; so does ThreadSanitizer, in a
# library that is not built with it. What the build or the setting does not allow is told in one line.
set -eu

: "${VERD_BUILD:?}" "${VERD_CONFIG:=release}" "${VERD_CC:=cc}" "${VERD_CFLAGS:=-Iinclude}" "${VERD_LDFLAGS:=}"
unset VERD_THREADS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*"
    exit 1
}

cat > "$work/program.c" << 'END'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int own;
static int counter;

static void *count(void *mutex)
{
    for (int i = 0; i < 3; i++) {
        verd_mutex_lock(mutex);
        counter++;
        verd_sleep(VERD_MS / 10);
        verd_mutex_unlock(mutex);
        verd_yield();
    }
    return NULL;
}

static void *pass_on(void *ends)
{
    char byte;
    while (verd_read(((int *)ends)[0], &byte, 1) == 1)
        verd_write(((int *)ends)[1], &byte, 1);
    verd_close(((int *)ends)[1]);
    return NULL;
}

/* A lock, two pipes, a pool. */
static void all_is_right(void)
{
    static verd_mutex mutex;
    verd_pool *pool = verd_pool_new(2);
    int in[2], out[2], ends[2];
    char text[4] = "";
    verd_pipe(in), verd_pipe(out);
    ends[0] = in[0], ends[1] = out[1];
    verd_release(verd_spawn(pass_on, ends));
    for (int i = 0; i < 4; i++)
        verd_release(verd_pool_spawn(pool, count, &mutex));
    verd_write(in[1], "abc", 3);
    verd_close(in[1]);
    verd_read_full(out[0], text, 3, NULL);
    verd_pool_wait_all(pool);
    verd_pool_free(pool);
    printf("%d %s\n", counter, text);
}

static void *ask(void *text)
{
    strcpy(text, "cba");
    return text;
}

static void on_another_os_thread(void)
{
    static char text[4];
    void *result = NULL;
    verd_offload(ask, text, &result);
    printf("%s\n", (char *)result);
}

static void *lock(void *order)
{
    pthread_mutex_t *a = order ? &second : &first, *b = order ? &first : &second;
    pthread_mutex_lock(a);
    pthread_mutex_lock(b);
    pthread_mutex_unlock(b);
    pthread_mutex_unlock(a);
    return NULL;
}

/* One after the other: so it is no deadlock yet. */
static void wrong_order(void)
{
    verd_join(verd_spawn(lock, NULL), NULL);
    verd_join(verd_spawn(lock, ""), NULL);
}

static void *write_alone(void *arg)
{
    counter++;
    return arg;
}

static void *write_green(void *arg)
{
    verd_sleep(VERD_MS);
    counter++;
    return arg;
}

/* Of a green thread and an OS thread. */
static void race(void)
{
    pthread_t other;
    verd_thread *green = verd_spawn(write_green, NULL);
    verd_yield();
    pthread_create(&other, NULL, write_alone, NULL);
    verd_join(green, NULL);
    pthread_join(other, NULL);
}

static void *look(void *seen)
{
    *(int *)seen = gettid() != getpid() && own++ == 0;
    verd_yield();
    return NULL;
}

static void apart(void)
{
    int seen[3] = {0};
    verd_thread *threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = verd_spawn(look, &seen[i]);
    for (int i = 0; i < 3; i++)
        verd_join(threads[i], NULL);
    puts(seen[0] + seen[1] + seen[2] == 3 ? "apart" : "together");
}

int main(int argc, char *argv[])
{
    (void)argc;
    if (strcmp(argv[1], "right") == 0)
        all_is_right();
    else if (strcmp(argv[1], "elsewhere") == 0)
        on_another_os_thread();
    else if (strcmp(argv[1], "order") == 0)
        wrong_order();
    else if (strcmp(argv[1], "race") == 0)
        race();
    else
        apart();
    return 0;
}
END
# $1: the program's name; else: options
build() {
    name=$1
    shift
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS "$@" "$work/program.c" "$VERD_BUILD/libverd.a" $VERD_LDFLAGS -pthread -o "$work/$name"
}

build program

# $1: what it says, on stderr too; else: variables, and the program's argument
expect() {
    said=$1
    shift
    output=$(env "$@" 2>&1) || fail "$*: status $?: $output"
    [ "$output" = "$said" ] || fail "$*: $output"
}

expect together "$work/program" apart
expect "libverd: VERD_THREADS=many is not os: green threads share their OS thread
together" VERD_THREADS=many "$work/program" apart
if [ "$VERD_CONFIG" != debug ]; then
    expect "libverd: VERD_THREADS=os needs a debug build of the library: green threads share their OS thread
together" VERD_THREADS=os "$work/program" apart
    exit
fi
expect apart VERD_THREADS=os "$work/program" apart
expect "12 abc" VERD_THREADS=os "$work/program" right

# $1: what it reports; $2: the argument
tsan() {
    status=0
    VERD_THREADS=os "$work/watched" "$2" > "$work/log" 2>&1 || status=$?
    case $1:$status in nothing:0) return ;; nothing:* | *:0) fail "tsan, $2: status $status: $(cat "$work/log")" ;; esac
    grep -q "ThreadSanitizer: $1" "$work/log" || fail "tsan, $2: $(cat "$work/log")"
}

if build watched -fsanitize=thread 2> /dev/null && "$work/watched" apart > /dev/null 2>&1; then
    tsan nothing right
    tsan nothing elsewhere
    tsan lock-order-inversion order
    tsan 'data race' race
else
    echo "without ThreadSanitizer, which does not run here"
fi

command -v valgrind > /dev/null || { echo "skipped: there is no valgrind"; exit 77; }
[ -z "${QEMU_LD_PREFIX-}" ] || { echo "skipped: valgrind does not run under an emulator"; exit 77; }

# $1: how many errors are found: none or some; $2: the argument
helgrind() {
    status=0
    VERD_THREADS=os valgrind --tool=helgrind --error-exitcode=99 "$work/program" "$2" > "$work/log" 2>&1 || status=$?
    case $1:$status in none:0 | some:99) ;; *) fail "helgrind, $2: status $status: $(cat "$work/log")" ;; esac
}

helgrind none right
helgrind none elsewhere
helgrind some order
grep -q 'lock order "0x[0-9A-F]* before 0x[0-9A-F]*" violated' "$work/log" || fail "order: $(cat "$work/log")"
helgrind some race
grep -q 'Possible data race' "$work/log" || fail "race: $(cat "$work/log")"
grep -q 'write_green' "$work/log" || fail "race: $(cat "$work/log")"
