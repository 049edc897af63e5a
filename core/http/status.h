/* SPDX-License-Identifier: MIT */
#ifndef VERD_HTTP_STATUS_H
#define VERD_HTTP_STATUS_H

/* What a status is called in RFC 9110 and its kin; "Unknown" for others. */
const char *verd__status_reason(int status);

#endif
