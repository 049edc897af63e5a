// SPDX-License-Identifier: MIT

// C++ exceptions that pass through verd_with_timeout: they arrive, the scope is over, and the thread waits
// on as if there had been none, over the frame that is gone.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <verd.h>

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "timeout_exceptions: %s\n", what);
    std::exit(1);
}

static void *throw_at_once(void *)
{
    throw std::runtime_error("thrown");
}

// The scope is armed.
static void *throw_later(void *)
{
    verd_sleep(VERD_MS);
    throw std::runtime_error("thrown");
}

// The scope has fired.
static void *throw_too_late(void *)
{
    while (verd_sleep(VERD_MS) == 0)
        ;
    throw std::runtime_error("thrown");
}

static void *throw_through_two(void *)
{
    verd_with_timeout(VERD_SEC, throw_later, nullptr, nullptr);
    return nullptr;
}

static bool arrives(verd_duration after, void *(*fn)(void *))
{
    try {
        verd_with_timeout(after, fn, nullptr, nullptr);
    } catch (const std::runtime_error &) {
        return true;
    }
    return false;
}

// Waits on a frame that covers those that are gone.
__attribute__((noinline)) static bool waits_over_frames()
{
    volatile unsigned char frame[4096];
    bool slept = true;
    std::memset(const_cast<unsigned char *>(frame), 0x55, sizeof frame);
    for (int i = 0; i < 5; i++)
        slept &= verd_sleep(VERD_MS) == 0;
    for (unsigned char byte : frame)
        slept &= byte == 0x55;
    return slept;
}

static bool outer_runs_out()
{
    verd_timeout outer;
    verd_timeout_begin(&outer, 5 * VERD_MS);
    bool arrived = arrives(VERD_SEC, throw_at_once);
    bool late = verd_sleep(VERD_FOREVER) == -1 && errno == ETIMEDOUT;
    return verd_timeout_end(&outer) && arrived && late;
}

// By a scope in a line. Returns whether it was there.
static bool leave_block(bool by_exception)
{
    VERD_WITHIN(limit, 3 * VERD_MS);
    verd_yield();
    if (by_exception)
        throw verd_timeout_left(&limit) >= 0;
    return verd_timeout_left(&limit) >= 0;
}

static bool leave_block_by_exception()
{
    try {
        leave_block(true);
    } catch (bool was_there) {
        return was_there;
    }
    return false;
}

static void *throw_in_every_way(void *)
{
    expect(arrives(3 * VERD_MS, throw_at_once), "the exception arrives");
    expect(waits_over_frames(), "a scope that was begun is over");
    expect(arrives(3 * VERD_MS, throw_later), "the exception arrives from an armed scope");
    expect(waits_over_frames(), "a scope that was armed is over");
    expect(arrives(VERD_MS, throw_too_late), "the exception arrives from a scope that has fired");
    expect(waits_over_frames(), "a scope that has fired is over");
    expect(arrives(3 * VERD_MS, throw_through_two), "the exception arrives through two scopes");
    expect(waits_over_frames(), "both scopes are over");
    expect(outer_runs_out(), "an enclosing scope runs out in its time");
    expect(waits_over_frames(), "and is over");
    expect(leave_block(false), "a block has a scope");
    expect(waits_over_frames(), "which is over when it is left");
    expect(leave_block_by_exception(), "a block that an exception leaves has a scope");
    expect(waits_over_frames(), "which is over, too");
    return nullptr;
}

int main()
{
    throw_in_every_way(nullptr);
    expect(verd_join(verd_spawn(throw_in_every_way, nullptr), nullptr) == 0,
           "so it is in a thread");
}
