/* SPDX-License-Identifier: MIT */
#include "sched/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

verd_duration verd_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (verd_duration)now.tv_sec * VERD_SEC + now.tv_nsec;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int trusted;

/* Whether CLOCK_MONOTONIC is the counter, too. */
static void ask_kernel(void)
{
    static const char wanted[] = VERD__CYCLES_CLOCKSOURCE "\n";
    char found[sizeof wanted] = {0};
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t length = read(fd, found, sizeof found);
    trusted = length == sizeof wanted - 1 && memcmp(found, wanted, sizeof wanted - 1) == 0;
    close(fd);
}

int verd__clock_start(struct verd__clock *clock)
{
    int saved = errno;
    pthread_once(&once, ask_kernel);
    errno = saved;
    if (!trusted)
        return 0;
    clock->cycles = verd__cycles();
    clock->time = verd_now();
    return clock->cycles != 0;
}

verd_duration verd__timestamp_time(const struct verd__clock *clock, uint64_t timestamp)
{
    uint64_t cycles = verd__cycles();
    verd_duration now = verd_now();
    if (timestamp < clock->cycles || cycles <= timestamp || now <= clock->time)
        return now; /* the counter was set back, as after a suspension of the machine: be late */
    __extension__ typedef unsigned __int128 wide;
    uint64_t passed = (uint64_t)((wide)(cycles - timestamp) * (uint64_t)(now - clock->time) /
                                 (cycles - clock->cycles));
    return now - (verd_duration)passed;
}

void verd__clock_learn(struct verd__clock *clock, uint64_t timestamp, verd_duration time)
{
    verd_duration passed = time - clock->time;
    if (!verd__clock_runs(clock) || passed < VERD_MS)
        return;
    if (timestamp > clock->cycles && passed < 3600 * VERD_SEC)
        clock->span = (timestamp - clock->cycles) * (uint64_t)VERD__SPAN / (uint64_t)passed;
    clock->cycles = timestamp;
    clock->time = time;
}
