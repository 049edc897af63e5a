/* SPDX-License-Identifier: MIT */
#include "target.h"

#define SEED(text) {text, sizeof(text) - 1}

const struct fuzz_seed fuzz_seeds[] = {
    SEED("qGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    SEED("qGET /a/b?c=d&e=%20 HTTP/1.0\r\nUser-Agent: x/1 (y)\r\nAccept: */*\r\n\r\n"),
    SEED("qPOST /p HTTP/1.1\r\nHost: h:80\r\nContent-Length: 5\r\n\r\nhello"),
    SEED("qPOST / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    SEED("qPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    SEED(
        "qPUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 18446744073709551615"
        "\r\n\r\n"),
    SEED("qGET http://host:80/path?query HTTP/1.1\r\nHost: h\r\n\r\n"),
    SEED("qGET https://host?query HTTP/1.1\r\nHost: h\r\n\r\n"),
    SEED("qOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
    SEED("qCONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n"),
    SEED("qGET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
         "websocket\r\n\r\n"),
    SEED("q\r\n\r\nGET / HTTP/1.1\r\nHost:h\r\nA:\t b \t\r\nC: \x80\xff\r\nD:\r\n\r\nrest"),
    SEED("qGET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    SEED("qGET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"),
    SEED("qGET / HTTP/1.1\nHost: h\n\n"),
    SEED("qGET / HTTP/1.1\rHost: h\r\r"),
    SEED("rHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    SEED("rHTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\n\r\n"),
    SEED("rHTTP/1.1 204 \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"),
    SEED("rHTTP/1.1 302\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n"),
    SEED("rHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"),
    SEED("c5\r\nhello\r\n0\r\n\r\n"),
    SEED("cA;x=\"y\"\r\n0123456789\r\n1 ;z\r\na\r\n00\r\nTrailer: b\r\nC:\r\n\r\nrest"),
    SEED("c0\r\nA: b\r\n\tc\r\nB:\r\n d \r\n\r\n"),
    SEED("cffffffffffffffff\r\nx"),
    SEED("c1\r\nab\r\n"),
    SEED("uhttp://Host.name:8080/a/b?c=d#e|../f/./g?h"),
    SEED("uhttps://[::1]:443/|//other:81?x y"),
    SEED("uhttp://127.0.0.1|/\xc3\xa4/../..//b#c"),
    SEED("uhttp://name:secret@host/|https://host"),
    SEED("uhttp://[fe80::1%25eth0]:81/a|http://[fe80::1]/<b>\"{|}\\^`[]%4%41%"),
    SEED("uhttp://a/b|page#sec:1"),
    SEED("uhttp://a/?a[]=%5B|a_b:c"),
    SEED("rHTTP/1.1 200 OK\r\nConnection: a,\r\n close\r\nContent-Length:\r\n 5\r\n\r\nhello"),
    SEED("rHTTP/1.1 200 OK\r\nContent-Length: 18446744073709551614\r\n\r\n"),
    SEED("fa=b&c=d+e&&f&=g%20h%C3%A4=&a=%zz%"),
    SEED("fa=%00"),
    SEED("p/a//b/../%2e%2e/./%20c/..d/"),
    SEED("p/..%2f/%zz"),
    SEED("w\x81\x85mask....."),
    SEED("w\x02\xfe\x01\x00mask"),
    SEED("w\x80\xff\x00\x00\x00\x00\x00\x01\x00\x00mask"),
    SEED("w-\x88\x02\x03\xe8"),
    SEED("w-\x82\x7e\xff\xff"),
    SEED("qGET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, "
         "Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, chat.2\r\n"
         "Sec-WebSocket-Extensions: permessage-deflate; a=b\r\nSec-WebSocket-Version: 13\r\n\r\n"),
    SEED("qGET / HTTP/1.1\r\nHost: h\r\nUpgrade: a b, websocket ,\r\nConnection:upgrade\r\n"
         "Connection: ,close\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: \tchat\t\r\n"
         "Sec-WebSocket-Version: 13\r\n\r\n"),
    SEED("rHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
         "Sec-WebSocket-Protocol: chat\r\n\r\n"),
    SEED("ktimeout=5, max=100"),
    SEED("kmax=1 , TimeOut=9223372036854775808"),
    SEED("ktimeout=a,timeout=5"),
    SEED("8a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 and some more text\xed\x9f\xbf"),
    SEED("8\xf4\x8f\xbf\xbf\xee\x80\x80"),
};

const size_t fuzz_seed_count = sizeof fuzz_seeds / sizeof *fuzz_seeds;
