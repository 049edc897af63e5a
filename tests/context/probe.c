/* SPDX-License-Identifier: MIT */

#include "probe.h"

__asm__(".pushsection .text\n"
        ".globl probe_switch\n"
        ".p2align 4\n"
        "probe_switch:\n" PROBE_SWITCH ".popsection\n");
