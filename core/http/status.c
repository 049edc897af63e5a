/* SPDX-License-Identifier: MIT */
#include "http/status.h"

#include <stddef.h>

static const char *const informational[] = {
    "Continue",
    "Switching Protocols",
    "Processing",
    "Early Hints",
};
static const char *const successful[] = {
    "OK",
    "Created",
    "Accepted",
    "Non-Authoritative Information",
    "No Content",
    "Reset Content",
    "Partial Content",
    "Multi-Status",
    "Already Reported",
};
static const char *const redirection[] = {
    "Multiple Choices",   "Moved Permanently", "Found", "See Other",
    "Not Modified",       "Use Proxy",         NULL,    "Temporary Redirect",
    "Permanent Redirect",
};
static const char *const client_error[] = {
    [0] = "Bad Request",
    [1] = "Unauthorized",
    [2] = "Payment Required",
    [3] = "Forbidden",
    [4] = "Not Found",
    [5] = "Method Not Allowed",
    [6] = "Not Acceptable",
    [7] = "Proxy Authentication Required",
    [8] = "Request Timeout",
    [9] = "Conflict",
    [10] = "Gone",
    [11] = "Length Required",
    [12] = "Precondition Failed",
    [13] = "Content Too Large",
    [14] = "URI Too Long",
    [15] = "Unsupported Media Type",
    [16] = "Range Not Satisfiable",
    [17] = "Expectation Failed",
    [21] = "Misdirected Request",
    [22] = "Unprocessable Content",
    [23] = "Locked",
    [24] = "Failed Dependency",
    [25] = "Too Early",
    [26] = "Upgrade Required",
    [28] = "Precondition Required",
    [29] = "Too Many Requests",
    [31] = "Request Header Fields Too Large",
    [51] = "Unavailable For Legal Reasons",
};
static const char *const server_error[] = {
    [0] = "Internal Server Error",
    [1] = "Not Implemented",
    [2] = "Bad Gateway",
    [3] = "Service Unavailable",
    [4] = "Gateway Timeout",
    [5] = "HTTP Version Not Supported",
    [6] = "Variant Also Negotiates",
    [7] = "Insufficient Storage",
    [8] = "Loop Detected",
    [11] = "Network Authentication Required",
};

#define CLASS(reasons) {reasons, sizeof(reasons) / sizeof *(reasons)}

static const struct {
    const char *const *reasons;
    size_t count;
} classes[] = {
    {NULL, 0},          CLASS(informational), CLASS(successful),
    CLASS(redirection), CLASS(client_error),  CLASS(server_error),
};

const char *verd__status_reason(int status)
{
    size_t class = (size_t)status / 100, which = (size_t)status % 100;
    if (status < 100 || status > 599 || which >= classes[class].count ||
        classes[class].reasons[which] == NULL)
        return "Unknown";
    return classes[class].reasons[which];
}
