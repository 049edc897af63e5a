/* SPDX-License-Identifier: MIT */
#include <verd/version.h>

const char *verd_version(void)
{
    return VERD_VERSION;
}
