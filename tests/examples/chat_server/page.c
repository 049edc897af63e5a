/* SPDX-License-Identifier: MIT */
#include "page.h"

static const char page[] =
    "<!DOCTYPE html>\n"
    "<html lang=en><meta charset=utf-8><title>Chat</title>\n"
    "<style>body{font:16px sans-serif;max-width:50em;margin:2em auto}input{width:100%}</style>\n"
    "<h1>Chat</h1>\n"
    "<div id=said></div>\n"
    "<form><input name=line placeholder='Say something' autocomplete=off autofocus></form>\n"
    "<script>\n"
    "const form = document.querySelector('form'), said = document.querySelector('#said');\n"
    "const socket = new WebSocket('ws://' + location.host + '/talk');\n"
    "const show = text => {\n"
    "    const line = document.createElement('p');\n"
    "    line.textContent = text;\n"
    "    said.append(line);\n"
    "};\n"
    "socket.onmessage = event => show(event.data);\n"
    "socket.onclose = () => show('(the chat has ended)');\n"
    "form.onsubmit = event => {\n"
    "    event.preventDefault();\n"
    "    socket.send(form.line.value);\n"
    "    show('I: ' + form.line.value);\n"
    "    form.reset();\n"
    "};\n"
    "</script>\n";

int reply_page(verd_http_exchange *x)
{
    return verd_http_reply(x, 200, "text/html; charset=utf-8", page, sizeof page - 1);
}
