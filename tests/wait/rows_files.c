/* SPDX-License-Identifier: MIT */
/* What is offloaded: functions, names, files. Each kind has one OS thread, which is busy until the event. */
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "offload/inbox.h"
#include "offload/offload.h"
#include "offload/workers.h"
#include "process.h"
#include "table.h"

static verd_hub *hub;
static sem_t leave;
static _Atomic(bool) busy, idle;
static enum verd_offload_kind busy_kind; /* whose only OS thread is busy */

static void *keep_busy(void *arg)
{
    atomic_store(&busy, true);
    while (sem_wait(&leave) != 0)
        ;
    return arg;
}

/* It is offloaded by an OS thread of its own, so that this one's hub hears nothing of it. */
static void *offload_elsewhere(void *arg)
{
    /* Its hub has its descriptors before others are counted, and keeps them. */
    must(verd_hub_open() != NULL && verd_sleep(VERD_MS) == 0, "verd_hub_open");
    const struct verd__offload offload = {.kind = busy_kind, .fn = keep_busy};
    must(verd__offload(&offload, NULL) == 0, "verd_offload");
    atomic_store(&idle, true);
    pause();
    return arg;
}

static void keep_pool_busy(enum verd_offload_kind kind)
{
    pthread_t os_thread;
    sem_init(&leave, 0, 0);
    busy_kind = kind;
    verd__workers_resize(kind, 1);
    must(pthread_create(&os_thread, NULL, offload_elsewhere, NULL) == 0, "pthread_create");
    while (!atomic_load(&busy))
        usleep(100);
    hub = verd_hub_open();
    must(hub != NULL, "verd_hub_open");
}

static void keep_functions_busy(void)
{
    keep_pool_busy(VERD_OFFLOAD_FUNCTIONS);
}

static void keep_names_busy(void)
{
    keep_pool_busy(VERD_OFFLOAD_NAMES);
}

static void keep_files_busy(void)
{
    keep_pool_busy(VERD_OFFLOAD_FILES);
}

static void leave_pool(void)
{
    sem_post(&leave);
    while (!atomic_load(&idle))
        usleep(100);
}

static size_t messages(void)
{
    size_t count = 0;
    for (const struct verd__message *at = atomic_load(&hub->messages); at != NULL; at = at->next)
        count++;
    return count;
}

/* Until all that was offloaded is done, and the hub has been told, but has not looked. */
static void await_messages(void)
{
    while (messages() < hub->callers)
        usleep(100);
}

/* ---- functions ---- */

static _Atomic(int) begun, released;
static int succeeded;
static sem_t finish;
static pid_t opener;

static void *give_back(void *arg)
{
    atomic_fetch_add(&begun, 1);
    return arg;
}

static void *finish_later(void *arg)
{
    atomic_fetch_add(&begun, 1);
    while (sem_wait(&finish) != 0)
        ;
    sem_post(&finish); /* for all */
    return arg;
}

static void release(void *arg, void *result)
{
    must(result == NULL || result == arg, "the result");
    atomic_fetch_add(&released, 1);
}

static void open_finish(void)
{
    opener = getpid();
    hub = verd_hub_open();
    sem_init(&finish, 0, 0);
}

static void post_finish(void)
{
    sem_post(&finish);
}

static intptr_t offload(void)
{
    void *result = NULL;
    return verd_offload(give_back, (void *)3, &result) == 0 ? (intptr_t)result : -errno;
}

static intptr_t offload_with(void)
{
    void *result = NULL;
    if (verd_offload_with(give_back, (void *)3, release, &result) != 0)
        return -errno;
    succeeded++;
    return (intptr_t)result;
}

static intptr_t offload_for_long(void)
{
    void *result = NULL;
    if (verd_offload_with(finish_later, (void *)3, release, &result) != 0)
        return -errno;
    succeeded++;
    return (intptr_t)result;
}

static bool has_not_begun(void)
{
    return atomic_load(&begun) == 0;
}

/* What has begun and was given up, ends some time; in the parent what was begun before a fork. */
static bool each_was_released(void)
{
    if (column_played == FORKS_CHILD && getpid() != opener)
        atomic_fetch_sub(&begun, 1);
    while (atomic_load(&released) + succeeded < atomic_load(&begun))
        usleep(100);
    return succeeded == 1;
}

/* ---- names ---- */

static int listener, port;

static void listen_and_keep_busy(void)
{
    listener = verd_listen("127.0.0.1", 0, 0);
    port = verd_port(listener);
    keep_names_busy();
}

static intptr_t look_up(void)
{
    struct addrinfo *found = NULL;
    int error = verd_getaddrinfo("localhost", NULL, NULL, &found);
    if (error != 0)
        return error == EAI_SYSTEM ? -errno : error;
    freeaddrinfo(found);
    return 0;
}

static intptr_t connect_by_name(void)
{
    int fd = verd_connect("localhost", port);
    return fd >= 0 ? verd_close(fd) : -errno;
}

static intptr_t listen_by_name(void)
{
    int fd = verd_listen("localhost", 0, 0);
    return fd >= 0 ? verd_close(fd) : -errno;
}

/* ---- files ---- */

static int file;
static char name[] = "/tmp/verd-wait-XXXXXX";
static struct stat status;
static size_t descriptors;
static _Atomic(int) *moved; /* bytes, by a fork's child as well, as the file is shared */

