/* SPDX-License-Identifier: MIT */
/*
 * What the suite uses of Criterion, in place of it, where Criterion cannot be: under memcheck it takes longer to start a
 * process for each test than the tests take, and MemorySanitizer wants all that writes to be built with it. Here each test
 * runs in a fork of one process (forked.c); what a test or run-tests sees of it is the same.
 */
#ifndef TESTS_SUPPORT_FORKED_CRITERION_H
#define TESTS_SUPPORT_FORKED_CRITERION_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct criterion_test_params {
    size_t size;
    void *params;
    size_t length;
};

/* Of a test or of a suite; a suite's init comes before the test's, and its fini after. */
struct forked_options {
    const char *name;
    void (*init)(void);
    void (*fini)(void);
    double timeout; /* seconds; 0: VERD_TEST_TIMEOUT */
};

struct forked_suite {
    struct forked_options options;
    struct forked_suite *next;
};

struct forked_test {
    const char *suite;
    void (*body)(void *parameter);
    struct criterion_test_params (*parameters)(void); /* NULL: it has none, and runs once */
    struct criterion_test_params made;                /* by it, once it runs */
    struct forked_options options;
    struct forked_test *next;
};

void forked_add_test(struct forked_test *test);
void forked_add_suite(struct forked_suite *suite);

/* The message is optional, and its format a literal: it follows an empty one. */
void forked_note_failure(const char *file, int line, const char *what, const char *format, ...);
_Noreturn void forked_fail(const char *file, int line, const char *what, const char *format, ...);
_Noreturn void forked_skip(const char *format, ...);

#define FORKED_NAME(suite_, name_, part_) suite_##_##name_##_##part_

#define FORKED_ADD(suite_, name_, parameters_, ...)                                \
    static struct forked_test FORKED_NAME(suite_, name_, test) = {                 \
        .suite = #suite_,                                                          \
        .body = FORKED_NAME(suite_, name_, body),                                  \
        .parameters = (parameters_),                                               \
        .options = {.name = #name_, __VA_ARGS__},                                  \
    };                                                                             \
    __attribute__((constructor)) static void FORKED_NAME(suite_, name_, add)(void) \
    {                                                                              \
        forked_add_test(&FORKED_NAME(suite_, name_, test));                        \
    }

#define Test(suite_, name_, ...)                                   \
    static void FORKED_NAME(suite_, name_, impl)(void);            \
    static void FORKED_NAME(suite_, name_, body)(void *parameter_) \
    {                                                              \
        (void)parameter_;                                          \
        FORKED_NAME(suite_, name_, impl)();                        \
    }                                                              \
    FORKED_ADD(suite_, name_, NULL, __VA_ARGS__)                   \
    static void FORKED_NAME(suite_, name_, impl)(void)

#define ParameterizedTest(parameter, suite_, name_, ...)                           \
    static void FORKED_NAME(suite_, name_, impl)(parameter);                       \
    static void FORKED_NAME(suite_, name_, body)(void *parameter_)                 \
    {                                                                              \
        FORKED_NAME(suite_, name_, impl)(parameter_);                              \
    }                                                                              \
    FORKED_ADD(suite_, name_, FORKED_NAME(suite_, name_, parameters), __VA_ARGS__) \
    static void FORKED_NAME(suite_, name_, impl)(parameter)

#define ParameterizedTestParameters(suite_, name_) \
    static struct criterion_test_params FORKED_NAME(suite_, name_, parameters)(void)

#define TestSuite(name_, ...)                                                              \
    static struct forked_suite suite_##name_ = {.options = {.name = #name_, __VA_ARGS__}}; \
    __attribute__((constructor)) static void suite_##name_##_add(void)                     \
    {                                                                                      \
        forked_add_suite(&suite_##name_);                                                  \
    }                                                                                      \
    struct forked_suite

#define cr_malloc malloc
#define cr_make_param_array(type, array, count) \
    ((struct criterion_test_params){sizeof(type), (void *)(array), count})

#define cr_skip_test(...) forked_skip("" __VA_ARGS__)
#define cr_skip cr_skip_test

static inline bool forked_same_text(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* `act` is what to do where it does not hold. */
#define FORKED_CHECK(act, holds, what, ...)                \
    do {                                                   \
        if (!(holds))                                      \
            act(__FILE__, __LINE__, what, "" __VA_ARGS__); \
    } while (0)
#define FORKED_TRUE(act, a, ...) FORKED_CHECK(act, a, #a, __VA_ARGS__)
#define FORKED_FALSE(act, a, ...) FORKED_CHECK(act, !(a), "!(" #a ")", __VA_ARGS__)
#define FORKED_OPERATOR(act, a, op, b, ...) \
    FORKED_CHECK(act, (a)op(b), #a " " #op " " #b, __VA_ARGS__)
#define FORKED_TEXT(act, same, a, b, ...)               \
    FORKED_CHECK(act, forked_same_text(a, b) == (same), \
                 (same) ? "the same texts: " #a ", " #b : "other texts: " #a ", " #b, __VA_ARGS__)
#define FORKED_BYTES(act, a, b, size, ...) \
    FORKED_CHECK(act, memcmp(a, b, size) == 0, "the same bytes: " #a ", " #b, __VA_ARGS__)

#define cr_assert_fail(...) forked_fail(__FILE__, __LINE__, "unconditional", "" __VA_ARGS__)

#define cr_assert(...) FORKED_TRUE(forked_fail, __VA_ARGS__)
#define cr_assert_not(...) FORKED_FALSE(forked_fail, __VA_ARGS__)
#define cr_assert_null(a, ...) FORKED_OPERATOR(forked_fail, a, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...) FORKED_OPERATOR(forked_fail, a, !=, NULL, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) FORKED_OPERATOR(forked_fail, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) FORKED_OPERATOR(forked_fail, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) FORKED_OPERATOR(forked_fail, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) FORKED_OPERATOR(forked_fail, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) FORKED_OPERATOR(forked_fail, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) FORKED_OPERATOR(forked_fail, a, >=, b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) FORKED_TEXT(forked_fail, true, a, b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) FORKED_TEXT(forked_fail, false, a, b, __VA_ARGS__)
#define cr_assert_arr_eq(...) FORKED_BYTES(forked_fail, __VA_ARGS__)

#define cr_expect(...) FORKED_TRUE(forked_note_failure, __VA_ARGS__)
#define cr_expect_not(...) FORKED_FALSE(forked_note_failure, __VA_ARGS__)
#define cr_expect_null(a, ...) FORKED_OPERATOR(forked_note_failure, a, ==, NULL, __VA_ARGS__)
#define cr_expect_not_null(a, ...) FORKED_OPERATOR(forked_note_failure, a, !=, NULL, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) FORKED_OPERATOR(forked_note_failure, a, ==, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) FORKED_OPERATOR(forked_note_failure, a, !=, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) FORKED_OPERATOR(forked_note_failure, a, <, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) FORKED_OPERATOR(forked_note_failure, a, <=, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) FORKED_OPERATOR(forked_note_failure, a, >, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) FORKED_OPERATOR(forked_note_failure, a, >=, b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) FORKED_TEXT(forked_note_failure, true, a, b, __VA_ARGS__)
#define cr_expect_arr_eq(...) FORKED_BYTES(forked_note_failure, __VA_ARGS__)

#endif
