/* SPDX-License-Identifier: MIT */
#include "sched/carrier.h"

#include <string.h>

#include "sched/setting.h"

static const char variable[] = "VERD_THREADS";

/* What it has; NULL: nothing, or nothing that is known. */
static const char *read_setting(void)
{
    const char *text = verd__setting(variable);
    if (text == NULL || strcmp(text, "os") == 0)
        return text;
    verd__setting_refuse(variable, text, " is not os: green threads share their OS thread");
    return NULL;
}

#if VERD__CARRIERS

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "sched/exceptions.h"
#include "stack/line.h"

struct verd__carrier {
    pthread_t os_thread;
    pid_t number; /* as the kernel has it */
    struct verd__scheduler *scheduler;
    struct verd__exceptions *exceptions; /* its own; NULL: there is no C++ */
    verd_context_fn main;                /* what it calls at its first turn */
    pthread_cond_t told;                 /* that one of these has become true: */
    bool has_turn;
    bool is_to_end;
    bool has_cxx;
    stack_t signal_stack; /* the one of all; who runs may have a handler on it, nobody else */
    jmp_buf begin;
};

struct verd__carriers {
    pthread_mutex_t lock;      /* of what is told */
    struct verd__stack *ended; /* the carrier of which has handed over and ends; NULL: none */
    sigset_t mask;             /* of signals, of whoever had the turn last */
};

/* How many there may be in the process, lest it takes all of the machine's: there are 32,768 numbers by default. */
#define CARRIERS_MAX 10000

/* From here on several of a signal may be pending, in an order: these stay where they are. */
#define FIRST_QUEUED 32

static bool is_chosen;

static _Atomic(size_t) count;

static pthread_key_t end_of_carrier; /* set while one may not end */

static void ended_early(void *carrier)
{
    (void)carrier;
    verd__die("pthread_exit in a green thread: with VERD_THREADS=os that would end its own OS "
              "thread alone");
}

/* For dl_iterate_phdr: adds what the object has of thread-local variables. */
static int add_locals(struct dl_phdr_info *object, size_t size, void *sum)
{
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_TLS)
            *(size_t *)sum += object->dlpi_phdr[i].p_memsz + object->dlpi_phdr[i].p_align;
    }
    return 0;
}

/* What an OS thread needs of its stack for itself: a sanitizer's variables alone may be a megabyte. */
static size_t own_part(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t sum = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    dl_iterate_phdr(add_locals, &sum);
    return (sum + page - 1) / page * page;
}

bool verd__carriers_choose(void)
{
    if (read_setting() == NULL)
        return false;
    if (pthread_key_create(&end_of_carrier, ended_early) != 0) {
        verd__setting_refuse(variable, "os",
                             ": no key is left: green threads share their OS thread");
        return false;
    }
    verd__stack_extra = own_part();
    return is_chosen = true;
}

/* ---- the turn ---- */

/* But for those of what an OS thread itself does wrong: its stack may be full. */
static void block_signals(sigset_t *before)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t others;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&others, own[i]);
    pthread_sigmask(SIG_SETMASK, &others, before);
}

static void tell(struct verd__carriers *carriers, struct verd__carrier *carrier, bool *what)
{
    pthread_mutex_lock(&carriers->lock);
    *what = true;
    pthread_cond_signal(&carrier->told);
    pthread_mutex_unlock(&carriers->lock);
}

/* Signals that are pending on this OS thread alone, by their numbers, as bits. */
static uint64_t read_own_pending(void)
{
    char text[4096];
    int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *field = strstr(text, "\nSigPnd:");
    return field != NULL ? strtoull(field + strlen("\nSigPnd:"), NULL, 16) << 1 : 0;
}

/* Those, as raise has sent them while they were blocked, go along with the turn. */
static void hand_signals_over(const struct verd__carrier *carrier)
{
    static const struct timespec at_once;
    sigset_t pending, one;
    sigpending(&pending);
    if (sigisemptyset(&pending))
        return;
    uint64_t own = read_own_pending();
    for (int signal = 1; signal < FIRST_QUEUED; signal++) {
        sigemptyset(&one);
        sigaddset(&one, signal);
        if ((own >> signal & 1) && sigtimedwait(&one, NULL, &at_once) == signal)
            pthread_kill(carrier->os_thread, signal);
    }
}

