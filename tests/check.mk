# SPDX-License-Identifier: MIT
# The tests of one build, and which builds a check has; part of the Makefile.

# A script among the programs may run any of the others.
ASKED = $(or $(filter %/$(PROGRAM),$(PROGRAMS)),$(PROGRAMS))

# What tests may know of their build; scripts among the programs compile with it.
test: export VERD_HUB = $(HUB)
test: export VERD_ARCH = $(ARCH)
test: export VERD_CONFIG = $(CONFIG)
test: export VERD_BUILD = $(BUILD)
test: export VERD_ASKED_CC = $(CC)
test: export VERD_CC = $(CC) $(TARGET)
test: export VERD_CXX = $(CXX) $(TARGET)
test: export VERD_NM = $(NM)
test: export VERD_CFLAGS = $(USER_C) $(CFLAGS)
test: export VERD_LDFLAGS = $(LDFLAGS)
test: export VERD_MUSL = $(MUSL)
test: export VERD_WITHOUT = $(WITHOUT)
# What `make deps` and `make deps-world` have promised may not be skipped, in the makes of a check either.
export VERD_PROMISED := $(or $(filter deps deps-world,$(MAKECMDGOALS)),$(VERD_PROMISED))
test: export QEMU_LD_PREFIX = $(if $(CROSS),$(abspath $(SYSROOT)))
# The suite's part is asked for by FILTER, the programs by PROGRAM, all by neither.
test: $(if $(FILTER)$(if $(PROGRAM),,all),$(BUILD)/suite)
test: $(if $(PROGRAM)$(if $(FILTER),,all),$(ASKED)) $(EXAMPLES) | $(AFTER_DEPS)
	$(Q)tests/support/run-tests $(if $(FILTER),--filter '$(FILTER)') \
	    $(if $(PROGRAM),--program '$(PROGRAM)')

# ARCH:CONFIG:CC:HUB[:PROGRAM[:THREADS:SUITES]], where cc is the architecture's default compiler, and + stands between words. In
# `make check` each hub meets each compiler, and what is special of a build one of each; `make check-more` has the other pairs.
RUNS_native = $(HOST):release:cc:epoll $(HOST):release:clang:poll
RUNS_debug = $(HOST):debug:cc:poll
# Each green thread on an OS thread of its own: what is about threads; the rest is as slow as all other builds.
RUNS_os = $(HOST):debug:cc:epoll::os:sched,fork,wait,cond,event,group,mutex,queue,rwlock,select,semaphore,pool,pile,imap
RUNS_asan = $(HOST):asan:cc:epoll
RUNS_ubsan = $(HOST):ubsan:clang:poll
RUNS_lto = $(HOST):lto:clang:epoll
RUNS_aarch64 = aarch64:release:cc:epoll aarch64:release:clang:poll
RUNS_more = $(HOST):release:cc:poll $(HOST):release:clang:epoll $(HOST):debug:clang:epoll \
    $(HOST):asan:clang:poll $(HOST):ubsan:cc:epoll $(HOST):lto:cc:poll \
    $(HOST):release:musl-gcc:epoll $(HOST):release:musl-gcc+-static:poll
# Not of every check: it takes as long as some of the others together.
RUNS_tsan = $(HOST):tsan:clang:epoll
# What sanitizers and memcheck find.
RUNS_sanitized = $(HOST):tsan:clang:epoll:sanitizers $(HOST):msan:clang:epoll:sanitizers \
    $(HOST):memcheck:cc:epoll:sanitizers
# The suite under memcheck; as long as several builds together, too.
RUNS_memcheck = $(HOST):memcheck:cc:epoll:::* $(HOST):memcheck:cc:poll:::*
# With musl, where `make deps` has installed its compiler, the programs, and of the suite what stands in for libc's
# names; the rest in `make check-more`.
RUNS_musl = $(HOST):release:musl-gcc:epoll:* $(HOST):release:musl-gcc+-static:poll:* \
    $(HOST):release:musl-gcc:poll:::patch,pthread
CHECKS := native debug os asan ubsan lto $(if $(AFTER_DEPS)$(shell command -v musl-gcc),musl) \
    $(if $(filter-out aarch64,$(HOST)),aarch64)
.PHONY: $(CHECKS:%=check-%) check-tsan check-memcheck check-sanitized check-more check-world

$(CHECKS:%=check-%) check-tsan check-memcheck check-sanitized check-more: check-%: | $(AFTER_DEPS)
	@tests/support/run-builds $(RUNS_$*)

check: | $(AFTER_DEPS)
	@tests/support/run-builds $(foreach check,$(CHECKS),$(RUNS_$(check)))

# Libraries as the distribution ships them, with what they say; a part of `make test`, too.
check-world: | $(filter deps-world,$(MAKECMDGOALS))
	@$(MAKE) --no-print-directory test PROGRAM='world_*'; status=$$?; \
	    grep -v '^running' build/results/$(notdir $(BUILD))-$(HUB).log; exit $$status
