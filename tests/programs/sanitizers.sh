#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sanitizers find in green threads what they are for, where the library is built with them; where only the
# program is, it is told so, in one line, once. And so does memcheck, with CONFIG=memcheck.
set -eu

: "${VERD_CONFIG:=release}" "${VERD_CC:=cc}"
[ -z "${QEMU_LD_PREFIX-}" ] || { echo "skipped: sanitizers do not run under an emulator"; exit 77; }
[ -z "${VERD_MUSL-}" ] || { echo "skipped: sanitizers do not run with musl"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

source=tests/programs/sanitizers/faults.c

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
    $VERD_CC $VERD_CFLAGS ${1+"$1"} -o "$work/program" "$source" "$VERD_BUILD/libverd.a" -pthread \
        $VERD_LDFLAGS > "$work/errors" 2>&1 || { cat "$work/errors"; exit 1; }
}

run() {
    status=0
    # shellcheck disable=SC2086
    $watched "$work/program" "$@" > "$work/said" 2> "$work/errors" || status=$?
}

# $1, $2: the program's; $3: what the report is called; then the functions that are to be on its top, of which the first
# has the line with the mark $1. All of it stands as often as $times says.
finds() {
    what=$1 where=$2 title=$3
    line=$(grep -n "/\* $what \*/" "$source" | cut -d: -f1)
    shift 3
    run "$what" "$where"
    [ "$status" -ne 0 ] || fail "no report of the $what in a $where"
    grep -q -e "$title" "$work/errors" || fail "another report than of the $what in a $where"
    # The reports' stacks, a frame a line: number, function, place. Memcheck has no numbers, but only the first is "at".
    sed -i -E 's/^==[0-9]+== +at 0x/#0 0x/; s/^==[0-9]+== +by 0x/#1 0x/; s/: ([a-zA-Z_]+) \((.*)\)$/ in \1 \2/' "$work/errors"
    sed -nE 's/^ *#([0-9]+) (0x[0-9a-fA-F]+ in )?([^ ]+) ([^ ]+).*/\1 \3 \4/p' "$work/errors" > "$work/frames"
    number=0
    for function; do
        pattern="^$number $function .*"
        [ "$number" -gt 0 ] || [ -z "$line" ] || pattern="$pattern/faults\.c:$line(:|$)"
        [ "$(grep -cE "$pattern" "$work/frames")" -ge "${times:-1}" ] ||
            fail "the $what in a $where: not ${times:-1} stacks with $function at $number"
        number=$((number + 1))
    done
    echo "$what in a $where: found"
}

# $1: where. Nothing is to be reported.
finds_nothing() {
    run orderly "$1"
    if [ "$status" -ne 0 ] || [ -s "$work/errors" ]; then
        fail "a report of nothing in a $1"
    fi
}

# Where it is not. $1: the sanitizer's option; $2: its name
is_told() {
    links "$1" || { echo "$2 does not link here"; return 0; }
    build "$1"
    run orderly thread
    grep -qx 'at its end' "$work/said" || fail "$2: the program did not get to its end"
    [ "$(grep -c '^libverd: ' "$work/errors")" -eq 1 ] || fail "$2: not one line"
    grep -q "^libverd: $2 is in this program, and not in its libverd" "$work/errors" || fail "$2: another line"
    tried=$((tried + 1))
}

find_with_asan() {
    for returns in 0 1; do
        export ASAN_OPTIONS="${given-}:detect_stack_use_after_return=$returns"
        for place in thread context; do
            finds_nothing $place
            finds overflow $place stack-buffer-overflow write_behind overflow
            [ $returns = 0 ] || finds use_after_return $place stack-use-after-return use_after_return
        done
    done
    finds leak thread 'LeakSanitizer: detected' '[a-z_]*malloc' leak
}

find_with_tsan() {
    finds_nothing thread
    finds_nothing context
    times=2
    finds race thread 'ThreadSanitizer: data race' race run
}

find_with_msan() {
    for place in thread context; do
        finds_nothing $place
        finds uninitialised $place use-of-uninitialized-value branch uninitialised
    done
}

find_with_memcheck() {
    watched='valgrind -q --fullpath-after= --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite'
    command -v valgrind > /dev/null || { echo "skipped: there is no valgrind"; exit 77; }
    for place in thread context; do
        finds_nothing $place
        finds uninitialised $place 'Conditional jump .* uninitialised' branch
    done
    finds leak thread 'definitely lost' malloc leak
}

tried=0 watched=
case $VERD_CONFIG in
asan | tsan | msan | memcheck)
    given=${ASAN_OPTIONS-}
    build -O1
    "find_with_$VERD_CONFIG"
    ;;
*)
    export TSAN_OPTIONS=report_bugs=0 MSAN_OPTIONS=report_umrs=0
    build
    run orderly thread
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