static void share_file(void)
{
    keep_files_busy();
    moved = mmap(NULL, sizeof *moved, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(moved != MAP_FAILED, "mmap");
}

static void make_file(void)
{
    share_file();
    file = mkstemp(name);
    must(file >= 0 && unlink(name) == 0, "mkstemp");
}

/* The page cache knows nothing of it. */
static void open_uncached(void)
{
    share_file();
    file = open("/proc/version", O_RDONLY | O_CLOEXEC);
    must(file >= 0, "/proc/version");
}

static void count_descriptors(void)
{
    keep_pool_busy(VERD_OFFLOAD_OPENS);
    descriptors = process_descriptors();
}

static intptr_t open_file(void)
{
    int fd = verd_open("/proc/version", O_RDONLY);
    return fd >= 0 ? close(fd) : -errno;
}

static bool none_is_open(void)
{
    /* Those of an OS thread's hub end with it. */
    return column_played == OS_THREAD_END || process_descriptors() == descriptors;
}

static intptr_t pread_file(void)
{
    char byte;
    return result_of(verd_pread(file, &byte, 1, 0));
}

static intptr_t read_file(void)
{
    char byte;
    intptr_t result = result_of(verd_read(file, &byte, 1));
    atomic_fetch_add(moved, result == 1);
    return result;
}

static bool as_many_were_read(void)
{
    return lseek(file, 0, SEEK_CUR) == atomic_load(moved);
}

static intptr_t pwrite_file(void)
{
    intptr_t result = result_of(verd_pwrite(file, "y", 1, 0));
    atomic_fetch_add(moved, result == 1);
    return result;
}

static intptr_t write_file(void)
{
    intptr_t result = result_of(verd_write(file, "y", 1));
    atomic_fetch_add(moved, result == 1);
    return result;
}

static bool as_many_were_written(void)
{
    return fstat(file, &status) == 0 && status.st_size == atomic_load(moved);
}

static bool as_was_told(void)
{
    return fstat(file, &status) == 0 && status.st_size == (atomic_load(moved) > 0);
}

static intptr_t fsync_file(void)
{
    return result_of(verd_fsync(file));
}

static intptr_t fdatasync_file(void)
{
    return result_of(verd_fdatasync(file));
}

static intptr_t stat_path(void)
{
    return result_of(verd_stat("/proc/version", &status));
}

static intptr_t lstat_path(void)
{
    return result_of(verd_lstat("/proc/version", &status));
}

static intptr_t fstat_file(void)
{
    return result_of(verd_fstat(file, &status));
}

#define OFFLOADED(name, what, world, call_, result, account, traits_) \
    {.call = name,                                                    \
     .when = what,                                                    \
     .setup = world,                                                  \
     .make = call_,                                                   \
     .right = result,                                                 \
     .provoke = leave_pool,                                           \
     .arrive = await_messages,                                        \
     .untouched = account,                                            \
     .whole = account,                                                \
     .traits = (traits_) | OS_THREADS | ORPHANED,                     \
     .orphaned = result}

static const struct row rows[] = {
    {.call = "verd_offload",
     .when = "its turn",
     .setup = keep_functions_busy,
     .make = offload,
     .right = 3,
     .orphaned = 3,
     .provoke = leave_pool,
     .arrive = await_messages,
     .untouched = has_not_begun,
     .traits = OS_THREADS | ORPHANED},
    {.call = "verd_offload_with",
     .when = "its turn",
     .setup = keep_functions_busy,
     .make = offload_with,
     .right = 3,
     .orphaned = 3,
     .provoke = leave_pool,
     .arrive = await_messages,
     .untouched = has_not_begun,
     .whole = each_was_released,
     .traits = OS_THREADS | ORPHANED},
    {.call = "verd_offload_with",
     .when = "the function to return",
     .setup = open_finish,
     .make = offload_for_long,
     .right = 3,
     .provoke = post_finish,
     .arrive = await_messages,
     .whole = each_was_released,
     .traits = OS_THREADS},
    OFFLOADED("verd_getaddrinfo", "the resolver", keep_names_busy, look_up, 0, NULL, 0),
    OFFLOADED("verd_connect", "the resolver", listen_and_keep_busy, connect_by_name, 0, NULL,
              EITHER),
    OFFLOADED("verd_listen", "the resolver", keep_names_busy, listen_by_name, 0, NULL, 0),
    OFFLOADED("verd_open", "a file", count_descriptors, open_file, 0, none_is_open, 0),
    OFFLOADED("verd_pread", "a disk", open_uncached, pread_file, 1, NULL, 0),
    OFFLOADED("verd_read", "a disk", open_uncached, read_file, 1, as_many_were_read, FINISHES),
    OFFLOADED("verd_pwrite", "a disk", make_file, pwrite_file, 1, as_was_told, FINISHES),
    OFFLOADED("verd_write", "a disk", make_file, write_file, 1, as_many_were_written, FINISHES),
    OFFLOADED("verd_fsync", "a disk", make_file, fsync_file, 0, NULL, 0),
    OFFLOADED("verd_fdatasync", "a disk", make_file, fdatasync_file, 0, NULL, 0),
    OFFLOADED("verd_stat", "a disk", keep_files_busy, stat_path, 0, NULL, 0),
    OFFLOADED("verd_lstat", "a disk", keep_files_busy, lstat_path, 0, NULL, 0),
    OFFLOADED("verd_fstat", "a disk", make_file, fstat_file, 0, NULL, 0),
};

const struct rows rows_of_files = ROWS(rows);
