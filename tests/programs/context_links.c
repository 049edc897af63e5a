/* SPDX-License-Identifier: MIT */

/* A little of everything that a compiler or a linker could break in a context: arguments, deep
 * calls, arrays under a stack protector, a checked longjmp. context_link_modes.sh builds it in many
 * ways. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd/context.h>

#define CONTEXTS 3

static verd_context here, there[CONTEXTS];
static char stacks[CONTEXTS][64 * 1024 + 1];

__attribute__((noinline)) static unsigned long fibonacci(unsigned n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/* The arrays are what protectors and fortified functions look at. */
__attribute__((noinline)) static int format_and_parse(unsigned long number)
{
    char text[32], copy[32];
    snprintf(text, sizeof text, "%lu", number);
    memcpy(copy, text, strlen(text) + 1);
    return strtoul(copy, NULL, 10) == number;
}

__attribute__((noinline)) static void jump_back(jmp_buf *from, int depth)
{
    longjmp(*from, depth + 4);
}

__attribute__((noinline)) static void go_deeper(jmp_buf *from, int depth)
{
    jump_back(from, depth);
}

__attribute__((noinline)) static int jump_within_the_stack(void)
{
    jmp_buf from;
    int value = setjmp(from);
    if (value == 0)
        go_deeper(&from, 3);
    return value == 7;
}

static void work(void *value)
{
    for (unsigned self = *(unsigned *)value;; self = *(unsigned *)value) {
        int right = fibonacci(10 + self) + fibonacci(11 + self) == fibonacci(12 + self);
        right = right && format_and_parse(self * 1000003ul) && jump_within_the_stack();
        value = verd_context_switch(&there[self], &here, right ? value : NULL);
    }
}

int main(void)
{
    for (unsigned i = 0; i < CONTEXTS; i++)
        verd_context_make(&there[i], stacks[i], sizeof stacks[i], work);
    for (int round = 0; round < 100; round++)
        for (unsigned i = 0; i < CONTEXTS; i++)
            if (verd_context_switch(&here, &there[i], &i) != &i) {
                printf("context_links: context %u went wrong in round %d\n", i, round);
                return 1;
            }
    return 0;
}
