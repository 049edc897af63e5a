/* SPDX-License-Identifier: MIT */
#include "stack/backtrace.h"

#include <string.h>

#include "frame.h"
#include "interrupted.h"
#include "stack/peek.h"
#include "stack/sanitizer.h"

#define PAGE_LEAST 4096 /* bytes; larger ones are multiples */

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

void verd__backtrace_of_frame(struct verd__backtrace *backtrace, const void *sp, uintptr_t high)
{
    struct verd__frame frame;
    backtrace->count = 0;
    backtrace->is_interrupted = false;
    backtrace->sp = (uintptr_t)sp;
    if (!verd__peek(&frame, sp, sizeof frame))
        return;
    add(backtrace, verd__unsigned_pc((uintptr_t)frame.record.pc));
    walk(backtrace, (uintptr_t)frame.record.fp, (uintptr_t)sp + sizeof frame, high);
}

void verd__backtrace_of_context(struct verd__backtrace *backtrace, const verd_context *context,
                                uintptr_t high)
{
    const void *sp = context->sp;
    if (VERD__ANNOUNCED) /* fibre.c: a struct suspended, at whose beginning it is */
        verd__peek(&sp, sp, sizeof sp);
    verd__backtrace_of_frame(backtrace, sp, high);
}

/* As many words as there are: the stack may end before, at the end of a page. */
static void keep_words(struct verd__backtrace *backtrace)
{
    size_t size = sizeof backtrace->words, kept = 0;
    memset(backtrace->words, 0, size);
    while (kept < size) {
        uintptr_t from = backtrace->sp + kept;
        size_t piece = PAGE_LEAST - from % PAGE_LEAST;
        if (piece > size - kept)
            piece = size - kept;
        if (!verd__peek((char *)backtrace->words + kept, (const void *)from, piece))
            return;
        kept += piece;
    }
}

void verd__backtrace_of_signal(struct verd__backtrace *backtrace, const ucontext_t *context,
                               uintptr_t high)
{
    backtrace->count = 0;
    backtrace->is_interrupted = true;
    backtrace->has_guess = backtrace->lacks_frame = false;
    backtrace->sp = verd__interrupted_sp(context);
    backtrace->fp = verd__interrupted_fp(context);
    backtrace->link = verd__interrupted_link(context);
    keep_words(backtrace);
    add(backtrace, verd__interrupted_pc(context));
    walk(backtrace, backtrace->fp, backtrace->sp, high);
}

void verd__backtrace_of_waiting(struct verd__backtrace *backtrace, uintptr_t sp, uintptr_t pc)
{
    backtrace->count = 0;
    backtrace->is_interrupted = backtrace->lacks_frame = true;
    backtrace->has_guess = false;
    backtrace->sp = sp;
    backtrace->fp = backtrace->link = 0;
    keep_words(backtrace);
    add(backtrace, pc);
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

static bool is_of_program(struct verd__symbols *symbols, uintptr_t pc)
{
    const struct verd__place *place = verd__symbols_place(symbols, pc);
    return place->mapping == NULL && place->function.name != NULL;
}

/* Whether a call may have returned here to the program. */
static bool is_return(struct verd__symbols *symbols, uintptr_t pc)
{
    return pc != 0 && verd__follows_call(pc) && is_of_program(symbols, pc - 1);
}

/* Where the word lies that returns to the program; VERD__FRAME_WORDS: nowhere. What lies above the frame
 * record that the walk began with is known. */
static size_t find_return(const struct verd__backtrace *backtrace, struct verd__symbols *symbols)
{
    size_t end = VERD__FRAME_WORDS;
    size_t known = (backtrace->fp - backtrace->sp) / sizeof(uintptr_t);
    if (backtrace->count > 1 && known < end)
        end = known;
    for (size_t i = 0; i < end; i++) {
        if (is_return(symbols, verd__unsigned_pc(backtrace->words[i])))
            return i;
    }
    return VERD__FRAME_WORDS;
}

/* Whether there is a frame record of the program's among the words. */
static bool is_record(const struct verd__backtrace *backtrace, struct verd__symbols *symbols,
                      size_t word)
{
    uintptr_t at = backtrace->sp + word * sizeof(uintptr_t);
    bool leads_up = backtrace->words[word] == 0 || backtrace->words[word] > at;
    return leads_up && is_return(symbols, verd__unsigned_pc(backtrace->words[word + 1]));
}

/* The frame pointer held something else, or is not known: the frame record above the word that a call of the function
 * has made to which the word returns; if none shows that, the first one. Others may be left from earlier calls. */
static void walk_from(struct verd__backtrace *backtrace, struct verd__symbols *symbols, size_t word,
                      uintptr_t high)
{
    uintptr_t pc = verd__unsigned_pc(backtrace->words[word]);
    uintptr_t function = verd__symbols_place(symbols, pc - 1)->function.start;
    size_t found = 0;
    for (size_t i = word + 1; i + 1 < VERD__FRAME_WORDS; i++) {
        if (!is_record(backtrace, symbols, i))
            continue;
        bool is_its = verd__called(verd__unsigned_pc(backtrace->words[i + 1])) == function;
        if (found == 0 || is_its)
            found = i;
        if (is_its)
            break;
    }
    uintptr_t at = backtrace->sp + found * sizeof(uintptr_t);
    if (found != 0)
        walk(backtrace, at, at, high);
}

static void insert(struct verd__backtrace *backtrace, uintptr_t pc)
{
    size_t count = backtrace->count;
    if (count == VERD__FRAMES_MAX)
        count--;
    for (size_t i = count; i > 1; i--)
        backtrace->pc[i] = backtrace->pc[i - 1];
    backtrace->pc[1] = pc;
    backtrace->count = count + 1;
    backtrace->has_guess = true;
}

void verd__backtrace_mend(struct verd__backtrace *backtrace, struct verd__symbols *symbols,
                          uintptr_t high)
{
    uintptr_t link = backtrace->link;
    if (!backtrace->is_interrupted || backtrace->has_guess ||
        (!backtrace->lacks_frame && is_of_program(symbols, backtrace->pc[0])))
        return;
    if (backtrace->count > 1 && !verd__symbols_place(symbols, backtrace->pc[1] - 1)->is_code)
        backtrace->count = 1;
    if (link != 0 && (backtrace->count < 2 || link != backtrace->pc[1]) &&
        is_return(symbols, link)) {
        insert(backtrace, link);
        return;
    }
    size_t word = find_return(backtrace, symbols);
    if (word == VERD__FRAME_WORDS)
        return;
    bool is_whole = backtrace->count > 1;
    insert(backtrace, verd__unsigned_pc(backtrace->words[word]));
    if (!is_whole)
        walk_from(backtrace, symbols, word, high);
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
        if (i == 1 && backtrace->is_interrupted && backtrace->has_guess)
            verd__line_text(&line, ", probably");
        verd__line_write_to(&line, output);
    }
}
