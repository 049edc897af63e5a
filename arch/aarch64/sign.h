/* SPDX-License-Identifier: MIT */
/* For assembly only. */
#ifndef VERD_ARCH_SIGN_H
#define VERD_ARCH_SIGN_H

/* clang-format off */

/* Signing return addresses (-mbranch-protection=pac-ret, +b-key): the compiler says which key.
 * All of these are hints, hence no-ops on processors that cannot sign; and paciasp and pacibsp are
 * landing pads as good as bti c. A function that has run SIGN keeps the signed address in x30
 * until AUTHENTICATE, and unwinders are told so. The stack pointer must be the same at both. */
#if defined(__ARM_FEATURE_PAC_DEFAULT) && (__ARM_FEATURE_PAC_DEFAULT & 2)
#define B_KEY .cfi_b_key_frame
#define SIGN hint #27 /* pacibsp */; .cfi_negate_ra_state
#define AUTHENTICATE hint #31 /* autibsp */; .cfi_negate_ra_state
#define TOGGLE_SIGNED .cfi_negate_ra_state
#define SIGN_X17_WITH_X16 hint #10 /* pacib1716 */
#elif defined(__ARM_FEATURE_PAC_DEFAULT)
#define B_KEY
#define SIGN hint #25 /* paciasp */; .cfi_negate_ra_state
#define AUTHENTICATE hint #29 /* autiasp */; .cfi_negate_ra_state
#define TOGGLE_SIGNED .cfi_negate_ra_state
#define SIGN_X17_WITH_X16 hint #8 /* pacia1716 */
#else
#define B_KEY
#define SIGN hint #34 /* bti c */
#define AUTHENTICATE
#define TOGGLE_SIGNED
#define SIGN_X17_WITH_X16
#endif

#endif
