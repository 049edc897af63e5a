#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each public function has a manual page, which man, mandoc and apropos take without complaint; and a comment that cannot
# become one is refused.
set -eu

: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_NM:=nm}"
if [ "$VERD_BUILD" != "build/$(uname -m)-release" ]; then
    echo 'manual_pages: the same in every build, tried in the plain one'
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "manual_pages: $*"
    failed=1
}

.ci/manual --check || fail 'some comments cannot become a page'
mkdir -p "$work/man/man3"
.ci/manual "$work/man/man3"
.ci/manual --list | sort > "$work/list"
ls "$work/man/man3" | cmp -s - "$work/list" || fail 'what is listed is not what is written'

# Those that programs call by these names are in a header other than POSIX's.
declared=$(cat $(ls include/verd/*.h | grep -v -e /posix.h -e /pthread.h))
for name in $("$VERD_NM" --extern-only --defined-only --format=posix "$VERD_BUILD/libverd.a" |
    sed -n 's/^\(verd_[a-z0-9][a-z0-9_]*\) [TtWi] .*/\1/p' | grep -v -e '^verd_posix_' -e '^verd_pthread_' | sort -u); do
    case $declared in *[\ \*]"$name("*) ;; *) continue ;; esac
    [ -s "$work/man/man3/$name.3" ] || fail "$name has no page"
done
[ "$(wc -l < "$work/list")" -ge 200 ] || fail 'there are hardly any pages'
for section in NAME SYNOPSIS DESCRIPTION 'RETURN VALUE'; do
    grep -q "^\.SH $section" "$work/man/man3/verd_sleep.3" || fail "verd_sleep(3) has no $section"
done

# $1: a comment. $2: what is said of the function behind it
expect_refusal() {
    mkdir -p "$work/tree/include/verd"
    cp include/verd/version.h "$work/tree/include/verd/"
    printf '/* The end of headers. */\n#ifndef VERD_LAST_H\n\n%s\nint verd_last(void);\n' "$1" \
        > "$work/tree/include/verd/zlast.h"
    if said=$(cd "$work/tree" && "$OLDPWD/.ci/manual" --check 2>&1); then
        fail "this is taken for a page: $1"
    fi
    case $said in *"$2"*) ;; *) fail "of '$1' it is said: $said" ;; esac
}
expect_refusal '' 'verd_last has no comment'
expect_refusal '/* No end */' 'no first sentence'
expect_refusal '/* ---- part ---- */' 'verd_last has no comment'
# Each page says all there is to say.
expect_refusal '/* Does it, or fails with errno as above. */' 'are as those above, where there are none'
expect_refusal '/* Does it, or EBADF (see above). */' 'says a part of it in another comment'
expect_refusal '/* The same without waiting. */' 'says a part of it in another comment'
for page in verd_mutex_lock verd_queue_get verd_read verd_reader_peek verd_writer_flush verd_open; do
    grep -q '^ *ECANCELED  the thread was killed' "$work/man/man3/$page.3" || fail "$page(3) lacks ECANCELED"
    ! grep -q ' as above' "$work/man/man3/$page.3" || fail "$page(3) leads to another page"
done

cd "$work/man"
if command -v lexgrog > /dev/null; then
    lexgrog man3/*.3 > "$work/log" 2>&1 || fail "lexgrog: $(grep -v ' - "' "$work/log" | head -n 3)"
fi
if command -v man > /dev/null && command -v groff > /dev/null; then
    for page in man3/*.3; do
        LC_ALL=C MANWIDTH=80 man --warnings -l "$page" 2>&1 > /dev/null
    done > "$work/log"
    [ ! -s "$work/log" ] || fail "man: $(head -n 3 "$work/log")"
fi
if command -v mandoc > /dev/null; then # a comment has no date
    mandoc -T lint -W warning $(grep -L '^\.so' man3/*.3) 2>&1 | grep -v 'missing date' > "$work/log" || true
    [ ! -s "$work/log" ] || fail "mandoc: $(head -n 3 "$work/log")"
fi
if command -v mandb > /dev/null && mandb -q -c "$work/man" > "$work/log" 2>&1; then
    apropos -M "$work/man" 'verd_sleep' | grep -q '^verd_sleep (3) *- suspends' || fail 'apropos does not find verd_sleep'
    [ "$(apropos -M "$work/man" verd | wc -l)" -ge 200 ] || fail 'apropos finds hardly any'
fi
exit $failed
