/* SPDX-License-Identifier: MIT */

/* x19-x29, d8-d15. */
#define PROBE_REGISTERS 19

/* A tenth of the other architecture's: an emulator computes each signature in microseconds. */
#define PROBE_SWITCHES 1000000

/* x0 = from, x1 = to, x2 = value, x3 = fill, x4 = seen. */
#define PROBE_SWITCH                                                                   \
    "hint #34\n" /* bti c */                                                           \
    "sub sp, sp, #176\n"                                                               \
    "stp x29, x30, [sp, #160]\n stp x19, x20, [sp, #144]\n stp x21, x22, [sp, #128]\n" \
    "stp x23, x24, [sp, #112]\n stp x25, x26, [sp, #96]\n stp x27, x28, [sp, #80]\n"   \
    "stp d8, d9, [sp, #64]\n stp d10, d11, [sp, #48]\n stp d12, d13, [sp, #32]\n"      \
    "stp d14, d15, [sp, #16]\n str x4, [sp]\n"                                         \
    "ldp x19, x20, [x3]\n ldp x21, x22, [x3, #16]\n ldp x23, x24, [x3, #32]\n"         \
    "ldp x25, x26, [x3, #48]\n ldp x27, x28, [x3, #64]\n ldr x29, [x3, #80]\n"         \
    "ldp d8, d9, [x3, #88]\n ldp d10, d11, [x3, #104]\n ldp d12, d13, [x3, #120]\n"    \
    "ldp d14, d15, [x3, #136]\n"                                                       \
    "bl verd_context_switch\n"                                                         \
    "ldr x4, [sp]\n"                                                                   \
    "stp x19, x20, [x4]\n stp x21, x22, [x4, #16]\n stp x23, x24, [x4, #32]\n"         \
    "stp x25, x26, [x4, #48]\n stp x27, x28, [x4, #64]\n str x29, [x4, #80]\n"         \
    "stp d8, d9, [x4, #88]\n stp d10, d11, [x4, #104]\n stp d12, d13, [x4, #120]\n"    \
    "stp d14, d15, [x4, #136]\n"                                                       \
    "ldp x29, x30, [sp, #160]\n ldp x19, x20, [sp, #144]\n ldp x21, x22, [sp, #128]\n" \
    "ldp x23, x24, [sp, #112]\n ldp x25, x26, [sp, #96]\n ldp x27, x28, [sp, #80]\n"   \
    "ldp d8, d9, [sp, #64]\n ldp d10, d11, [sp, #48]\n ldp d12, d13, [sp, #32]\n"      \
    "ldp d14, d15, [sp, #16]\n"                                                        \
    "add sp, sp, #176\n"                                                               \
    "ret\n"

#define PROBE_ROUND_UP ((uint64_t)1 << 22)
#define PROBE_ROUND_DOWN ((uint64_t)2 << 22)

static const uint64_t probe_controls[] = {
    0, /* the ABI's initial state */
    PROBE_ROUND_UP,
    PROBE_ROUND_DOWN,
    (uint64_t)3 << 22, /* rounds towards zero */
    (uint64_t)1 << 24, /* flushes to zero */
    (uint64_t)1 << 25, /* every NaN is the default NaN */
    (uint64_t)1 << 26, /* alternative half precision */
};

static inline uint64_t probe_control_read(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr) : : "memory");
    return fpcr;
}

static inline void probe_control_write(uint64_t control)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}

static inline uintptr_t probe_code_address(uintptr_t return_address)
{
    register uintptr_t x30 __asm__("x30") = return_address;
    __asm__ volatile("hint #7" : "+r"(x30)); /* xpaclri */
    return x30;
}
