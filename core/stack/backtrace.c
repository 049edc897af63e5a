/* SPDX-License-Identifier: MIT */
#include "stack/backtrace.h"

#include "frame.h"
#include "interrupted.h"
#include "stack/peek.h"
#include "stack/sanitizer.h"

/* A frame record, as both architectures have it. */
struct record {
    uintptr_t fp; /* of the caller; 0: there is none */
    uintptr_t pc; /* where it goes on; 0: nowhere */
};

static void add(struct verd__backtrace *backtrace, uintptr_t pc)
{
    if (backtrace->count < VERD__FRAMES_MAX)
        backtrace->pc[backtrace->count++] = pc;
}

/* Records lie one above the other, the caller's higher. */
static void walk(struct verd__backtrace *backtrace, uintptr_t fp, uintptr_t low, uintptr_t high)
{
    struct record record;
    while (backtrace->count < VERD__FRAMES_MAX && fp >= low && fp < high && fp % 8 == 0 &&
           verd__peek(&record, (const void *)fp, sizeof record) && record.pc != 0) {
        add(backtrace, verd__unsigned_pc(record.pc));
        low = fp + sizeof record;
        fp = record.fp;
    }
}

void verd__backtrace_of_context(struct verd__backtrace *backtrace, const verd_context *context,
                                uintptr_t high)
{
    struct verd__frame frame;
    const void *sp = context->sp;
    backtrace->count = 0;
    backtrace->is_interrupted = false;
    backtrace->sp = 0;
    if (VERD__ANNOUNCED && !verd__peek(&sp, sp, sizeof sp)) /* fibre.c: a struct suspended */
        return;
    if (!verd__peek(&frame, sp, sizeof frame))
        return;
    backtrace->sp = (uintptr_t)sp;
    add(backtrace, verd__unsigned_pc((uintptr_t)frame.record.pc));
    walk(backtrace, (uintptr_t)frame.record.fp, (uintptr_t)sp + sizeof frame, high);
}

void verd__backtrace_of_signal(struct verd__backtrace *backtrace, const ucontext_t *context,
                               uintptr_t high)
{
    backtrace->count = 0;
    backtrace->is_interrupted = true;
    backtrace->sp = verd__interrupted_sp(context);
    add(backtrace, verd__interrupted_pc(context));
    walk(backtrace, verd__interrupted_fp(context), verd__interrupted_sp(context), high);
}

__attribute__((noinline)) void verd__backtrace_of_caller(struct verd__backtrace *backtrace,
                                                         uintptr_t high)
{
    /* Read before the walk, which may be a jump that takes this frame down. */
    uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
    struct record own = *(const volatile struct record *)fp;
    backtrace->count = 0;
    backtrace->is_interrupted = false;
    backtrace->sp = fp;
    add(backtrace, verd__unsigned_pc(own.pc));
    walk(backtrace, own.fp, fp + sizeof own, high);
}

/* How often the call is there that is at `first`, one after the other. */
static size_t count_alike(const struct verd__backtrace *backtrace, size_t first)
{
    size_t next = first + 1;
    while (next < backtrace->count && backtrace->pc[next] == backtrace->pc[first])
        next++;
    return next - first;
}

void verd__backtrace_write(const struct verd__output *output, const char *prefix,
                           const struct verd__backtrace *backtrace, struct verd__symbols *symbols)
{
    struct verd__line line = {0};
    size_t alike;
    for (size_t i = 0; i < backtrace->count; i += alike) {
        uintptr_t pc = backtrace->pc[i];
        bool returns = i > 0 || !backtrace->is_interrupted;
        if (i > 0 && !verd__symbols_place(symbols, pc - 1)->is_code)
            return;
        alike = count_alike(backtrace, i);
        verd__line_text(&line, prefix);
        verd__symbols_tell(&line, symbols, pc, returns);
        if (alike > 1) {
            verd__line_text(&line, ", ");
            verd__line_number(&line, alike);
            verd__line_text(&line, " times");
        }
        verd__line_write_to(&line, output);
    }
}
