// SPDX-License-Identifier: MIT

// C++ exceptions are each green thread's own: those that it handles, and those that are on their way,
// while others throw and catch theirs.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include <verd.h>

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "thread_exceptions: %s\n", what);
    std::exit(1);
}

static void yield_times(unsigned times)
{
    while (times-- > 0)
        verd_yield();
}

// Gives way while its exception is on its way.
struct guard {
    unsigned times;

    ~guard()
    {
        expect(std::uncaught_exceptions() == 1, "one exception is on its way");
        yield_times(times);
        expect(std::uncaught_exceptions() == 1, "one exception is still on its way");
    }
};

static void throw_own(const std::string &text, unsigned times)
{
    guard guard{times};
    throw std::runtime_error(text);
}

static void throw_again(const std::string &text, unsigned times)
{
    yield_times(times);
    try {
        throw;
    } catch (const std::runtime_error &error) {
        yield_times(times + 1);
        expect(error.what() == text, "the exception thrown again is the thread's own");
    }
}

// Threads give way differently often, so that their handlers end in another order than they began.
static void *throw_and_catch(void *number)
{
    unsigned self = static_cast<unsigned>(reinterpret_cast<std::size_t>(number));
    std::string text = "thrown by thread " + std::to_string(self);
    for (unsigned round = 0; round < 100; round++) {
        unsigned times = (self + round) % 4;
        try {
            throw_own(text, times);
        } catch (const std::runtime_error &error) {
            throw_again(text, times);
            expect(error.what() == text, "the exception caught is the thread's own");
        }
        expect(std::current_exception() == nullptr, "no exception is handled any more");
        yield_times(times);
        expect(std::uncaught_exceptions() == 0, "no exception is on its way");
    }
    return number;
}

static void *look(void *)
{
    expect(std::current_exception() == nullptr, "a new thread handles no exception");
    expect(std::uncaught_exceptions() == 0, "none is on its way there");
    return nullptr;
}

int main()
{
    constexpr std::size_t many = 7;
    verd_thread *threads[many];
    for (std::size_t i = 0; i < many; i++)
        threads[i] = verd_spawn(throw_and_catch, reinterpret_cast<void *>(i));
    try {
        throw 42;
    } catch (int thrown) {
        verd_join(verd_spawn(look, nullptr), nullptr);
        for (verd_thread *thread : threads)
            expect(verd_join(thread, nullptr) == 0, "a thread came to its end");
        expect(thrown == 42 && std::current_exception() != nullptr, "main handles its own");
    }
}
