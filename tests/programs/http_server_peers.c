/* SPDX-License-Identifier: MIT */

/* Real clients ask an HTTP server of libverd's: curl, python3's http.client, wget and ab, those of
 * them that are installed. */
#include "example.h"

#define LARGE 1000000

static int port;
static char url[64];
static size_t asked; /* clients that were there */

/* ---- the server ---- */

static int answer_large(verd_http_exchange *x, uint64_t length)
{
    char block[1000];
    memset(block, 'x', sizeof block);
    if (verd_http_begin(x, 200, length) != 0)
        return -1;
    for (size_t size = 0; size < LARGE; size += sizeof block) {
        if (verd_http_write(x, block, sizeof block) != 0)
            return -1;
    }
    return 0;
}

static int answer_echo(verd_http_exchange *x)
{
    char block[5000];
    ssize_t size;
    if (verd_http_begin(x, 200, VERD_HTTP_CHUNKED) != 0)
        return -1;
    while ((size = verd_http_read(x, block, sizeof block)) > 0) {
        if (verd_http_write(x, block, (size_t)size) != 0)
            return -1;
    }
    return (int)size;
}

static int answer(verd_http_exchange *x, void *ctx)
{
    const char *path = verd_http_path(x);
    (void)ctx;
    if (strcmp(path, "/hello") == 0)
        return verd_http_reply(x, 200, "text/plain", "hello\n", 6);
    if (strcmp(path, "/echo") == 0)
        return answer_echo(x);
    if (strcmp(path, "/large") == 0)
        return answer_large(x, LARGE);
    if (strcmp(path, "/chunks") == 0)
        return answer_large(x, VERD_HTTP_CHUNKED);
    if (strcmp(path, "/nothing") == 0)
        return verd_http_reply(x, 204, NULL, NULL, 0);
    return verd_http_reply(x, 404, "text/plain", "nothing here\n", 13);
}

/* ---- the clients ---- */

struct input {
    int fd;
    const char *bytes;
    size_t size;
};

static void *feed(void *arg)
{
    struct input *input = arg;
    verd_write_full(input->fd, input->bytes, input->size, NULL);
    verd_close(input->fd);
    return NULL;
}

/* What a client prints, which is given `input` bytes of x; NULL: it is not installed. `url` stands for
 * the server's in its arguments. */
static const char *run(const char *const *arguments, size_t input_size)
{
    static char output[2 * LARGE], input[LARGE];
    const char *argv[16] = {0};
    size_t size = 0;
    ssize_t n;
    int status;
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i] = arguments[i];
    verd_process_options options = {
        .arguments = argv, .input = VERD_PROCESS_PIPE, .output = VERD_PROCESS_PIPE};
    if (verd_spawn_process(&example, &options) != 0) {
        int error = errno;
        CHECK(error == ENOENT);
        return NULL;
    }
    memset(input, 'x', sizeof input);
    struct input in = {example.input, input, input_size};
    verd_thread *feeder = verd_spawn(feed, &in);
    while ((n = verd_read(example.output, output + size, sizeof output - 1 - size)) > 0)
        size += (size_t)n;
    output[size] = '\0';
    verd_join(feeder, NULL);
    verd_close(example.output);
    CHECK(verd_process_wait(&example, &status) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) /* how the emulator says ENOENT */
        return NULL;
    if (status != 0)
        printf("%s ... ended with %d, and said: %.500s\n", arguments[0], status, output);
    CHECK(status == 0);
    return output;
}

#define RUN(input, ...) run((const char *const[]){__VA_ARGS__, NULL}, input)
#define CURL(input, ...) RUN(input, "curl", "-sS", "--max-time", "60", __VA_ARGS__)

/* The server's address with a path. */
static const char *at(const char *path)
{
    static char texts[4][96];
    static size_t next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "%s%s", url, path);
    return text;
}

static bool are_x(const char *text, size_t count)
{
    return strlen(text) == count && strspn(text, "x") == count;
}

