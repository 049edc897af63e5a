/* SPDX-License-Identifier: MIT */

/* What does it cost to parse a request with 500 bytes of header, as a browser sends it? The floor is
 * what it takes to look at each byte once: to find the ends of the lines with memchr. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "http/parser.h"

#define FIELDS 100

static const char request[] =
    "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n"
    "Host: www.kittyhell.example\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-us,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: wp_ozh_wsa_visits=2; session=d7c8f0a1b2c3d4e5f60718293a4b5c6d; lang=en\r\n"
    "Cache-Control: max-age=0\r\n"
    "Referer: http://www.kittyhell.example/\r\n"
    "\r\n";

static char buffer[sizeof request];

/* The parser cuts up what it reads, so each time begins with a copy; both sides pay for it. */
static void receive(void)
{
    memcpy(buffer, request, sizeof request);
    __asm__ volatile("" ::: "memory");
}

static double parse(void *state, long count)
{
    static verd_http_field fields[FIELDS];
    verd_http_limits none = {0}, limits = verd__http_limits(&none);
    struct verd__head head;
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        receive();
        verd__head_init(&head, &limits, fields, false);
        if (verd__head_parse(&head, buffer, sizeof request - 1) != 200)
            abort();
    }
    return (bench_time() - start) / (double)count;
}

static double find_lines(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        receive();
        const char *line = buffer, *end = buffer + sizeof request - 1;
        while (line < end) {
            line = memchr(line, '\n', (size_t)(end - line));
            line++;
        }
    }
    return (bench_time() - start) / (double)count;
}

void bench_http_parse(void)
{
    bench_measure(&(struct bench_pair){.name = "http_parse",
                                       .unit = "ns",
                                       .floor_name = "finding the ends of its lines",
                                       .value = parse,
                                       .floor = find_lines,
                                       .count = 20000});
}
