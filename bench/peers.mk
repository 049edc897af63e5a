# SPDX-License-Identifier: MIT
#
# The bare switch that the library's is measured against is written per architecture.

BENCH_STUB := $(OBJ)/bench/$(ARCH)/stub.S.o
$(BENCH_STUB): COMPILE = $(CC) $(LIB_C)
$(BUILD)/bench: $(BENCH_STUB)