static void hand_over(struct verd__carriers *carriers, const struct verd__thread *next,
                      verd_context_fn main)
{
    struct verd__carrier *carrier = next->stack->carrier;
    block_signals(&carriers->mask);
    hand_signals_over(carrier);
    carrier->main = main;
    tell(carriers, carrier, &carrier->has_turn);
}

static void forget(struct verd__stack *stack)
{
    atomic_fetch_sub(&count, 1);
    free(stack->carrier);
    stack->carrier = NULL;
}

/* The OS thread is gone from the stack, or is just going. */
static void join(struct verd__stack *stack)
{
    pthread_join(stack->carrier->os_thread, NULL);
    pthread_cond_destroy(&stack->carrier->told);
    forget(stack);
}

/* This OS thread has the turn: the scheduler is its own. */
static void arrive(struct verd__scheduler *scheduler, const struct verd__carrier *carrier)
{
    struct verd__carriers *carriers = scheduler->carriers;
    struct verd__stack *ended = carriers->ended;
    atomic_store(&scheduler->runs_on, carrier->number);
    scheduler->errno_location = &errno;
    scheduler->exceptions = carrier->exceptions;
    if (ended != NULL) {
        carriers->ended = NULL;
        join(ended);
        verd__stack_return(scheduler, ended);
    }
    pthread_sigmask(SIG_SETMASK, &carriers->mask, NULL);
}

/* With all signals blocked. If it is to end, that happens where it has begun, and nothing that lies between is
 * unwound. */
static void await_turn(struct verd__carrier *carrier)
{
    struct verd__carriers *carriers = carrier->scheduler->carriers;
    pthread_mutex_lock(&carriers->lock);
    while (!carrier->has_turn && !carrier->is_to_end)
        pthread_cond_wait(&carrier->told, &carriers->lock);
    bool ends = carrier->is_to_end;
    carrier->has_turn = false;
    pthread_mutex_unlock(&carriers->lock);
    if (ends)
        _longjmp(carrier->begin, 1);
    arrive(carrier->scheduler, carrier);
}

static __attribute__((noinline)) void *return_address(void)
{
    return __builtin_return_address(0);
}

/* The frame is what backtraces and debuggers begin with at a thread that does not run, as a switch leaves one. */
int verd__carrier_switch(struct verd__scheduler *scheduler, struct verd__thread *self,
                         const struct verd__thread *next, verd_context_fn main)
{
    struct verd__frame frame = {0};
    frame.record.fp = __builtin_frame_address(0);
    frame.record.pc = return_address();
    self->context.sp = &frame;
    hand_over(scheduler->carriers, next, main);
    await_turn(self->stack->carrier);
    errno = self->error;
    return self->outcome;
}

void verd__carrier_leave(struct verd__scheduler *scheduler, struct verd__stack *stack,
                         const struct verd__thread *next, verd_context_fn main)
{
    scheduler->carriers->ended = stack;
    hand_over(scheduler->carriers, next, main);
}

/* ---- beginning and end ---- */

static void run(struct verd__carrier *carrier)
{
    if (_setjmp(carrier->begin) != 0)
        return;
    await_turn(carrier);
    carrier->main(carrier->scheduler);
}

static void *carry(void *arg)
{
    struct verd__carrier *carrier = arg;
    pthread_setspecific(end_of_carrier, carrier);
    if (!(carrier->signal_stack.ss_flags & SS_DISABLE)) {
        carrier->signal_stack.ss_flags = 0;
        sigaltstack(&carrier->signal_stack, NULL);
    }
    carrier->number = gettid();
    carrier->exceptions = carrier->has_cxx ? verd__exceptions_find() : NULL;
    verd__current = carrier->scheduler;
    run(carrier);
    verd__current = NULL;
    pthread_setspecific(end_of_carrier, NULL);
    return NULL;
}

