# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# kernels.mk - part of the Makefile: the programs of tests/kernels and tests/live, and memswell and its kernel tests for
# arm64, cross-built against the system that root.sh unpacks (build/arm64).

KERNELS_BIN := build/tests/kernels/programs build/tests/kernels/check_types build/tests/live/provoke

build/tests/live/provoke: tests/live/workloads/provoke.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -O1 -g $(WARN) $(INCLUDES) -MMD -MP $< -static -o $@

build/tests/kernels/check_types: $(addprefix tests/kernels/,check_types.c object.c reach.c core_match.c) \
		build/user/source/probes.o
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $^ $(LDFLAGS) -lbpf -lelf -lz -o $@

build/tests/kernels/%: tests/kernels/%.c $(filter-out build/user/main.o,$(USER_OBJ))
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $< $(filter-out build/user/main.o,$(USER_OBJ)) $(LDFLAGS) \
		$(LDLIBS) -o $@

# arm64: the same recipes with another compiler, for this and for the kernel programs.
A64        := build/arm64
A64_CC      = aarch64-linux-gnu-gcc --sysroot=build/kernels/arm64-root
A64_CFLAGS  = $(patsubst -Ibuild,-I$(A64),$(ALL_CFLAGS))
A64_OBJ    := $(patsubst build/%,$(A64)/%,$(USER_OBJ))
A64_BIN    := $(A64)/memswell $(A64)/memswell.bpf.o $(A64)/tests/kernels/programs \
              $(A64)/tests/live/provoke $(BPFT_BIN:build/%=$(A64)/%)

$(A64)/bpf/%.bpf.o: bpf/%.bpf.c | build/deps-build.stamp
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(patsubst -D__TARGET_ARCH_%,-D__TARGET_ARCH_arm64,$(BPF_CFLAGS)) -MMD -MP -c $< -o $@

$(A64)/memswell.bpf.o: $(BPF_OBJ:build/%=$(A64)/%)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(A64)/memswell.skel.h: $(A64)/memswell.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name memswell_bpf > $@

$(A64)/user/%.o: user/%.c | $(A64)/memswell.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(A64_CC) $(A64_CFLAGS) -DMEMSWELL_VERSION='"$(VERSION)"' -MMD -MP -c $< -o $@

$(A64)/%_data.o: build/%_data.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(A64_CC) -O2 -fPIE -c $< -o $@

$(A64)/memswell: $(A64_OBJ)
	$(call say,CC,$@)
	$(Q)$(A64_CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(A64)/tests/live/provoke: tests/live/workloads/provoke.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(A64_CC) -std=gnu11 -O1 -g $(WARN) -D_GNU_SOURCE -MMD -MP $< -static -o $@

$(A64)/tests/kernels/%: tests/kernels/%.c $(filter-out $(A64)/user/main.o,$(A64_OBJ))
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(A64_CC) $(A64_CFLAGS) -MMD -MP $< $(filter-out $(A64)/user/main.o,$(A64_OBJ)) $(LDFLAGS) \
		$(LDLIBS) -o $@

$(A64)/tests/bpf/%: tests/bpf/%.c $(A64)/memswell.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(A64_CC) -std=gnu11 -O1 -g $(WARN) -D_GNU_SOURCE -Iuser -Ibpf -I$(A64) -Itests/bpf -MMD -MP $< \
		-lcmocka $(LDLIBS) -o $@