static void ask_by_curl(void)
{
    const char *said = CURL(0, at("/hello"));
    if (said == NULL)
        return;
    CHECK(strcmp(said, "hello\n") == 0);
    CHECK(strcmp(CURL(0, "--http1.0", at("/hello")), "hello\n") == 0);
    CHECK(strcmp(CURL(0, "-w", "%{http_code}", at("/nothing")), "204") == 0);
    CHECK(strstr(CURL(0, "-I", at("/hello")), "Content-Length: 6\r\n") != NULL);
    CHECK(strstr(CURL(0, "-I", at("/chunks")), "Transfer-Encoding: chunked\r\n") != NULL);
    CHECK(are_x(CURL(0, at("/large")), LARGE));
    CHECK(are_x(CURL(0, at("/chunks")), LARGE));
    CHECK(are_x(CURL(0, "--http1.0", at("/chunks")), LARGE));
    CHECK(are_x(CURL(LARGE, "--data-binary", "@-", at("/echo")), LARGE));
    CHECK(are_x(CURL(LARGE, "-H", "Expect: 100-continue", "--data-binary", "@-", at("/echo")),
                LARGE));
    CHECK(are_x(CURL(LARGE, "-H", "Transfer-Encoding: chunked", "-T", "-", at("/echo")), LARGE));
    /* The second request goes over the first one's connection. */
    CHECK(strcmp(CURL(0, "-w", "%{num_connects} ", at("/hello"), at("/hello")),
                 "hello\n1 hello\n0 ") == 0);
    CHECK(strcmp(CURL(5, "-w", "%{num_connects} ", "-d", "@-", at("/hello"), at("/hello")),
                 "hello\n1 hello\n0 ") == 0);
    printf("curl was served\n");
    asked++;
}

static const char script[] =
    "import http.client, sys\n"
    "c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=60)\n"
    "for i in range(3):\n"
    "    c.request('GET', '/hello')\n"
    "    assert c.getresponse().read() == b'hello\\n'\n"
    "c.request('POST', '/echo', body=iter([b'a' * 10000, b'b', b'c' * 70000]),\n"
    "          encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})\n"
    "assert c.getresponse().read() == b'a' * 10000 + b'b' + b'c' * 70000\n"
    "c.request('POST', '/hello', body=b'unread' * 100)\n"
    "assert c.getresponse().read() == b'hello\\n'\n"
    "c.request('HEAD', '/large')\n"
    "r = c.getresponse()\n"
    "assert r.read() == b'' and r.getheader('Content-Length') == '1000000'\n"
    "c.request('GET', '/nothing')\n"
    "r = c.getresponse()\n"
    "assert r.status == 204 and r.read() == b''\n"
    "c.request('GET', '/missing')\n"
    "assert c.getresponse().status == 404\n"
    "print('done')\n";

static void ask_by_python(void)
{
    char number[16];
    snprintf(number, sizeof number, "%d", port);
    const char *said = RUN(0, "python3", "-c", script, number);
    if (said == NULL)
        return;
    CHECK(strcmp(said, "done\n") == 0);
    printf("python3's http.client was served\n");
    asked++;
}

static void ask_by_wget(void)
{
    const char *said = RUN(0, "wget", "-q", "-O", "-", at("/hello"), at("/hello"));
    if (said == NULL)
        return;
    CHECK(strcmp(said, "hello\nhello\n") == 0);
    CHECK(are_x(RUN(0, "wget", "-q", "-O", "-", at("/chunks")), LARGE));
    printf("wget was served\n");
    asked++;
}

static void ask_by_ab(void)
{
    const char *said = RUN(0, "ab", "-q", "-k", "-n", "2000", "-c", "50", at("/hello"));
    if (said == NULL)
        return;
    CHECK(strstr(said, "Failed requests:        0\n") != NULL);
    CHECK(strstr(said, "Keep-Alive requests:    2000\n") != NULL);
    printf("ab was served\n");
    asked++;
}

int main(void)
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    verd_http_server *server = verd_http_serve(listener, answer, NULL, NULL);
    CHECK(server != NULL);
    port = verd_port(listener);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    ask_by_curl();
    ask_by_python();
    ask_by_wget();
    ask_by_ab();
    CHECK(verd_http_stop(server, VERD_FOREVER) == 0);
    CHECK(verd_http_free(server) == 0);
    if (asked > 0)
        return 0;
    printf("skipped: there is no client to be served\n");
    return 77;
}
