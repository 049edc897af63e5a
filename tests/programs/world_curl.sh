#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libcurl, as the system has it, is green with libverd-patch.a: a hundred easy handles in green threads of one OS thread
# ask at the same time, whether the server has a number or a name; and one after the other, if the patch is off.
set -eu

: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_CC:=cc}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -Iinclude}" "${VERD_LDFLAGS:=}"
[ -z "${QEMU_LD_PREFIX-}" ] || { echo "skipped: libcurl is that of this machine alone"; exit 77; }
case " $VERD_CC $VERD_LDFLAGS " in
*' -static'* | *musl*) echo "skipped: libcurl is a shared object of glibc's"; exit 77 ;;
esac
echo '#include <curl/curl.h>' | $VERD_CC -x c -E - > /dev/null 2>&1 ||
    { echo "skipped: <curl/curl.h> is not installed: make deps-world"; exit 77; }
work=$(mktemp -d)
origin=
trap 'kill $origin 2> /dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "world_curl: $*"
    exit 1
}

cat > "$work/crawl.c" << 'END'
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <verd.h>
#include <verd/patch.h>

static const char *base;
static long bodies[1000], fetched;

static size_t count(char *data, size_t size, size_t n, void *bytes)
{
    (void)data;
    *(long *)bytes += (long)(size * n);
    return size * n;
}

static CURLcode fetch(const char *url, long *bytes)
{
    char text[CURL_ERROR_SIZE] = "";
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, bytes);
    CURLcode error = curl_easy_perform(easy);
    if (error != CURLE_OK)
        printf("%s: %d %s\n", url, (int)error, text);
    curl_easy_cleanup(easy);
    return error;
}

static void fetch_page(void *number)
{
    char url[200];
    snprintf(url, sizeof url, "%s/page/%d", base, (int)(intptr_t)number);
    if (fetch(url, &bodies[(intptr_t)number]) == CURLE_OK && bodies[(intptr_t)number] == 2048)
        fetched++;
}

/* crawl URL PAGES */
int main(int argc, char **argv)
{
    const char *missed[1];
    long pages = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (verd_patch_check(missed, 1) > 0)
        return printf("%s is libc's\n", missed[0]), 1;
    base = argv[1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    verd_pool *pool = verd_pool_new((size_t)pages);
    verd_duration begun = verd_now();
    for (intptr_t i = 0; i < pages; i++)
        verd_pool_spawn_n(pool, fetch_page, (void *)i);
    verd_pool_wait_all(pool);
    verd_pool_free(pool);
    fprintf(stderr, "%ld pages in %.2f s\n", fetched, (double)(verd_now() - begun) / VERD_SEC);
    curl_global_cleanup();
    return fetched == pages ? 0 : 1;
}
END

"$VERD_BUILD/examples/origin" 0 > "$work/origin.log" 2>&1 &
origin=$!
port=
for _ in $(seq 100); do
    port=$(sed -nE 's/.*port ([0-9]+).*/\1/p' "$work/origin.log" | head -n 1)
    [ -z "$port" ] || break
    sleep 0.1
done
[ -n "$port" ] || fail "no origin: $(cat "$work/origin.log")"

# shellcheck disable=SC2086
$VERD_CC $VERD_CFLAGS -w -o "$work/crawl" "$work/crawl.c" -L"$VERD_BUILD" \
    -Wl,--whole-archive,-lverd-patch,--no-whole-archive,-l:libverd.a -pthread -lcurl $VERD_LDFLAGS

# So many pages were asked for at a time since the last look.
most() {
    "$work/ask" "http://127.0.0.1:$port/most"
}
cat > "$work/ask.c" << 'END'
#include <stdio.h>
#include <verd.h>

int main(int argc, char **argv)
{
    verd_http_response *page = argc == 2 ? verd_http_get(argv[1], NULL) : NULL;
    char *text = page != NULL ? verd_http_response_body(page, 100, NULL) : NULL;
    return text == NULL || puts(text) < 0;
}
END
# shellcheck disable=SC2086
$VERD_CC $VERD_CFLAGS -w -o "$work/ask" "$work/ask.c" "$VERD_BUILD/libverd.a" -pthread $VERD_LDFLAGS

ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
export ASAN_OPTIONS
most > /dev/null
for host in 127.0.0.1 localhost; do
    "$work/crawl" "http://$host:$port" 100 || fail "$host"
    at_once=$(most)
    echo "$host: $at_once at a time"
    [ "$at_once" -gt 1 ] || fail "of $host one page at a time was asked for"
done
VERD_PATCH=off "$work/crawl" "http://127.0.0.1:$port" 3 || fail "off"
[ "$(most)" = 1 ] || fail "they were asked at the same time with the patch off"
