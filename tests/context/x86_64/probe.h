/* SPDX-License-Identifier: MIT */

/* rbx, rbp, r12-r15. */
#define PROBE_REGISTERS 6

#define PROBE_SWITCHES 10000000

/* rdi = from, rsi = to, rdx = value, rcx = fill, r8 = seen. */
#define PROBE_SWITCH                                                                     \
    "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n push %r8\n" \
    "mov (%rcx), %rbx\n mov 8(%rcx), %rbp\n mov 16(%rcx), %r12\n"                        \
    "mov 24(%rcx), %r13\n mov 32(%rcx), %r14\n mov 40(%rcx), %r15\n"                     \
    "call verd_context_switch\n"                                                         \
    "pop %r8\n"                                                                          \
    "mov %rbx, (%r8)\n mov %rbp, 8(%r8)\n mov %r12, 16(%r8)\n"                           \
    "mov %r13, 24(%r8)\n mov %r14, 32(%r8)\n mov %r15, 40(%r8)\n"                        \
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"                  \
    "ret\n"

#define PROBE_MXCSR_FLAGS 0x3fu
#define PROBE_CONTROL(mxcsr, x87cw) ((uint64_t)(x87cw) << 32 | (mxcsr))

static const uint64_t probe_controls[] = {
    PROBE_CONTROL(0x1f80, 0x037f), /* the ABI's initial state */
    PROBE_CONTROL(0x3f80, 0x037f), /* SSE rounds down */
    PROBE_CONTROL(0x5f80, 0x037f), /* SSE rounds up */
    PROBE_CONTROL(0x9f80, 0x037f), /* SSE flushes to zero */
    PROBE_CONTROL(0x1fc0, 0x037f), /* denormals are zeros */
    PROBE_CONTROL(0x1d80, 0x037f), /* SSE division by zero traps */
    PROBE_CONTROL(0x1f80, 0x007f), /* x87 single precision */
    PROBE_CONTROL(0x1f80, 0x027f), /* x87 double precision */
    PROBE_CONTROL(0x1f80, 0x0b7f), /* x87 rounds up */
    PROBE_CONTROL(0x1f80, 0x037b), /* x87 division by zero traps */
};

#define PROBE_ROUND_UP PROBE_CONTROL(0x5f80, 0x0b7f)
#define PROBE_ROUND_DOWN PROBE_CONTROL(0x3f80, 0x077f)

static inline uint64_t probe_control_read(void)
{
    uint32_t mxcsr;
    uint16_t x87cw;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87cw) : : "memory");
    return PROBE_CONTROL(mxcsr & ~PROBE_MXCSR_FLAGS, x87cw);
}

static inline void probe_control_write(uint64_t control)
{
    uint32_t mxcsr = (uint32_t)control;
    uint16_t x87cw = (uint16_t)(control >> 32);
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87cw) : "memory");
}

static inline uintptr_t probe_code_address(uintptr_t return_address)
{
    return return_address;
}
