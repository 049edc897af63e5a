# SPDX-License-Identifier: MIT
#
#   make                 libverd.a; SHARED=1: and libverd.so.0
#   make deps check      install what the tests need (Debian), run every test in every build
#   make deps-world check-world        the same of unmodified libraries and their servers, in one build
#   make check-memcheck  run the suite under valgrind's memcheck; check-tsan: under ThreadSanitizer
#   make check-sanitized what memcheck and the sanitizers that no check has find in green threads
#   make test            run the tests in one build:
#                          ARCH=x86_64|aarch64  CONFIG=release|debug|asan|tsan|msan|ubsan|lto|memcheck  CC=...
#                          HUB=epoll|poll  VERD_THREADS=os (with CONFIG=debug: an OS thread for each green one)
#                          FILTER='pool/*' (one suite)  PROGRAM=name (one program)
#   make bench           measure; BENCH=name for one row, BENCH_QUICK=1 for a short run
#   make demo            show the three patterns at work; CLIENTS=n of the echo server
#   make demo-serve      leave the feed scraper running, with a page for a browser; PORT=n
#   make install         PREFIX=/usr/local  DESTDIR=  LIBDIR=  INCLUDEDIR=; and uninstall
#   make examples lint format clean distclean help
#
# ARCH, CONFIG and CC choose a build, and each build has its own directory, of which ./libverd.a is
# the plain one's. V=1 shows the commands.

HOST := $(patsubst arm64,aarch64,$(patsubst amd64,x86_64,$(shell uname -m)))
ARCH = $(HOST)
CONFIG = release
HUB = epoll

PREFIX = /usr/local
INCLUDEDIR = $(PREFIX)/include
LIBDIR = $(PREFIX)/lib

# The first feature of 4.3 that make itself names.
$(if $(filter extra-prereqs,$(.FEATURES)),,$(error libverd needs GNU make 4.3 or newer))

# $(call one_of,NAME,WORDS): ends make where the variable is not one of the words.
one_of = $(if $(and $(filter 1,$(words $($1))),$(if $(filter-out $2,$($1)),,1)),,\
    $(error $1=$($1): expected one of $2))
