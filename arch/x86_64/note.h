/* SPDX-License-Identifier: MIT */
/* The end of each assembly file. */
/* clang-format off */

/* What this object promises the linker, in the format of the "Linux Extensions to gABI", section
 * ".note.gnu.property". Indirect branch tracking is true of the code above, and claimed when the
 * build asks for it. Shadow stacks are not: the switch does not change them. */
#if defined(__CET__) && (__CET__ & 1)
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4                         /* length of the name */
    .long 16                        /* length of the description */
    .long 5                         /* NT_GNU_PROPERTY_TYPE_0 */
    .asciz "GNU"
    .long 0xc0000002                /* GNU_PROPERTY_X86_FEATURE_1_AND */
    .long 4                         /* length of the property */
    .long 1                         /* GNU_PROPERTY_X86_FEATURE_1_IBT */
    .long 0                         /* padding */
#endif

    .section .note.GNU-stack, "", @progbits
