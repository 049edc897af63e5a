/* SPDX-License-Identifier: MIT */
#include "debug/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <verd/trace.h>

#include "debug/path.h"
#include "debug/trace.h"
#include "sched/observe.h"
#include "sched/once.h"
#include "sched/scheduler.h"
#include "sched/setting.h"
#include "stack/line.h"
#include "stack/quiet.h"

#define HEAD "[\n{\"ph\":\"M\",\"name\":\"libverd\",\"pid\":0,\"tid\":0,\"args\":{}}"
#define TAIL "\n]\n"
#define EVENT ",\n{\"ph\":\"" /* and a letter */

#define PATIENCE 1000 /* milliseconds that a pipe may be full */

_Atomic(unsigned) verd__trace_number;
_Atomic(verd_duration) verd__trace_begin;

/* Locked in this order: all tapes, one of them, the file. */
static struct {
    pthread_mutex_t lock;
    struct verd__tape *first;
} tapes = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The file. */
static struct {
    pthread_mutex_t lock;
    int fd;                    /* -1: none is open */
    unsigned last;             /* number of a trace */
    int error;                 /* why it has ended before it was stopped; 0: it has not */
    bool is_begun;             /* it was not stopped yet, though it may have ended */
    uint64_t size, most;       /* bytes */
    char path[VERD__PATH_MAX]; /* as it was asked for */
    struct verd__symbols symbols;
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static struct verd__once once;

/* ---- the file; the lock is held ---- */

/* No hub adds anything from now on. */
static void cease(void)
{
    atomic_store(&verd__trace_number, 0);
    atomic_fetch_and(&verd__observed_by, ~(unsigned)VERD__FOR_TRACE);
}

static void close_file(void)
{
    close(trace.fd);
    trace.fd = -1;
    verd__symbols_close(&trace.symbols);
    cease();
}

/* Ends it before its time; 0: it is as long as it may be. */
static void end_early(int error)
{
    struct verd__line line = {0};
    verd__line_text(&line, "the trace ");
    verd__line_text(&line, trace.path);
    verd__line_text(&line, " ends here: ");
    verd__line_text(&line, error != 0 ? strerror(error) : "it is as long as it may be, ");
    if (error == 0) {
        verd__line_number(&line, trace.most);
        verd__line_text(&line, " bytes");
    }
    verd__line_write(&line);
    trace.error = error;
    close_file();
}

/* Whether writing is to be tried again after a failure. */
static bool may_try_again(void)
{
    struct pollfd room = {.fd = trace.fd, .events = POLLOUT};
    int error = errno;
    bool is_well = error == EINTR || (error == EAGAIN && poll(&room, 1, PATIENCE) == 1);
    errno = error;
    return is_well;
}

/* 0, or an errno. */
static int write_all(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(trace.fd, text, size);
        if (n == 0 || (n < 0 && !may_try_again()))
            return n < 0 ? errno : EIO;
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* Writes whole events; what is written of one in part is taken back. 0, or an errno; and no signal. */
static int write_out(const char *text, size_t size)
{
    struct verd__quiet quiet;
    verd__quiet_begin_file(&quiet);
    int error = write_all(text, size);
    if (error == 0)
        trace.size += size;
    else
        (void)!ftruncate(trace.fd, (off_t)trace.size); /* a pipe has no end to be cut */
    verd__quiet_end(&quiet, error);
    return error;
}

/* How much of the text there is room for, in whole events, and arrows with both of their ends. */
static size_t part_of(const char *text, size_t size, size_t room)
{
    const size_t length = strlen(EVENT);
    if (size <= room)
        return size;
    for (size_t at = room; at > 0; at--) {
        if (size - at > length && memcmp(text + at, EVENT, length) == 0 && text[at + length] != 'f')
            return at;
    }
    return 0;
}

static void add_to_file(const char *text, size_t size)
{
    if (trace.fd < 0)
        return;
    size_t part = part_of(text, size, trace.most - strlen(TAIL) - trace.size);
    int error = write_out(text, part);
    if (error == 0 && part < size)
        error = write_out(TAIL, strlen(TAIL));
    if (error != 0 || part < size)
        end_early(error);
}

/* ---- tapes ---- */

/* The tape is locked. */
static void flush(struct verd__tape *tape)
{
    if (tape->length == 0)
        return;
    pthread_mutex_lock(&trace.lock);
    if (tape->trace == atomic_load(&verd__trace_number))
        add_to_file(tape->text, tape->length);
    pthread_mutex_unlock(&trace.lock);
    tape->length = 0;
}

void verd__tape_flush(struct verd__tape *tape)
{
    int error = errno;
    pthread_mutex_lock(&tape->lock);
    flush(tape);
    pthread_mutex_unlock(&tape->lock);
    errno = error;
}

struct verd__tape *verd__tape_new(void)
{
    struct verd__tape *tape = malloc(sizeof *tape);
    if (tape == NULL)
        return NULL;
    tape->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    tape->hub = gettid();
    tape->trace = 0;
    tape->length = 0;
    pthread_mutex_lock(&tapes.lock);
    tape->next = tapes.first;
    tapes.first = tape;
    pthread_mutex_unlock(&tapes.lock);
    return tape;
}

void verd__tape_free(struct verd__tape *tape)
{
    verd__tape_flush(tape);
    pthread_mutex_lock(&tapes.lock);
    struct verd__tape **at = &tapes.first;
    while (*at != tape)
        at = &(*at)->next;
    *at = tape->next;
    pthread_mutex_unlock(&tapes.lock);
    free(tape);
}

bool verd__event_begin(struct verd__tape *tape)
{
    pthread_mutex_lock(&tape->lock);
    unsigned number = atomic_load(&verd__trace_number);
    if (number == 0 || tape->trace != number) {
        pthread_mutex_unlock(&tape->lock);
        return false;
    }
    if (VERD__TAPE_SIZE - tape->length < VERD__EVENT_MAX)
        flush(tape);
    return true;
}

void verd__event_end(struct verd__tape *tape)
{
    pthread_mutex_unlock(&tape->lock);
}

const char *verd__function_name(struct verd__tape *tape, uintptr_t address)
{
    struct verd__function *function = &tape->functions[(address >> 4) % VERD__FUNCTIONS];
    if (function->address == address)
        return function->name;
    struct verd__line line = {0};
    verd__line_address(&line, address);
    line.text[line.length] = '\0';
    pthread_mutex_lock(&trace.lock);
    const char *found = trace.fd >= 0 ? verd__symbols_find(&trace.symbols, address) : NULL;
    const char *name = found != NULL ? found : line.text;
    size_t length = strnlen(name, sizeof function->name - 1);
    memcpy(function->name, name, length);
    pthread_mutex_unlock(&trace.lock);
    function->name[length] = '\0';
    function->address = address;
    return function->name;
}

/* ---- begin and end ---- */

/* Names of what the process has open, which nobody else can have put there: the links among them are followed. */
static bool is_descriptor(const char *path)
{
    static const char *const beginnings[] = {"/dev/fd/", "/dev/std", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncmp(path, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return false;
}

/* What was there before is emptied and becomes the process's own, if it is a file of its user's to which no other process
 * writes a trace. 0, or an errno. */
static int take_file(void)
{
    struct stat status;
    if (fstat(trace.fd, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return 0;
    if (status.st_uid != geteuid())
        return EPERM;
    if (flock(trace.fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return EBUSY;
    return fchmod(trace.fd, 0600) != 0 || ftruncate(trace.fd, 0) != 0 ? errno : 0;
}

static int open_file(void)
{
    char path[VERD__PATH_MAX + 16];
    verd__path_expand(path, trace.path);
    /* O_NONBLOCK: a FIFO need not have a reader. */
    trace.fd = open(path,
                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                        (is_descriptor(path) ? 0 : O_NOFOLLOW),
                    0600);
    if (trace.fd < 0)
        return errno;
    trace.size = 0;
    int error = take_file();
    if (error == 0)
        error = write_out(HEAD, strlen(HEAD));
    if (error != 0) {
        close(trace.fd);
        trace.fd = -1;
    }
    return error;
}

/* The file has been opened. */
static void begin(void)
{
    verd__symbols_open(&trace.symbols);
    verd__trace_begin = verd_now();
    trace.error = 0;
    trace.is_begun = true;
    atomic_store(&verd__trace_number, ++trace.last);
    atomic_fetch_or(&verd__observed_by, VERD__FOR_TRACE);
}

/* In the child of a fork, which is alone. What the parent's other hubs had is nobody's. The child
 * goes on in a file of its own, if the path has its number in it. */
static void fork_child(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    struct verd__tape *own = scheduler != NULL ? scheduler->observed.tape : NULL;
    tapes.lock = trace.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    while (tapes.first != NULL) {
        struct verd__tape *tape = tapes.first;
        tapes.first = tape->next;
        if (tape != own)
            free(tape);
    }
    if (own != NULL) {
        own->next = NULL;
        own->length = 0;
        own->hub = gettid();
        own->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        tapes.first = own;
    }
    bool goes_on = trace.fd >= 0 && verd__path_is_own(trace.path);
    if (trace.fd >= 0)
        close_file();
    trace.is_begun = false;
    if (goes_on && open_file() == 0)
        begin();
}

/* A process that exits has its trace end well. */
static void at_exit(void)
{
    if (atomic_load(&verd__trace_number) != 0)
        verd_trace_stop();
}

static int prepare(void)
{
    int error = pthread_atfork(NULL, NULL, fork_child);
    if (error == 0 && atexit(at_exit) != 0)
        error = ENOMEM;
    if (error == 0)
        atomic_store(&verd__tracer, &verd__trace_writer);
    return error;
}

/* How long it may be. */
static uint64_t most(void)
{
    uint64_t size = VERD_TRACE_SIZE;
    verd__setting_number("VERD_TRACE_SIZE", 4096, INT64_MAX, "a trace is as long as ever", &size);
    return size;
}

static int start(const char *path)
{
    int error = EBUSY;
    pthread_mutex_lock(&trace.lock);
    if (!trace.is_begun) {
        memcpy(trace.path, path, strlen(path) + 1);
        trace.most = most();
        error = open_file();
        if (error == 0)
            begin();
    }
    pthread_mutex_unlock(&trace.lock);
    return error;
}

int verd_trace_start(const char *path)
{
    int error = path == NULL || path[0] == '\0'     ? EINVAL
                : strlen(path) >= sizeof trace.path ? ENAMETOOLONG
                                                    : verd__once(&once, prepare);
    if (error == 0)
        error = start(path);
    if (error != 0) {
        errno = error;
        return -1;
    }
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler != NULL)
        verd__observe(scheduler, verd__observers(scheduler));
    return 0;
}

/* The calling hub writes of what is still on; of the others it is written what they have. */
static void flush_all(void)
{
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler != NULL && scheduler->observed.by & VERD__FOR_TRACE)
        verd__observe(scheduler, verd__observers(scheduler) & ~(unsigned)VERD__FOR_TRACE);
    pthread_mutex_lock(&tapes.lock);
    for (struct verd__tape *tape = tapes.first; tape != NULL; tape = tape->next)
        verd__tape_flush(tape);
    pthread_mutex_unlock(&tapes.lock);
}

int verd_trace_stop(void)
{
    flush_all();
    pthread_mutex_lock(&trace.lock);
    int error = trace.is_begun ? trace.error : EINVAL;
    if (trace.fd >= 0) {
        error = write_out(TAIL, strlen(TAIL));
        close_file();
    }
    trace.is_begun = false;
    pthread_mutex_unlock(&trace.lock);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}
