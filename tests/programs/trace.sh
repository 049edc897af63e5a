#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A trace is read as JSON, whatever has ended it; its slices lie on their tracks as threads have run, its arrows have
# both ends, and names are those of threads and of what they wait for.
set -eu

: "${VERD_CC:=cc}" "${VERD_BUILD:?}" "${VERD_CFLAGS:=-Iinclude}" "${VERD_LDFLAGS:=}"
if ! python3 -c 'import json' 2> /dev/null; then
    echo 'skipped: there is no python3 to read traces with'
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat > "$scratch/traced.c" << 'END'
#include <verd.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static verd_event done = VERD_EVENT_INIT;

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: not so: %s: %s\n", __LINE__, #condition, strerror(errno)); \
            exit(1); \
        } \
    } while (0)

static void *read_one(void *fd)
{
    char byte;
    return verd_read((int)(intptr_t)fd, &byte, 1) == 1 ? fd : NULL;
}

static void *set_after_a_while(void *arg)
{
    verd_sleep(VERD_MS);
    verd_event_set(&done, NULL);
    return arg;
}

/* Who is named, who is not, what is waited for, and who wakes whom. */
static void play(void)
{
    int fds[2];
    verd_attr named = {.name = "reader \"1\"\\\xff"};
    MUST(verd_pipe(fds) == 0);
    verd_thread *reader = verd_spawn_with(&named, read_one, (void *)(intptr_t)fds[0]);
    verd_thread *setter = verd_spawn(set_after_a_while, NULL);
    verd_cancel(verd_spawn(set_after_a_while, NULL));
    MUST(verd_event_wait(&done, NULL) == 0);
    MUST(verd_join(setter, NULL) == 0);
    MUST(verd_write(fds[1], "x", 1) == 1);
    MUST(verd_join(reader, NULL) == 0);
    verd_close(fds[0]);
    verd_close(fds[1]);
    verd_event_reset(&done);
}

static void *hold(void *arg)
{
    verd_event_wait(&done, NULL);
    return arg;
}

static void *yield_for_ever(void *arg)
{
    for (;;)
        verd_yield();
    return arg;
}


static __thread verd_event own = VERD_EVENT_INIT;

static void sleep_and_set(void *arg)
{
    verd_sleep(100 * VERD_US);
    verd_event_set(arg, NULL);
}

static void *live(void *arg)
{
    for (int i = 0; i < 200; i++) {
        MUST(verd_spawn_n(sleep_and_set, &own) == 0);
        MUST(verd_event_wait(&own, NULL) == 0);
        verd_event_reset(&own);
    }
    return arg;
}

static void many(void)
{
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        MUST(pthread_create(&threads[i], NULL, live, NULL) == 0);
    live(NULL);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
}

static void spin(long turns)
{
    verd_spawn(yield_for_ever, NULL);
    while (turns-- != 0)
        verd_yield();
}

int main(int argc, char **argv)
{
    const char *scene = argv[1], *path = argv[2];
    MUST(argc == 3);
    if (strcmp(scene, "environment") != 0)
        MUST(verd_trace_start(path) == 0);
    if (strcmp(scene, "stop") == 0 || strcmp(scene, "exit") == 0 ||
        strcmp(scene, "environment") == 0) {
        play();
        verd_spawn(hold, NULL);
        verd_yield();
    } else if (strcmp(scene, "again") == 0) {
        MUST(verd_trace_start(path) == -1 && errno == EBUSY);
        spin(10);
        MUST(verd_trace_stop() == 0);
        MUST(verd_trace_stop() == -1 && errno == EINVAL);
        spin(1000);
        MUST(verd_trace_start(path) == 0);
        play();
    } else if (strcmp(scene, "many") == 0) {
        many();
    } else if (strcmp(scene, "fork") == 0) {
        play();
        pid_t child = fork();
        play();
        if (child == 0)
            exit(0);
        int status;
        MUST(verd_waitpid(child, &status, 0) == child && status == 0);
    } else if (strcmp(scene, "spin") == 0) {
        spin(-1);
    } else if (strcmp(scene, "full") == 0) {
        struct rlimit limit = {300000, 300000};
        MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        spin(10000);
        MUST(verd_trace_stop() == -1 && errno == EFBIG);
        spin(100);
    } else if (strcmp(scene, "long") == 0) {
        spin(10000);
        MUST(verd_trace_stop() == 0);
    }
    if (strcmp(scene, "stop") == 0)
        MUST(verd_trace_stop() == 0);
    return 0;
}
END

cat > "$scratch/check.py" << 'END'
import json, sys
from collections import defaultdict

