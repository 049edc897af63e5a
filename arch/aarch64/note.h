/* SPDX-License-Identifier: MIT */
/* The end of each assembly file. */
/* clang-format off */

/* What this object promises the linker, in the format of "ELF for the Arm 64-bit Architecture",
 * section "Program Property": landing pads and signing, each when the build asks for it. */
#if defined(__ARM_FEATURE_BTI_DEFAULT) || defined(__ARM_FEATURE_PAC_DEFAULT)
#if !defined(__ARM_FEATURE_PAC_DEFAULT)
#define FEATURES 1 /* GNU_PROPERTY_AARCH64_FEATURE_1_BTI */
#elif !defined(__ARM_FEATURE_BTI_DEFAULT)
#define FEATURES 2 /* GNU_PROPERTY_AARCH64_FEATURE_1_PAC */
#else
#define FEATURES 3
#endif
    .section .note.gnu.property, "a", %note
    .p2align 3
    .long 4                         /* length of the name */
    .long 16                        /* length of the description */
    .long 5                         /* NT_GNU_PROPERTY_TYPE_0 */
    .asciz "GNU"
    .long 0xc0000000                /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
    .long 4                         /* length of the property */
    .long FEATURES
    .long 0                         /* padding */
#endif

    .section .note.GNU-stack, "", %progbits
