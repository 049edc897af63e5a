/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <string.h>

/* The titles appear line by line as they come; without scripts, on a page of their own. */
static const char above[] =
    "<!DOCTYPE html>\n"
    "<html lang=en><meta charset=utf-8><title>Feeds</title>\n"
    "<style>body{font:16px sans-serif;max-width:50em;margin:2em auto}"
    "textarea{width:100%}li.bad{color:#a00}</style>\n"
    "<h1>The titles of feeds</h1>\n"
    "<form method=post enctype=text/plain>\n"
    "<textarea name=urls rows=12 placeholder='URLs of feeds, one a line'>\n";

static const char below[] =
    "</textarea>\n"
    "<p><button>Fetch</button> <span id=state></span>\n"
    "</form>\n"
    "<ol id=titles></ol>\n"
    "<script>\n"
    "const form = document.querySelector('form'), state = document.querySelector('#state');\n"
    "form.onsubmit = async event => {\n"
    "    event.preventDefault();\n"
    "    const titles = document.querySelector('#titles'), since = performance.now();\n"
    "    const button = document.querySelector('button');\n"
    "    let text = '', count = 0, failed = 0;\n"
    "    titles.replaceChildren();\n"
    "    state.textContent = 'fetching';\n"
    "    button.disabled = true;\n"
    "    try {\n"
    "        const answer = await fetch('/', {method: 'POST', body: form.urls.value});\n"
    "        if (!answer.ok)\n"
    "            throw new Error(await answer.text());\n"
    "        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();\n"
    "        for (let piece; !(piece = await reader.read()).done;) {\n"
    "            text += piece.value;\n"
    "            for (let end; (end = text.indexOf('\\n')) >= 0; text = text.slice(end + 1)) {\n"
    "                const item = document.createElement('li');\n"
    "                const bad = text.startsWith('# ');\n"
    "                item.textContent = text.slice(bad ? 2 : 0, end);\n"
    "                item.className = bad ? 'bad' : '';\n"
    "                failed += bad;\n"
    "                titles.append(item);\n"
    "                count++;\n"
    "            }\n"
    "            state.textContent = 'fetching: ' + count;\n"
    "        }\n"
    "        state.textContent = count + ' feeds in ' + Math.round(performance.now() - since) +\n"
    "            ' ms, ' + failed + ' failed';\n"
    "    } catch (error) {\n"
    "        state.textContent = 'failed: ' + error.message;\n"
    "    }\n"
    "    button.disabled = false;\n"
    "};\n"
    "</script>\n";

/* As text of the page. */
static int write_escaped(verd_http_exchange *x, const char *text)
{
    int result = 0;
    for (; *text != '\0' && result == 0; text++) {
        size_t size = strcspn(text, "<&");
        result = verd_http_write(x, text, size);
        text += size;
        if (*text == '\0')
            break;
        if (result == 0)
            result = *text == '<' ? verd_http_write(x, "&lt;", 4) : verd_http_write(x, "&amp;", 5);
    }
    return result;
}

int reply_page(verd_http_exchange *x, char **urls)
{
    if (verd_http_add(x, "Content-Type", "text/html; charset=utf-8") != 0 ||
        verd_http_begin(x, 200, VERD_HTTP_CHUNKED) != 0 ||
        verd_http_write(x, above, sizeof above - 1) != 0)
        return -1;
    for (; *urls != NULL; urls++) {
        if (write_escaped(x, *urls) != 0 || verd_http_write(x, "\n", 1) != 0)
            return -1;
    }
    return verd_http_write(x, below, sizeof below - 1);
}
