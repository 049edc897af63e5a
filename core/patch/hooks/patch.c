/* SPDX-License-Identifier: MIT */
/* Whose the names are, and whether they lead to the library. */
#include <verd/patch.h>

#include <stdint.h>
#include <string.h>

#include "patch/hooks/hook.h"
#include "sched/setting.h"

atomic_bool verd__patched = true;

bool verd_patch_on(void)
{
    return atomic_exchange(&verd__patched, true);
}

bool verd_patch_off(void)
{
    return atomic_exchange(&verd__patched, false);
}

/* Before main, and after what constructors of shared libraries have called, which were passed through. */
__attribute__((constructor)) static void begin(void)
{
    const char *setting = verd__setting("VERD_PATCH");
    if (setting != NULL && strcmp(setting, "off") == 0)
        verd_patch_off();
    if (verd__next_find != NULL)
        verd__next_find();
}

/* ---- whose they are ---- */

/* Whatever has the name in this program. Types are left out, for the linker alone is to be asked. */
#define LINKED(symbol, hook) extern void verd__linked_##symbol(void) __asm__(#symbol);
#define LINKED_CALL(returned, name, parameters, arguments) LINKED(name, )
VERD__SYSTEM_CALLS(LINKED_CALL)
VERD__MORE_NAMES(LINKED)
VERD__GLIBC_NAMES(LINKED)
VERD__FORTIFIED_NAMES(LINKED)

/* Of a static program these are libc's, and nothing of libc is to be in it because its name is asked for. */
#define MAYBE(symbol)                                                               \
    __attribute__((weak)) extern void verd__linked_##symbol(void) __asm__(#symbol); \
    __attribute__((weak)) extern __typeof(verd__hook_##symbol) verd__hook_##symbol;
#define MAYBE_CALL(returned, name, parameters, arguments) MAYBE(name)
VERD__LIBC_CALLS(MAYBE_CALL)
MAYBE(gethostbyname)
MAYBE(gethostbyname_r)

/* A name that is hooked: who has it in this program, and who should. */
#define ROW(symbol, hook) {#symbol, verd__linked_##symbol, (void (*)(void))(hook)},
#define ROW_CALL(returned, name, parameters, arguments) ROW(name, verd__hook_##name)
static const struct hooked {
    const char *name;
    void (*linked)(void), (*ours)(void);
} hooked[] = {
    /* clang-format off */
    VERD__SYSTEM_CALLS(ROW_CALL)
    VERD__LIBC_CALLS(ROW_CALL)
    ROW(gethostbyname, verd__hook_gethostbyname)
    ROW(gethostbyname_r, verd__hook_gethostbyname_r)
    VERD__MORE_NAMES(ROW)
    VERD__GLIBC_NAMES(ROW)
    VERD__FORTIFIED_NAMES(ROW)
    /* clang-format on */
};

static bool is_ours(const struct hooked *name)
{
    if (name->ours == NULL || name->linked != name->ours)
        return false;
    return verd__exported == NULL ||
           verd__exported(name->name) == (const void *)(uintptr_t)name->ours;
}

size_t verd_patch_check(const char **missed, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof hooked / sizeof hooked[0]; i++) {
        if (is_ours(&hooked[i]))
            continue;
        if (missed != NULL && count < room)
            missed[count] = hooked[i].name;
        count++;
    }
    return count;
}