/* Once: a green thread that there is none for waits until another ends, and says so, too. */
static void say_short(int error)
{
    static _Atomic(bool) said;
    struct verd__line line = {0};
    if (atomic_exchange(&said, true))
        return;
    verd__line_text(&line, "VERD_THREADS=os: there can be no more OS threads than ");
    verd__line_number(&line, error == 0 ? CARRIERS_MAX : atomic_load(&count) - 1);
    verd__line_text(&line, error == 0 ? "" : ": ");
    verd__line_text(&line, error == 0 ? "" : strerror(error));
    verd__line_write(&line);
}

static int start(struct verd__carrier *carrier, struct verd__stack *stack)
{
    pthread_attr_t attr;
    sigset_t before;
    int error = pthread_attr_init(&attr);
    if (error != 0)
        return error;
    error = pthread_attr_setstack(&attr, stack->low, verd__stack_size(stack));
    block_signals(&before);
    if (error == 0)
        error = pthread_create(&carrier->os_thread, &attr, carry, carrier);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

static struct verd__carrier *new_record(struct verd__scheduler *scheduler)
{
    struct verd__carrier *carrier = NULL;
    if (atomic_fetch_add(&count, 1) < CARRIERS_MAX)
        carrier = calloc(1, sizeof *carrier);
    if (carrier == NULL) {
        atomic_fetch_sub(&count, 1);
        return NULL;
    }
    carrier->scheduler = scheduler;
    pthread_cond_init(&carrier->told, NULL);
    return carrier;
}

bool verd__carrier_new(struct verd__scheduler *scheduler, struct verd__stack *stack)
{
    stack->carrier = new_record(scheduler);
    if (stack->carrier == NULL) {
        say_short(0);
        errno = ENOMEM;
        return false;
    }
    stack->carrier->has_cxx = scheduler->exceptions != NULL;
    sigaltstack(NULL, &stack->carrier->signal_stack);
    int error = start(stack->carrier, stack);
    if (error == 0)
        return true;
    say_short(error);
    forget(stack);
    errno = ENOMEM;
    return false;
}

void verd__carrier_end(struct verd__scheduler *scheduler, struct verd__stack *stack)
{
    if (scheduler->forked) {
        forget(stack);
        return;
    }
    tell(scheduler->carriers, stack->carrier, &stack->carrier->is_to_end);
    join(stack);
}

int verd__carriers_begin(struct verd__scheduler *scheduler)
{
    if (!is_chosen)
        return 0;
    struct verd__carriers *carriers = calloc(1, sizeof *carriers);
    struct verd__carrier *own = carriers != NULL ? new_record(scheduler) : NULL;
    if (own == NULL) {
        free(carriers);
        return -1;
    }
    pthread_mutex_init(&carriers->lock, NULL);
    own->os_thread = pthread_self();
    own->number = gettid();
    own->exceptions = scheduler->exceptions;
    scheduler->main_stack.carrier = own;
    scheduler->carriers = carriers;
    return 0;
}

void verd__carriers_end(struct verd__scheduler *scheduler)
{
    if (scheduler->carriers == NULL)
        return;
    forget(&scheduler->main_stack);
    pthread_mutex_destroy(&scheduler->carriers->lock);
    free(scheduler->carriers);
    scheduler->carriers = NULL;
}

/* The others may have been about to wait, in the middle of what they do to the mutex. */
void verd__carriers_forked(struct verd__scheduler *scheduler)
{
    struct verd__carriers *carriers = scheduler->carriers;
    if (carriers == NULL)
        return;
    struct verd__carrier *own = scheduler->running->stack->carrier;
    pthread_mutex_init(&carriers->lock, NULL);
    pthread_cond_init(&own->told, NULL);
    own->number = gettid();
    if (scheduler->running != scheduler->main)
        forget(&scheduler->main_stack);
}

#else

bool verd__carriers_choose(void)
{
    const char *text = read_setting();
    if (text != NULL)
        verd__setting_refuse(
            variable, text,
            " needs a debug build of the library: green threads share their OS thread");
    return false;
}

#endif
