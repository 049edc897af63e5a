/* SPDX-License-Identifier: MIT */

/* The client asks servers that others have written: python3's http.server, a server of HTTP/1.1 made with
 * it, and nginx. Those that are not installed are left out, with a line that says so; without any, the
 * test is skipped. */
#include <verd.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/process.h"

#define LARGE 1000000
#define PATIENCE (60 * VERD_SEC)
#define SKIPPED 77

#define CHECK(condition) check((condition), #condition, __LINE__)

static char root[PATH_MAX]; /* the directory that is served */
static char large[LARGE];
static verd_process server;
static char url[256];

static void clean_up(void)
{
    static const char *const names[] = {"small",          "empty",      "large",
                                        "sub/index.html", "sub",        "nginx.conf",
                                        "nginx.pid",      "nginx.sock", "server.py"};
    char path[PATH_MAX + 32];
    if (server.pid > 0) {
        verd_process_kill(&server, SIGTERM);
        verd_process_wait(&server, NULL);
        verd_process_close(&server);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        remove(path);
    }
    remove(root);
}

static void check(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    printf("line %d: %s is not so at %s (errno %d, %s)\n", line, condition, url, errno,
           strerror(errno));
    clean_up();
    exit(1);
}

static const char *in_root(const char *name)
{
    static char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void write_file(const char *name, const char *data, size_t size)
{
    FILE *file = fopen(in_root(name), "w");
    CHECK(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/verd-http-XXXXXX");
    CHECK(mkdtemp(root) != NULL && chmod(root, 0755) == 0);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = "0123456789abcdefghijklmnopqrstuvwxyz\n"[i % 37];
    write_file("small", "hello, world", 12);
    write_file("empty", "", 0);
    write_file("large", large, LARGE);
    CHECK(mkdir(in_root("sub"), 0755) == 0);
    write_file("sub/index.html", "<p>sub</p>", 10);
}

/* Whether a program is installed, and works. */
static bool is_there(const char *program, const char *argument)
{
    int status = -1;
    const char *arguments[] = {program, argument, NULL};
    verd_process_options options = {.arguments = arguments,
                                    .input = VERD_PROCESS_NULL,
                                    .output = VERD_PROCESS_NULL,
                                    .error = VERD_PROCESS_NULL};
    verd_process process;
    bool works = verd_spawn_process(&process, &options) == 0 &&
                 verd_process_wait(&process, &status) == 0 && status == 0;
    if (!works)
        printf("without %s, which is not installed\n", program);
    return works;
}

static void start(const char *const *arguments, int output)
{
    verd_process_options options = {.arguments = arguments,
                                    .directory = root,
                                    .input = VERD_PROCESS_NULL,
                                    .output = output,
                                    .error = VERD_PROCESS_NULL};
    CHECK(verd_spawn_process(&server, &options) == 0);
}

static void stop(void)
{
    verd_http_client_close_idle(NULL);
    verd_process_kill(&server, SIGTERM);
    CHECK(verd_process_wait(&server, NULL) == 0);
    verd_process_close(&server);
}

/* The port that the server says it has. */
static int said_port(void)
{
    char line[256] = "";
    int port = 0;
    for (size_t i = 0; i < sizeof line - 1 && strchr(line, '\n') == NULL; i++)
        CHECK(verd_read(server.output, line + i, 1) == 1);
    const char *at = strstr(line, "port ");
    CHECK(at != NULL && sscanf(at, "port %d", &port) == 1);
    return port;
}

/* ---- what is asked ---- */

static const char *unix_path; /* NULL: by TCP */

static void go_to(const char *path)
{
    char *end = strchr(url + 7, '/');
    snprintf(end, (size_t)(url + sizeof url - end), "%s", path);
}

/* Whether the answer has this status and body. */
static bool answers(const char *method, const void *sent, size_t sent_size, int status,
                    const char *body, size_t size)
{
    verd_http_request_options options = {.body = sent, .size = sent_size, .unix_path = unix_path};
    verd_http_response *response = verd_http_request(method, url, &options);
    size_t got = 0;
    if (response == NULL)
        return false;
    const char *text = verd_http_response_body(response, 2 * LARGE, &got);
    bool right = text != NULL && verd_http_response_status(response) == status &&
                 (body == NULL || (got == size && memcmp(text, body, size) == 0));
    verd_http_response_free(response);
    return right;
}

static bool gets(const char *path, int status, const char *body, size_t size)
{
    go_to(path);
    return answers("GET", NULL, 0, status, body, size);
}

static void *get_some(void *arg)
{
    bool *right = arg;
    char own[256];
    snprintf(own, sizeof own, "%.200s", url);
    verd_http_request_options options = {.unix_path = unix_path};
    for (int i = 0; i < 10; i++) {
        verd_http_response *response = verd_http_get(own, &options);
        const char *text = response != NULL ? verd_http_response_body(response, 100, NULL) : NULL;
        *right = *right && text != NULL && strcmp(text, "hello, world") == 0;
        verd_http_response_free(response);
    }
    return NULL;
}

static void check_many_at_once(void)
{
    enum { MANY = 20 };
    bool right[MANY];
    verd_pool *pool = verd_pool_new(MANY);
    go_to("/small");
    for (size_t i = 0; i < MANY; i++) {
        right[i] = true;
        verd_release(verd_pool_spawn(pool, get_some, &right[i]));
    }
    CHECK(verd_pool_wait_all(pool) == 0);
    for (size_t i = 0; i < MANY; i++)
        CHECK(right[i]);
    verd_pool_free(pool);
}

static void check_files(void)
{
    for (int i = 0; i < 5; i++) {
        CHECK(gets("/small", 200, "hello, world", 12));
        CHECK(gets("/empty", 200, "", 0));
        CHECK(gets("/large", 200, large, LARGE));
        CHECK(gets("/nothing", 404, NULL, 0));
        CHECK(gets("/sub", 200, "<p>sub</p>", 10)); /* redirects to /sub/ */
        go_to("/large");
        CHECK(answers("HEAD", NULL, 0, 200, "", 0));
    }
    check_many_at_once();
}

/* ---- python3 ---- */

static void try_file_server(const char *protocol)
{
    const char *arguments[] = {"python3",   "-u",         "-m",     "http.server", "--bind",
                               "127.0.0.1", "--protocol", protocol, "0",           NULL};
    start(arguments, VERD_PROCESS_PIPE);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", said_port());
    check_files();
    stop();
    printf("python3 -m http.server, %s: fine\n", protocol);
}

/* Bodies both ways, with and without chunks, and connections that it closes without having said so. */
static const char script[] =
    "from http.server import *\n"
    "class Handler(BaseHTTPRequestHandler):\n"
    "    protocol_version = 'HTTP/1.1'\n"
    "    def log_message(self, *arguments): pass\n"
    "    def body(self):\n"
    "        if self.headers.get('Transfer-Encoding') != 'chunked':\n"
    "            return self.rfile.read(int(self.headers.get('Content-Length', 0)))\n"
    "        body = b''\n"
    "        while True:\n"
    "            size = int(self.rfile.readline(), 16)\n"
    "            body += self.rfile.read(size)\n"
    "            self.rfile.readline()\n"
    "            if size == 0: return body\n"
    "    def do_PUT(self):\n"
    "        body = self.body()\n"
    "        self.send_response(200)\n"
    "        if self.path == '/chunks':\n"
    "            self.send_header('Transfer-Encoding', 'chunked')\n"
    "            self.end_headers()\n"
    "            for i in range(0, len(body), 7000):\n"
    "                piece = body[i:i + 7000]\n"
    "                self.wfile.write(b'%x;a=b\\r\\n%s\\r\\n' % (len(piece), piece))\n"
    "            self.wfile.write(b'0\\r\\nTrailer: x\\r\\n\\r\\n')\n"
    "        elif self.path == '/end':\n"
    "            self.end_headers()\n"
    "            self.wfile.write(body)\n"
    "            self.close_connection = True\n"
    "        else:\n"
    "            self.send_header('Content-Length', str(len(body)))\n"
    "            self.end_headers()\n"
    "            self.wfile.write(body)\n"
    "            self.close_connection = self.path == '/leave'\n"
    "server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
    "print('port', server.server_port)\n"
    "server.serve_forever()\n";

struct source {
    size_t given;
};

static ssize_t give(void *ctx, void *buffer, size_t size)
{
    struct source *source = ctx;
    size_t left = LARGE - source->given;
    size = size < left ? size : left;
    memcpy(buffer, large + source->given, size);
    source->given += size;
    return (ssize_t)size;
}

static bool echoes_source(uint64_t length)
{
    struct source source = {0};
    verd_http_request_options options = {.source = give, .source_ctx = &source, .length = length};
    verd_http_response *response = verd_http_request("PUT", url, &options);
    size_t size = 0;
    const char *text = response != NULL ? verd_http_response_body(response, LARGE, &size) : NULL;
    bool right = text != NULL && size == LARGE && memcmp(text, large, LARGE) == 0;
    verd_http_response_free(response);
    return right;
}

static void try_python(void)
{
    static const char *const paths[] = {"/length", "/chunks", "/end", "/leave"};
    const char *arguments[] = {"python3", "-u", "server.py", NULL};
    write_file("server.py", script, sizeof script - 1);
    start(arguments, VERD_PROCESS_PIPE);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", said_port());
    for (size_t i = 0; i < 12; i++) {
        go_to(paths[i % 4]);
        CHECK(answers("PUT", "abc", 3, 200, "abc", 3));
        CHECK(answers("PUT", NULL, 0, 200, "", 0));
        CHECK(answers("PUT", large, LARGE, 200, large, LARGE));
        if (i % 4 == 3)
            continue; /* what came from a source cannot be sent again */
        CHECK(echoes_source(0));
        CHECK(echoes_source(LARGE));
    }
    stop();
    printf("python3, HTTP/1.1: fine\n");
}

/* ---- nginx ---- */

static const char configuration[] =
    "daemon off; error_log /dev/null; pid nginx.pid; worker_processes 1;\n"
    "events {}\n"
    "http {\n"
    "    access_log off; gzip on; gzip_min_length 0; gzip_types *; keepalive_requests 3;\n"
    "    client_max_body_size 1k; client_body_temp_path .; proxy_temp_path .;\n"
    "    fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;\n"
    "    server {\n"
    "        listen unix:nginx.sock; root .; absolute_redirect off;\n"
    "        location /moved { return 302 ../small; }\n"
    "        location /kept { return 307 /take; }\n"
    "        location /take { return 200 $request_method; }\n"
    "    }\n"
    "}\n";

static void try_nginx(const char *program)
{
    char prefix[PATH_MAX + 2], path[PATH_MAX + 32];
    const char *arguments[] = {program, "-p", prefix, "-c", "nginx.conf", "-e", "/dev/null", NULL};
    snprintf(prefix, sizeof prefix, "%s/", root);
    snprintf(path, sizeof path, "%s", in_root("nginx.sock"));
    snprintf(url, sizeof url, "http://some.host/");
    write_file("nginx.conf", configuration, sizeof configuration - 1);
    start(arguments, VERD_PROCESS_NULL);
    unix_path = path;
    while (!gets("/small", 200, "hello, world", 12)) {
        int error = errno;
        CHECK(error == ENOENT || error == ECONNREFUSED);
        CHECK(verd_sleep(10 * VERD_MS) == 0); /* until it listens, or the time is over */
    }
    check_files();
    CHECK(gets("/moved", 200, "hello, world", 12));
    CHECK(gets("/sub/../small", 200, "hello, world", 12));
    go_to("/kept");
    CHECK(answers("POST", "abc", 3, 200, "POST", 4));
    CHECK(answers("POST", large, LARGE, 413, NULL, 0)); /* said before it has read it all */
    stop();
    printf("%s: fine\n", program);
}

int main(void)
{
    verd_timeout patience;
    if (process_is_limited()) {
        printf("skipped: the address space is limited\n");
        return SKIPPED;
    }
    verd_timeout_begin(&patience, PATIENCE);
    bool python = is_there("python3", "--version");
    const char *nginx = access("/usr/sbin/nginx", X_OK) == 0 ? "/usr/sbin/nginx" : "nginx";
    bool has_nginx = is_there(nginx, "-v");
    if (!python && !has_nginx) {
        printf("skipped: there is no server to ask\n");
        return SKIPPED;
    }
    make_root();
    if (python) {
        try_file_server("HTTP/1.0");
        try_file_server("HTTP/1.1");
        try_python();
    }
    if (has_nginx)
        try_nginx(nginx);
    clean_up();
    return 0;
}