$(call one_of,ARCH,$(notdir $(wildcard arch/*)))
$(call one_of,CONFIG,release debug asan tsan msan ubsan lto memcheck)
# The library's own list of hubs.
$(call one_of,HUB,$(shell sed -n '/define VERD__BACKENDS(X)/s/.*(X) *//p' core/hub/hub.h | tr -d 'X()'))
$(if $(PROGRAM),$(if $(wildcard $(PROGRAM:%=tests/programs/%.*)),,\
    $(error PROGRAM=$(PROGRAM): tests/programs has none of this name)))
$(foreach needed,CC $(if $(filter %install,$(MAKECMDGOALS)),PREFIX INCLUDEDIR LIBDIR),\
    $(if $(strip $($(needed))),,$(error $(needed) is empty)))

# ---- tools -------------------------------------------------------------------------------------

CROSS := $(if $(filter-out $(HOST),$(ARCH)),$(ARCH)-linux-gnu-)
ifeq ($(origin CC),default)
CC := $(if $(CROSS),$(CROSS)gcc,cc)
endif
CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
$(if $(CLANG),,$(if $(filter msan,$(CONFIG)),$(error CONFIG=msan: of the compilers only clang has it, CC=clang)))
ifeq ($(origin CXX),default)
CXX := $(if $(filter cc,$(CC)),c++,$(subst gcc,g++,$(subst clang,clang++,$(CC))))
endif
# Only the compiler's own ar and nm read the objects of a link-time optimised build.
BINUTILS := $(if $(filter-out lto,$(CONFIG)),$(CROSS),$(if $(CLANG),llvm-,$(CROSS)gcc-))
ifeq ($(origin AR),default)
AR := $(BINUTILS)ar
endif
NM = $(BINUTILS)nm
TARGET := $(if $(and $(CROSS),$(CLANG)),--target=$(ARCH)-linux-gnu)

empty :=
OTHER_CC := $(subst $(empty) ,-,$(notdir $(filter-out cc gcc $(CROSS)gcc,$(CC))))
BUILD := build/$(ARCH)-$(CONFIG)$(OTHER_CC:%=-%)
OBJ := $(BUILD)/obj
SYSROOT := build/sysroot-$(ARCH)

# ---- flags -------------------------------------------------------------------------------------

CONFIG_release = -O2
CONFIG_debug = -O0 -DVERD__CARRIERS=1
CONFIG_asan = -O1 -fsanitize=address
CONFIG_tsan = -O1 -fsanitize=thread
CONFIG_msan = -O1 -fsanitize=memory -fsanitize-memory-track-origins
CONFIG_ubsan = -O1 -fsanitize=undefined -fno-sanitize-recover=undefined
# What valgrind runs: as released.
CONFIG_memcheck = -O2
CONFIG_lto = -O2 $(if $(CLANG),-flto,-flto=auto)

HARDEN_x86_64 = -fcf-protection
HARDEN_aarch64 = -mbranch-protection=standard
# A large frame is touched page by page, lest it step over a green stack's guard; users compile with
# this, too. On AArch64 gcc takes guards for 64 KiB unless it is told.
SAFE_x86_64 = -fstack-clash-protection
SAFE_aarch64 = -fstack-clash-protection --param=stack-clash-protection-guard-size=12

SAFE_C := $(if $(and $(CLANG),$(filter aarch64,$(ARCH))),,$(SAFE_$(ARCH)))

# Frame pointers stay, so that profilers that follow them see through the library and across a
# switch.
CODEGEN := $(TARGET) $(CONFIG_$(CONFIG)) -g $(HARDEN_$(ARCH)) $(SAFE_C) -fPIE -fno-omit-frame-pointer
# Valgrind before 3.20 gives up on the DWARF 5 that clang writes.
CODEGEN += $(if $(CLANG),-gdwarf-4)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wformat=2 -Wcast-qual -Wcast-align \
            -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes \
            -Wold-style-definition -Wimplicit-fallthrough
# CFLAGS, CPPFLAGS and LDFLAGS are the user's. WERROR=-Werror is what `make check` passes.
USER_C = -std=c17 -D_GNU_SOURCE $(CODEGEN) -Iinclude $(CPPFLAGS)
LIB_C = $(USER_C) -Icore -Iarch/$(ARCH) $(WARNINGS) $(WERROR) $(CFLAGS)
# The library's calls of the kernel have names of their own.
KERNEL = -include core/kernel/kernel.h
# One archive serves programs and shared objects: the linker of a program makes constants of what
# initial-exec loads, and a plug-in takes some bytes of what the loader sets apart for such.
SHAREABLE = -fPIC -fno-semantic-interposition -ftls-model=initial-exec
# With CONFIG=lto, programs and examples are optimised together with the library, as a user's are; for
# the suite that would take longer than to run it.
TEST_C = $(USER_C) -fno-lto -Icore -Iarch/$(ARCH) -Itests/support -Wall -Wextra $(WERROR) \
         $(CFLAGS)
EXAMPLE_C = $(USER_C) $(WARNINGS) $(WERROR) $(CFLAGS)
PROGRAM_CXX = -std=c++17 -D_GNU_SOURCE $(CODEGEN) -Iinclude $(CPPFLAGS) -Wall -Wextra $(WERROR) \
              $(CXXFLAGS)
LINK = $(CODEGEN) -pthread $(LDFLAGS)

# With musl's compiler come neither Criterion nor C++ nor the kernel's headers; musl lacks some names, makes
# other system calls, and valgrind does not know its malloc.
MUSL := $(findstring musl,$(notdir $(firstword $(CC))))
# Where Criterion cannot be, a small one of the tests' own is in its place.
FORKED := $(MUSL)$(filter memcheck msan,$(CONFIG))
ifneq ($(FORKED),)
CRITERION_C = -Itests/support/forked \
    $(if $(MUSL),-idirafter /usr/include -idirafter /usr/include/$(ARCH)-linux-gnu)
else ifneq ($(CROSS),)
CRITERION_C = -isystem $(SYSROOT)/usr/include
CRITERION_LINK = -L$(SYSROOT)/usr/lib/$(ARCH)-linux-gnu \
    -Wl,-rpath-link,$(SYSROOT)/usr/lib/$(ARCH)-linux-gnu:$(SYSROOT)/lib/$(ARCH)-linux-gnu
CRITERION_READY = $(SYSROOT)/.complete
endif

# ---- files -------------------------------------------------------------------------------------

HEADERS := $(wildcard include/verd.h include/verd/*.h)
LIB_SRC := $(wildcard arch/$(ARCH)/*.S core/*/*.c)
# The hooks, and what dynamic programs have beside them.
PATCH_SRC := $(wildcard core/patch/hooks/*.c)
PATCH_DYNAMIC_SRC := $(wildcard core/patch/dynamic/*.c)
TESTS = $(filter-out tests/examples/% tests/programs/% tests/support/% $(UNWINDING),$(wildcard tests/*/*.c))
# The compiler's unwinder is built for glibc.
UNWINDING = $(if $(MUSL),tests/context/signals.c tests/context/unwind.c tests/sched/profiler.c)
SUITE_SRC := $(TESTS) $(filter-out $(if $(FORKED),%/main.c),$(wildcard tests/support/*.c)) \
    $(if $(FORKED),tests/support/forked/forked.c)
# The examples of TLS and of libcurl are built where the compiler finds OpenSSL and libcurl.
TLS_LIBS := $(shell $(CC) $(TARGET) -include openssl/ssl.h -E -x c /dev/null > /dev/null 2>&1 && \
    pkg-config --libs libssl libcrypto 2> /dev/null)
CURL_LIBS := $(shell $(CC) $(TARGET) -include curl/curl.h -E -x c /dev/null > /dev/null 2>&1 && \
    pkg-config --libs libcurl 2> /dev/null)
EXAMPLE_SRC := $(filter-out $(if $(TLS_LIBS),,%/tls_openssl.c) $(if $(CURL_LIBS),,%/curl_crawler.c),\
    $(wildcard tests/examples/*.c))
WITHOUT := $(if $(MUSL),errno_tables fault_injection hub_refused hub_syscalls sched_valgrind \
    schedule_fuzz serve_memory stack_guard_fallback unwind_stepping \
    $(notdir $(basename $(wildcard tests/programs/*.cc))))
# What stands between two of the library's functions, which a link-time optimiser makes one.
WITHOUT += $(if $(filter lto,$(CONFIG)),late_answer)
PROGRAM_SRC := $(filter-out $(WITHOUT:%=tests/programs/%.c) $(WITHOUT:%=tests/programs/%.cc),\
    $(wildcard tests/programs/*.c tests/programs/*.cc))
# A program's directory, if it has one, holds more of its files; so does an example's.
PART_SRC := $(wildcard tests/programs/*/*.c)
EXAMPLE_PART_SRC := $(wildcard tests/examples/*/*.c)
BENCH_SRC := $(wildcard bench/*.c bench/$(ARCH)/*.S)

objects = $(addprefix $(OBJ)/,$(addsuffix .o,$(1)))
LIB_OBJ := $(call objects,$(LIB_SRC))
PATCH_OBJ := $(call objects,$(PATCH_SRC))
PATCH_DYNAMIC_OBJ := $(call objects,$(PATCH_DYNAMIC_SRC))
SUITE_OBJ := $(call objects,$(SUITE_SRC))
EXAMPLE_OBJ := $(call objects,$(EXAMPLE_SRC) $(EXAMPLE_PART_SRC))
PROGRAM_OBJ := $(call objects,$(PROGRAM_SRC) $(PART_SRC))
BENCH_OBJ := $(call objects,$(BENCH_SRC))
BENCH_PATCHED_OBJ := $(call objects,bench/patched/read.c)

LIB := $(BUILD)/libverd.a
# The last is what -lverd-patch finds where a program is dynamic.
PATCH := $(addprefix $(BUILD)/libverd-patch,.a -dynamic.a .so)
PATCH_LINK = -L$(BUILD) -Wl,--whole-archive,-lverd-patch,--no-whole-archive
MAJOR := $(shell sed -n 's/^.define VERD_VERSION_MAJOR //p' include/verd/version.h)
SHARED_LIB := $(BUILD)/libverd.so.$(MAJOR)
EXAMPLES := $(patsubst tests/examples/%.c,$(BUILD)/examples/%,$(EXAMPLE_SRC))
PROGRAMS := $(patsubst tests/programs/%,$(BUILD)/programs/%,$(basename $(PROGRAM_SRC)))

# ---- building ----------------------------------------------------------------------------------

.PHONY: all examples bench demo demo-serve deps deps-world test check lint format install uninstall clean \
    distclean help criterion FORCE
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY: $(EXAMPLE_OBJ) $(PROGRAM_OBJ)

quote = '$(subst ','\'',$(1))'
# A line for a command, which V=1 shows instead.
tell = $(if $(V)$(findstring s,$(firstword -$(filter-out --%,$(MAKEFLAGS)))),@:,@echo '$(1)')
Q := $(if $(V),,@)

# What the build of the host leaves in the top level; other builds' stays in their directories.
all: $(LIB) $(PATCH) $(if $(SHARED),$(SHARED_LIB))
ifeq ($(BUILD),build/$(HOST)-release)
	@for made in $(filter-out libverd-patch%,$(^F)); do cmp -s $(BUILD)/$$made $$made || cp $(BUILD)/$$made .; done
else
	@echo $^
endif

# What is compiled depends on a file that tells how, and what is linked on one that tells how and of
# which files. Each is rewritten only when it differs.
$(BUILD)/compiled-with: FORCE
	@.ci/built-with $@ $(call quote,$(filter-out $(WERROR),$(SHAREABLE) $(TEST_C) $(CRITERION_C) \
	    $(EXAMPLE_C) $(PEER_CFLAGS) $(CXX) $(PROGRAM_CXX) $(shell $(CXX) --version 2>/dev/null))) \
	    $(CC) $(filter-out $(WERROR),$(LIB_C))

$(BUILD)/linked-with: FORCE | $(BUILD)/compiled-with
	@new=$@.$$$$ && printf '%s\n' $(call quote,$(AR) $(LINK) $(CRITERION_LINK) $(PEER_LIBS) $(TLS_LIBS) $(CURL_LIBS) $(LIB_SRC) \
	    $(PATCH_SRC) $(PATCH_DYNAMIC_SRC) $(SUITE_SRC) $(PROGRAM_SRC) $(PART_SRC) $(EXAMPLE_SRC) $(EXAMPLE_PART_SRC) $(BENCH_SRC)) \
	    > $$new && if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

$(LIB): $(LIB_OBJ) $(BUILD)/linked-with
	$(call tell,AR $@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/libverd-patch.a: $(PATCH_OBJ)
$(BUILD)/libverd-patch-dynamic.a: $(PATCH_DYNAMIC_OBJ)
$(BUILD)/libverd-patch.a $(BUILD)/libverd-patch-dynamic.a: $(BUILD)/linked-with
	$(call tell,AR $@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/libverd-patch.so: $(BUILD)/linked-with
	@printf '/* GNU ld script of a dynamic program. */\nINPUT(libverd-patch.a libverd-patch-dynamic.a -ldl)\n' > $@

# verd__ names are the library's own. It cannot be unloaded, for an OS thread that ends calls it.
$(SHARED_LIB): $(LIB_OBJ) $(BUILD)/linked-with
	$(call tell,LINK $@)
	@echo '{ global: verd_[!_]*; local: *; };' > $@.map
	$(Q)$(CC) $(LINK) $(SHAREABLE) -shared -Wl,-soname,$(@F),--version-script=$@.map,-z,nodelete \
	    -o $@ $(LIB_OBJ)

$(LIB_OBJ): COMPILE = $(CC) $(LIB_C) $(SHAREABLE) $(KERNEL)
$(OBJ)/core/kernel/%.o: KERNEL =
# What has names of libc's is left to the linker.
$(PATCH_OBJ) $(PATCH_DYNAMIC_OBJ): COMPILE = $(CC) $(LIB_C) -fno-lto
$(BENCH_OBJ) $(BENCH_PATCHED_OBJ): COMPILE = $(CC) $(LIB_C) $(PEER_CFLAGS)
$(SUITE_OBJ): COMPILE = $(CC) $(TEST_C) $(CRITERION_C)
$(filter-out %/process.c.o,$(SUITE_OBJ)): | $(CRITERION_READY) criterion
$(EXAMPLE_OBJ) $(PROGRAM_OBJ): COMPILE = $(CC) $(EXAMPLE_C)
# Its source knows nothing of the library.
$(OBJ)/tests/examples/thread_server.c.o: COMPILE += -include verd/posix.h -include verd/pthread.h
$(call objects,$(PART_SRC)): COMPILE = $(CC) $(EXAMPLE_C) -Icore
$(filter %.cc.o,$(PROGRAM_OBJ)): COMPILE = $(CXX) $(PROGRAM_CXX)

$(OBJ)/%.o: % Makefile $(wildcard tests/programs/*.mk bench/*.mk) $(BUILD)/compiled-with
	$(call tell,CC $<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

criterion: | $(CRITERION_READY)
	@echo '#include <criterion/criterion.h>' | \
	    $(CC) $(TEST_C) $(CRITERION_C) -x c -E -o /dev/null - 2> /dev/null || \
	    { echo 'There is no Criterion, which the suite needs: make deps' >&2; exit 2; }

# The libraries come after the objects, and before what they need.
link = $(1) $(LINK) $(PROGRAM_LINK) -o $@ $(filter %.o,$^) $(LIB)

$(BUILD)/suite: $(SUITE_OBJ) $(LIB)
	$(call tell,LINK $@)
	$(Q)$(call link,$(CC)) $(if $(FORKED),,$(CRITERION_LINK) -lcriterion) -lm

$(BUILD)/examples/tls_openssl: EXAMPLE_LIBS = $(TLS_LIBS)
$(BUILD)/examples/curl_crawler: EXAMPLE_LIBS = $(CURL_LIBS)
$(BUILD)/examples/curl_crawler: PROGRAM_LINK = $(PATCH_LINK)
$(BUILD)/examples/curl_crawler: $(PATCH)

.SECONDEXPANSION:
$(BUILD)/examples/%: $(OBJ)/tests/examples/%.c.o \
    $$(call objects,$$(wildcard tests/examples/$$*/*.c)) $(LIB)
	$(call tell,LINK $@)
	@mkdir -p $(@D)
	$(Q)$(call link,$(CC)) $(EXAMPLE_LIBS)

$(BUILD)/programs/%: $(OBJ)/tests/programs/%.c.o \
    $$(call objects,$$(wildcard tests/programs/$$*/*.c)) $(LIB)
	$(call tell,LINK $@)
	@mkdir -p $(@D)
	$(Q)$(call link,$(CC))

$(BUILD)/programs/%: $(OBJ)/tests/programs/%.cc.o $(LIB)
	$(call tell,LINK $@)
	@mkdir -p $(@D)
	$(Q)$(call link,$(CXX))

$(BUILD)/bench-patched: PROGRAM_LINK = $(PATCH_LINK)
$(BUILD)/bench-patched: $(BENCH_PATCHED_OBJ) $(LIB) $(PATCH)
	$(call tell,LINK $@)
	$(Q)$(call link,$(CC))

$(BUILD)/bench: $(BENCH_OBJ) $(LIB) | $(BUILD)/bench-patched
	$(call tell,LINK $@)
	$(Q)$(call link,$(CC)) $(PEER_LIBS) -lm

# What a few programs (PROGRAM_LINK) and the benchmark's peers (PEER_CFLAGS, PEER_LIBS) need.
-include tests/programs/flags.mk bench/peers.mk
-include $(patsubst %.o,%.d,$(LIB_OBJ) $(PATCH_OBJ) $(PATCH_DYNAMIC_OBJ) $(SUITE_OBJ) $(EXAMPLE_OBJ) $(PROGRAM_OBJ) $(BENCH_OBJ) $(BENCH_PATCHED_OBJ))

# ---- running -----------------------------------------------------------------------------------

# On the command line, `make deps check` installs before it checks even under -j.
AFTER_DEPS = $(filter deps,$(MAKECMDGOALS))

deps:
	.ci/deps
ifneq ($(HOST),aarch64)
	tests/support/sysroot build/sysroot-aarch64
	tests/support/binfmt build/sysroot-aarch64 || [ -z "$$CI" ]
endif

deps-world: | $(AFTER_DEPS)
	.ci/deps --world

$(SYSROOT)/.complete:
	tests/support/sysroot $(@D)

examples: $(EXAMPLES)

include tests/check.mk

bench: $(BUILD)/bench
	$(Q)$(BUILD)/bench

DEMONSTRATED := $(addprefix $(BUILD)/examples/,demo origin web_crawler feed_scraper echo_server)

demo: $(DEMONSTRATED)
	@$(BUILD)/examples/demo

demo-serve: $(DEMONSTRATED)
	@$(BUILD)/examples/demo --serve $(PORT)

lint: | $(AFTER_DEPS)
	@.ci/lint $(CC) $(LIB_C)

format:
	$(Q).ci/lint --format

# ---- installing --------------------------------------------------------------------------------

install uninstall: export VERD_BUILD = $(BUILD)
install uninstall: export VERD_PREFIX = $(PREFIX)
install uninstall: export VERD_INCLUDEDIR = $(INCLUDEDIR)
install uninstall: export VERD_LIBDIR = $(LIBDIR)
install uninstall: export VERD_SAFE = $(SAFE_$(ARCH))
install uninstall: export VERD_DESTDIR = $(DESTDIR)
install: $(LIB) $(PATCH) $(wildcard $(SHARED_LIB))
install uninstall:
	$(Q).ci/install $@

# The sysroot costs a download, so only distclean removes it.
clean:
	rm -rf libverd.a libverd.so.* build/results build/x86_64-* build/aarch64-*

distclean: clean
	rm -rf build

help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile
