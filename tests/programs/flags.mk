# SPDX-License-Identifier: MIT
# What a few programs need beside the library.

# fault/hooks.c stands between whoever is linked with it and each function of libc that may fail. Its
# own symbols must not be known to a link-time optimiser, which does not see what --wrap makes of them.
FAULT_WRAP := $(shell sed -n 's/^HOOK[_A-Z]*.[^,]*, \([a-z0-9_]*\),.*/-Wl,--wrap=\1/p' \
    tests/programs/fault/hooks.c)
FAULT_OBJ := $(call objects,$(wildcard tests/programs/fault/*.c))
ERRNO_OBJ := $(call objects,$(wildcard tests/programs/errno/*.c))

$(addprefix $(BUILD)/programs/,http_client_peers schedule_fuzz stack_guard_depth \
    stack_guard_fallback thread_server web_crawler): \
    $(OBJ)/tests/support/process.c.o
$(BUILD)/programs/fault_injection: $(FAULT_OBJ) $(OBJ)/tests/support/process.c.o
$(BUILD)/programs/errno_tables: $(ERRNO_OBJ) $(OBJ)/tests/support/process.c.o \
    $(call objects,tests/programs/fault/fault.c tests/programs/fault/hooks.c)
$(BUILD)/programs/fault_injection $(BUILD)/programs/errno_tables: PROGRAM_LINK = $(FAULT_WRAP)
$(FAULT_OBJ) $(ERRNO_OBJ): COMPILE = $(CC) $(EXAMPLE_C) -fno-lto -Icore -Iarch/$(ARCH)

# It stands between the watchdog and what that sleeps and writes by.
$(BUILD)/programs/watchdog: PROGRAM_LINK = -Wl,--wrap=syscall,--wrap=writev
# It slows what takes an answer down.
$(BUILD)/programs/late_answer: PROGRAM_LINK = -Wl,--wrap=verd__backtrace_of_signal
$(OBJ)/tests/programs/watchdog.c.o $(OBJ)/tests/programs/late_answer.c.o: COMPILE = $(CC) $(EXAMPLE_C) -fno-lto

# With the hooks of libverd-patch.a.
PATCHED := $(addprefix $(BUILD)/programs/,patch_fortified posix_patched)
$(PATCHED): $(PATCH)
$(PATCHED): PROGRAM_LINK = $(PATCH_LINK)
$(BUILD)/programs/posix_patched: $(call objects,$(addprefix tests/programs/posix_same/,book.c plain.c)) \
    $(BUILD)/programs/posix_same

-include $(patsubst %.o,%.d,$(FAULT_OBJ) $(ERRNO_OBJ))