def load(path):
    """As viewers do: what is behind the last event is left out, and the array closed."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    try:
        return json.loads(text), True
    except ValueError:
        return json.loads(text[:text.rindex('}') + 1] + ']'), False

def check_slices(events):
    """Turns and looks of a hub follow one another; what a track has does not overlap."""
    hubs, tracks = defaultdict(list), defaultdict(list)
    for e in events:
        if e['ph'] != 'X':
            continue
        assert e['dur'] >= 0 and e['ts'] >= 0 and e['name'], e
        tracks[e['pid'], e['tid']].append(e)
        if e['cat'] in ('turn', 'hub'):
            hubs[e['pid']].append(e)
    for slices in list(hubs.values()) + list(tracks.values()):
        slices.sort(key=lambda e: (e['ts'], e['dur']))
        for before, e in zip(slices, slices[1:]):
            assert before['ts'] + before['dur'] <= e['ts'] + 0.0005, (before, e)
    return tracks

def check_arrows(events, tracks):
    """Each leads from within a slice to the beginning of a turn."""
    ends = defaultdict(dict)
    for e in events:
        if e['ph'] in 'sf':
            assert e['ph'] not in ends[e['id']], e
            ends[e['id']][e['ph']] = e
    for arrow in ends.values():
        assert set(arrow) == {'s', 'f'}, arrow
        s, f = arrow['s'], arrow['f']
        assert any(x['ts'] <= s['ts'] < x['ts'] + x['dur'] for x in tracks[s['pid'], s['tid']]), s
        assert any(x['ts'] == f['ts'] and x['cat'] == 'turn' for x in tracks[f['pid'], f['tid']]), f
    return [a['s']['name'] for a in ends.values()]

def check_names(events, arrows):
    turns = {e['name'] for e in events if e.get('cat') == 'turn'}
    waits = {e['name'].rstrip('0123456789') for e in events if e.get('cat') == 'wait'}
    assert {'main', 'reader "1"\\?', 'set_after_a_while'} <= {n.split('.')[0] for n in turns}, turns
    assert {'waits for input from descriptor ', 'waits for a point in time', 'waits for an event',
            'waits for the end of a thread'} <= waits, waits
    assert {'spawn', 'wake'} == set(arrows), arrows
    assert {'idle', 'look'} & {e['name'] for e in events}
    names = {e['args']['name'] for e in events if e['ph'] == 'M' and 'name' in e['args']}
    assert {'main', 'hub', 'reader "1"\\?'} <= names, names

def check_cuts(path):
    with open(path, encoding='utf-8') as file:
        lines = file.read().split('\n')
    for n in range(2, len(lines) - 2):
        json.loads('\n'.join(lines[:n]).rstrip(',') + ']')

scene, path = sys.argv[1:3]
events, closed = load(path)
assert closed == (scene not in ('spin', 'full')), 'the end of the array'
tracks = check_slices(events)
arrows = check_arrows(events, tracks)
if scene in ('stop', 'exit', 'environment', 'again', 'fork'):
    check_names(events, arrows)
if scene == 'stop':
    check_cuts(path)
if scene in ('stop', 'exit', 'environment'):
    assert any(e.get('cat') == 'wait' and e['args'].get('then') == 'the trace ends'
               for e in events if 'args' in e), 'who waits still'
if scene == 'many':
    hubs = {e['pid'] for e in events if e['ph'] == 'X'}
    assert len(hubs) == 7, hubs
    for hub in hubs:
        assert sum(e['pid'] == hub and e.get('name') == 'sleep_and_set' for e in events) >= 300, hub
if scene in ('spin', 'full', 'long'):
    assert len(events) > 500, len(events)
END

# shellcheck disable=SC2086
$VERD_CC $VERD_CFLAGS -o "$scratch/traced" "$scratch/traced.c" "$VERD_BUILD/libverd.a" $VERD_LDFLAGS \
    -pthread

fail() {
    echo "trace: $1"
    cat "$scratch/errors"
    exit 1
}

# $1: the scene, $2: the file
check() {
    python3 "$scratch/check.py" "$1" "$2" 2> "$scratch/found" ||
        { cat "$scratch/found" && fail "the file of $1"; }
}

run() {
    "$scratch/traced" "$1" "$scratch/$1.json" 2> "$scratch/errors" || fail "$1"
    check "$1" "$scratch/$1.json"
}

run stop
run exit
run again
run many
VERD_TRACE="$scratch/environment.json" run environment

# The child has no trace, or one of its own.
run fork
"$scratch/traced" fork "$scratch/of.%p.json" 2> "$scratch/errors" || fail 'fork with a file each'
set -- "$scratch"/of.*.json
[ $# -eq 2 ] || fail "$# files of two processes"
for file; do
    check fork "$file"
done

# A process that is killed leaves whole events.
"$scratch/traced" spin "$scratch/spin.json" &
until [ -s "$scratch/spin.json" ] && [ "$(wc -c < "$scratch/spin.json")" -gt 200000 ]; do
    kill -0 $! 2> /dev/null || fail 'spin has ended'
done
kill -KILL $!
wait $! 2> /dev/null || :
check spin "$scratch/spin.json"

# So does one whose disk is full, and it goes on.
run full
grep -q 'libverd: the trace .*full.json ends here: File too large' "$scratch/errors" || fail 'no line'

# A trace ends as it gets as long as it may be.
export VERD_TRACE_SIZE=100000
"$scratch/traced" long "$scratch/long.json" 2> "$scratch/errors" || fail long
[ "$(wc -c < "$scratch/long.json")" -le 100000 ] || fail 'it is too long'
grep -q 'ends here: it is as long as it may be' "$scratch/errors" || fail 'no line of the length'
check long "$scratch/long.json"
