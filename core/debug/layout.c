/* SPDX-License-Identifier: MIT */
#include "sched/layout.h"

#include <stddef.h>

#include <verd/sync.h>

#include "sched/area.h"
#include "sched/registry.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/wait.h"

#include "frame.h"
#include "stack/sanitizer.h"
#include "stack/stack.h"

#define AT(type, member) {#type "." #member, offsetof(struct verd__##type, member)}

/* From the queue of those who wait for a lock to who has it. */
#define HOLDER(type, member) \
    {#type ".holder",        \
     (uint32_t)offsetof(verd_##type, member) - (uint32_t)offsetof(verd_##type, waiters)}

struct field {
    char name[28];
    uint32_t value;
};

/* Public by its magic: a debugger finds it by its symbol, or in a program that was stripped by searching the
 * relocated constants. The fields are told apart by their names, so that one more is no other version. */
struct verd__layout {
    char magic[16];
    uint32_t version, count;
    const void *registry;
    struct field fields[80];
};

__attribute__((used, visibility("hidden"))) const struct verd__layout verd__layout =
    {
        .magic = "verd's layout \n",
        .version = 1,
        .count = 80,
        .registry = &verd__registry,
        .fields =
            {
                AT(registered, next),
                AT(registered, scheduler),
                AT(scheduler, number),
                AT(scheduler, runs_on),
                AT(scheduler, running),
                AT(scheduler, main),
                AT(scheduler, idle),
                AT(scheduler, clock),
                AT(scheduler, slabs),
                {"slab.size", VERD__SLAB_SIZE},
                AT(slab, next),
                AT(slab, ordinal),
                AT(slab, place),
                AT(slab, used),
                {"thread.size", sizeof(struct verd__thread)},
                AT(thread, context),
                AT(thread, site),
                AT(thread, start),
                AT(thread, arg),
                AT(thread, owner),
                AT(thread, stack),
                AT(thread, generation),
                AT(thread, state),
                AT(thread, flags),
                AT(thread, interrupt),
                AT(thread, shield),
                {"state.unstarted", VERD__UNSTARTED},
                {"state.started", VERD__STARTED},
                {"state.ended", VERD__ENDED},
                {"flag.delayed", VERD__DELAYED},
                {"interrupt.kill", VERD__INTERRUPT_KILL},
                {"interrupt.timeout", VERD__INTERRUPT_TIMEOUT},
                AT(owner, name),
                AT(stack, low),
                AT(stack, area),
                {"area.size", sizeof(struct verd__area)},
                AT(area, wait),
                AT(area, start),
                AT(area, site),
                AT(area, name),
                {"area.name_size", VERD_NAME_SIZE},
                {"area.awaited", offsetof(struct verd__area, join.thread)},
                {"wait.queue", offsetof(struct verd__wait, entry.queue)},
                {"wait.value", offsetof(struct verd__wait, entry.value)},
                AT(wait, kind),
                AT(wait, since),
                AT(wait_kind, name),
                AT(wait_kind, is_users),
                HOLDER(mutex, owner),
                HOLDER(rwlock, writer),
                /* In a library built with a sanitizer a context is at the end of one pointer more (fibre.c). */
                {"context.is_indirect", VERD__ANNOUNCED},
                VERD__FRAME_REGISTERS,
            },
};

/* Tells gdb which script to load with a program that has this in it. It takes only those below this directory unless
 * it is told otherwise; one that is not there it complains of. "MS", 1: once, however many say it; 1: a file, in Python. */
__asm__(".pushsection \".debug_gdb_scripts\", \"MS\", %progbits, 1\n"
        ".byte 1\n"
        ".asciz \"/usr/share/gdb/auto-load/verd-gdb.py\"\n"
        ".popsection\n");
