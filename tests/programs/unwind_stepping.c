/* SPDX-License-Identifier: MIT */

/* The unwind information is right at every instruction. The processor's trap flag raises SIGTRAP
 * after each one, and the handler unwinds from there:
 *
 *   - through two raw contexts, where the registers that the unwinder restores must be those that
 *     the caller of the switch had put into them, and
 *   - through green threads that start, give way and end, where every trace must have its right
 *     end. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <verd.h>

#ifndef __x86_64__

int main(void)
{
    puts("unwind_stepping: only x86-64 has a trap flag that a program can set");
    return 77;
}

#else

#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

#define REGISTERS 6
#define MOST_FRAMES 100

static const int dwarf_numbers[REGISTERS] = {3, 6, 12, 13, 14, 15}; /* rbx, rbp, r12-r15 */

void *filled_switch(verd_context *from, const verd_context *to, void *value, const uint64_t *fill);
void write_trap_flag(uint64_t flag);

#define TRAP_FLAG 0x100

/* filled_switch fills the registers, switches, and restores them; rdi = from, rsi = to,
 * rdx = value, rcx = fill. In both functions the unwind information is as exact as what it tests. */
__asm__(".pushsection .text\n"
        ".globl write_trap_flag\n"
        ".type write_trap_flag, @function\n"
        "write_trap_flag:\n"
        ".cfi_startproc\n"
        "pushfq\n .cfi_adjust_cfa_offset 8\n"
        "andq $~0x100, (%rsp)\n"
        "orq %rdi, (%rsp)\n"
        "popfq\n .cfi_adjust_cfa_offset -8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size write_trap_flag, . - write_trap_flag\n"
        ".globl filled_switch\n"
        ".type filled_switch, @function\n"
        "filled_switch:\n"
        ".cfi_startproc\n"
        "push %rbp\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset rbp, 0\n"
        "push %rbx\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset rbx, 0\n"
        "push %r12\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset r12, 0\n"
        "push %r13\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset r13, 0\n"
        "push %r14\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset r14, 0\n"
        "push %r15\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset r15, 0\n"
        "sub $8, %rsp\n .cfi_adjust_cfa_offset 8\n"
        "mov (%rcx), %rbx\n mov 8(%rcx), %rbp\n mov 16(%rcx), %r12\n"
        "mov 24(%rcx), %r13\n mov 32(%rcx), %r14\n mov 40(%rcx), %r15\n"
        "call verd_context_switch\n"
        "add $8, %rsp\n .cfi_adjust_cfa_offset -8\n"
        "pop %r15\n .cfi_adjust_cfa_offset -8\n .cfi_restore r15\n"
        "pop %r14\n .cfi_adjust_cfa_offset -8\n .cfi_restore r14\n"
        "pop %r13\n .cfi_adjust_cfa_offset -8\n .cfi_restore r13\n"
        "pop %r12\n .cfi_adjust_cfa_offset -8\n .cfi_restore r12\n"
        "pop %rbx\n .cfi_adjust_cfa_offset -8\n .cfi_restore rbx\n"
        "pop %rbp\n .cfi_adjust_cfa_offset -8\n .cfi_restore rbp\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size filled_switch, . - filled_switch\n"
        ".popsection\n");

extern const char __executable_start[], etext[];

struct trace {
    uintptr_t functions[MOST_FRAMES]; /* innermost first; the handler's own frames are left out */
    uint64_t registers[MOST_FRAMES][REGISTERS];
    int length;
    bool past_signal;
    bool ended;
};

static const uint64_t fill_outside[REGISTERS] = {0x101, 0x102, 0x103, 0x104, 0x105, 0x106};
static const uint64_t fill_inside[REGISTERS] = {0x201, 0x202, 0x203, 0x204, 0x205, 0x206};

static verd_context here, there;
static char stack[256 * 1024];
static uintptr_t initial_end, inside_end; /* outermost functions of the two kinds of stack */
static volatile long steps, steps_in_switch;

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *frame, void *value)
{
    struct trace *trace = value;
    int before_instruction;
    uintptr_t pc = _Unwind_GetIPInfo(frame, &before_instruction);
    if (pc == 0)
        return _URC_NO_REASON; /* how libgcc shows the end */
    trace->past_signal |= before_instruction;
    if (!trace->past_signal)
        return _URC_NO_REASON;
    if (trace->length == MOST_FRAMES)
        return _URC_NORMAL_STOP;

    int i = trace->length++;
    void *function = _Unwind_FindEnclosingFunction((void *)(pc + (uintptr_t)before_instruction));
    trace->functions[i] = (uintptr_t)function;
    for (int k = 0; k < REGISTERS; k++)
        trace->registers[i][k] = _Unwind_GetGR(frame, dwarf_numbers[k]);
    return _URC_NO_REASON;
}

