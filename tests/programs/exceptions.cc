// SPDX-License-Identifier: MIT

// C++ exceptions inside a context: thrown and caught there, with switches on the way from the throw
// to the catch, and with others thrown and caught outside meanwhile.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <verd/context.h>

static verd_context here, there;
static char stack[256 * 1024];
static int destroyed, caught;

static void give_way()
{
    verd_context_switch(&there, &here, nullptr);
}

static void resume()
{
    verd_context_switch(&here, &there, nullptr);
}

// Its switch happens while an exception is under way.
struct guard {
    ~guard()
    {
        destroyed++;
        give_way();
    }
};

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "exceptions: %s\n", what);
    std::exit(1);
}

__attribute__((noinline)) static void throw_through(int depth)
{
    guard guard;
    if (depth == 1)
        throw std::runtime_error("from below");
    throw_through(depth - 1);
}

static void throw_and_catch(void *)
{
    for (;;) {
        try {
            give_way();
            throw_through(3);
        } catch (const std::runtime_error &) {
            caught++;
        }
    }
}

static void throw_and_catch_outside(int value)
{
    int got = -1;
    try {
        resume();
        throw value;
    } catch (int thrown) {
        got = thrown;
    }
    expect(got == value, "the wrong exception was caught outside");
}

int main()
{
    verd_context_make(&there, stack, sizeof stack, throw_and_catch);
    resume(); // into the try block
    for (int round = 1; round <= 1000; round++) {
        for (int i = 0; i < 3; i++)
            throw_and_catch_outside(i);
        expect(destroyed == 3 * round, "a destructor did not run in its turn");
        expect(caught == round - 1, "an exception was caught too early");
        resume(); // through the handler and into the next try block
        expect(caught == round, "the exception was not caught inside");
    }
}
