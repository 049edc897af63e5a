/* SPDX-License-Identifier: MIT */

/* WebSocket with another's code at the other end: python3-websockets as a client, and as a server, if it is
 * installed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#define BIG 100000
#define NOT_THERE 77

static const char client[] =
    "import asyncio, os, sys\n"
    "try: import websockets\n"
    "except ImportError: sys.exit(77)\n"
    "async def main():\n"
    "    url = 'ws://127.0.0.1:' + sys.argv[1]\n"
    "    async with websockets.connect(url, max_size=None, subprotocols=['b', 'a']) as socket:\n"
    "        assert socket.subprotocol == 'a'\n"
    "        for sent in ['', 'hello', b'', '\\u00fc' * 70000, os.urandom(900000)]:\n"
    "            await socket.send(sent)\n"
    "            assert await socket.recv() == sent\n"
    "        await socket.send(['frag', 'men', 'ted'])\n"
    "        assert await socket.recv() == 'fragmented'\n"
    "        await (await socket.ping())\n"
    "    assert socket.close_code == 1000\n"
    "    async with websockets.connect(url) as socket:\n"
    "        try:\n"
    "            await socket.send('x' * 2000000)\n"
    "            await socket.recv()\n"
    "            sys.exit(1)\n"
    "        except websockets.exceptions.ConnectionClosed: pass\n"
    "    assert socket.close_code == 1009\n"
    "asyncio.run(main())\n";

static const char server[] =
    "import asyncio, sys\n"
    "try: import websockets\n"
    "except ImportError: sys.exit(77)\n"
    "async def echo(socket, path=None):\n"
    "    async for message in socket: await socket.send(message)\n"
    "    done.set_result(socket.close_code)\n"
    "async def main():\n"
    "    global done\n"
    "    done = asyncio.get_running_loop().create_future()\n"
    "    async with websockets.serve(echo, '127.0.0.1', 0, subprotocols=['b']) as server:\n"
    "        print(list(server.sockets)[0].getsockname()[1], flush=True)\n"
    "        sys.exit(0 if await done == 1000 else 1)\n"
    "asyncio.run(main())\n";

static int complain(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

/* Debian's own: others in PATH lack its packages. */
static int start(verd_process *process, const char *script, const char *argument)
{
    const char *const arguments[] = {"/usr/bin/python3", "-c", script, argument, NULL};
    const verd_process_options options = {.arguments = arguments, .output = VERD_PROCESS_PIPE};
    return verd_spawn_process(process, &options);
}

/* ---- our server ---- */

static int echo(verd_http_exchange *x, void *ctx)
{
    static const char *const protocols[] = {"a", NULL};
    const verd_websocket_options options = {.protocols = protocols};
    verd_websocket_message message;
    (void)ctx;
    verd_websocket *socket = verd_websocket_accept(x, &options);
    if (socket == NULL)
        return -1;
    while (verd_websocket_receive(socket, &message) == 1 &&
           verd_websocket_send(socket, message.type, message.data, message.size) == 0)
        ;
    verd_websocket_free(socket);
    return 0;
}

static int serve(void)
{
    char port[16];
    int status = 0;
    verd_process process;
    int listener = verd_listen("127.0.0.1", 0, 0);
    verd_http_server *house = verd_http_serve(listener, echo, NULL, NULL);
    snprintf(port, sizeof port, "%d", verd_port(listener));
    if (house == NULL || start(&process, client, port) != 0)
        return NOT_THERE;
    verd_process_wait(&process, &status);
    verd_process_close(&process);
    verd_http_stop(house, 0);
    verd_http_free(house);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != NOT_THERE)
        printf("the client ends with %d\n", WEXITSTATUS(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* ---- our client ---- */

static int exchange_all(verd_websocket *socket)
{
    static char big[BIG];
    verd_websocket_message message;
    memset(big, 'x', sizeof big);
    for (size_t size = 0; size <= BIG; size += BIG / 4) {
        if (verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, big, size) != 0 ||
            verd_websocket_receive(socket, &message) != 1)
            return complain("an echo");
        if (message.size != size || memcmp(message.data, big, size) != 0)
            return complain("another echo");
    }
    if (verd_websocket_close(socket, 1000, "done") != 0 || verd_websocket_code(socket) != 1000)
        return complain("closing");
    return 0;
}

static int converse(const char *port)
{
    static const char *const protocols[] = {"a", "b", NULL};
    const verd_websocket_options options = {.protocols = protocols};
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", atoi(port));
    verd_websocket *socket = verd_websocket_connect(url, &options);
    if (socket == NULL)
        return complain(url);
    int failed = exchange_all(socket);
    if (verd_websocket_protocol(socket) == NULL ||
        strcmp(verd_websocket_protocol(socket), "b") != 0)
        failed = complain("the protocol");
    verd_websocket_free(socket);
    return failed;
}

static int connect_to_other(void)
{
    char port[16] = "";
    int status = 0;
    verd_process process;
    if (start(&process, server, NULL) != 0)
        return NOT_THERE;
    int failed = verd_read(process.output, port, sizeof port - 1) > 0 ? converse(port) : NOT_THERE;
    verd_process_wait(&process, &status);
    verd_process_close(&process);
    if (failed == 0 && status != 0)
        printf("the server ends with status %#x\n", (unsigned)status);
    return failed != 0 ? failed : status != 0;
}

int main(void)
{
    alarm(60);
    int served = serve(), connected = connect_to_other();
    if (served == NOT_THERE && connected == NOT_THERE)
        puts("websocket_peers: skipped: there is no python3-websockets");
    return served != 0 ? served : connected;
}