static void take_trace(struct trace *trace)
{
    trace->length = 0;
    trace->ended = _Unwind_Backtrace(add_frame, trace) == _URC_END_OF_STACK && trace->length > 0;
}

/* The outermost function, seen from a place where nothing can be wrong. */
static uintptr_t outermost(void)
{
    struct trace trace = {.past_signal = true};
    take_trace(&trace);
    return trace.functions[trace.length - 1];
}

_Noreturn static void fail(const char *what, uintptr_t pc)
{
    printf("unwind_stepping: %s at %#lx (%#lx in the program)\n", what, (unsigned long)pc,
           (unsigned long)(pc - (uintptr_t)__executable_start));
    fflush(stdout);
    _Exit(1);
}

/* Who called the innermost frame's function: filled_switch of this side, with its registers. */
static void check_caller(const struct trace *trace, const uint64_t *fill, uintptr_t pc)
{
    if (trace->length < 2 || trace->functions[1] != (uintptr_t)filled_switch)
        fail("the switch has the wrong caller", pc);
    if (memcmp(trace->registers[1], fill, sizeof trace->registers[1]) != 0)
        fail("the caller has the wrong registers", pc);
}

static bool in_this_program(uintptr_t address)
{
    return address >= (uintptr_t)__executable_start && address < (uintptr_t)etext;
}

static void check_raw_step(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
    uintptr_t pc = (uintptr_t)registers[REG_RIP], sp = (uintptr_t)registers[REG_RSP];
    bool inside = sp >= (uintptr_t)stack && sp <= (uintptr_t)stack + sizeof stack;
    struct trace trace = {0};

    if (!in_this_program(pc))
        return;
    steps++;
    take_trace(&trace);
    if (!trace.ended)
        fail("the unwinder came to no end", pc);
    if (trace.functions[trace.length - 1] != (inside ? inside_end : initial_end))
        fail("the trace has the wrong end", pc);
    if (trace.functions[0] == (uintptr_t)verd_context_switch && trace.functions[1] != inside_end) {
        steps_in_switch++;
        check_caller(&trace, inside ? fill_inside : fill_outside, pc);
    }
}

static void step_with(void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    write_trap_flag(TRAP_FLAG);
}

static void learn_inside_end(void *value)
{
    inside_end = outermost();
    verd_context_switch(&there, &here, value);
}

static void switch_back_and_forth(void *value)
{
    for (;;)
        value = filled_switch(&there, &here, value, fill_inside);
}

static void step_through_contexts(void)
{
    initial_end = outermost();
    verd_context_make(&there, stack, sizeof stack, learn_inside_end);
    verd_context_switch(&here, &there, NULL);

    verd_context_make(&there, stack, sizeof stack, switch_back_and_forth);
    step_with(check_raw_step);
    for (int i = 0; i < 3; i++)
        filled_switch(&here, &there, NULL, fill_outside);
    write_trap_flag(0);
}

static uintptr_t thread_end, initial_stack;

#define INITIAL_STACK_SIZE (1 << 20) /* more than is in use of it */

static void check_thread_step(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
    uintptr_t pc = (uintptr_t)registers[REG_RIP], sp = (uintptr_t)registers[REG_RSP];
    bool initial = sp <= initial_stack && sp > initial_stack - INITIAL_STACK_SIZE;
    struct trace trace = {0};

    if (!in_this_program(pc))
        return;
    steps++;
    take_trace(&trace);
    if (!trace.ended)
        fail("the unwinder came to no end", pc);
    if (trace.functions[trace.length - 1] != (initial ? initial_end : thread_end))
        fail("a thread's trace has the wrong end", pc);
}

static void learn_thread_end(void *value)
{
    (void)value;
    thread_end = outermost();
}

static void give_way_twice(void *value)
{
    (void)value;
    verd_yield();
    verd_yield();
}

static void end_at_once(void *value)
{
    (void)value;
}

static void step_through_threads(void)
{
    verd_spawn_n(learn_thread_end, NULL);
    verd_yield();

    step_with(check_thread_step);
    verd_spawn_n(give_way_twice, NULL);
    verd_spawn_n(end_at_once, NULL);
    verd_spawn_n(give_way_twice, NULL);
    for (int i = 0; i < 5; i++)
        verd_yield();
    write_trap_flag(0);
}

int main(void)
{
    initial_stack = (uintptr_t)__builtin_frame_address(0);
    step_through_contexts();
    if (steps_in_switch < 5 * 20)
        fail("the trap flag has no effect", 0);
    step_through_threads();
    printf("unwind_stepping: %ld instructions, %ld of them in the switch\n", steps,
           steps_in_switch);
    return 0;
}

#endif
