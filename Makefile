# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# memswell: `make` builds, `make test` tests, `make demo` shows. All output goes to build/ and to
# ./memswell. Everything a target needs is installed by scripts/deps.sh, which is quiet when
# nothing is missing; so no tool is called before a recipe runs.

VERSION := 0.1.0

CC      := gcc
CLANG   := clang
BPFTOOL  = $(shell PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v bpftool)

PREFIX  ?= /usr/local
DESTDIR ?=

ARCH     := $(shell uname -m)
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(ARCH)))

WARN       := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes
# The same sources give the same bytes, wherever they lie.
PREFIX_MAP := -ffile-prefix-map=$(CURDIR)=.
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Ibpf -Ivmlinux \
              $(PREFIX_MAP) -Wall -Wextra -Werror
CFLAGS     ?= -O2 -g
HARDEN     := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
INCLUDES   := -D_GNU_SOURCE -Iuser -Ibpf -Ibuild
ALL_CFLAGS  = -std=gnu11 $(CFLAGS) $(PREFIX_MAP) $(HARDEN) $(WARN) $(INCLUDES)
ASAN_CFLAGS = -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
              -fno-omit-frame-pointer $(WARN) $(INCLUDES)
LDFLAGS    ?= -pie -Wl,-z,relro,-z,now
LDLIBS     := -lbpf -lelf -lz -ljansson -lncursesw -ltinfo -lcap-ng -lseccomp -lm

BPF_SRC   := $(wildcard bpf/*.bpf.c)
# Definitions before uses: libbpf 1.1's linker leaves the BTF offset of a map at 0 when it met an
# extern declaration of it first.
BPF_FIRST := bpf/state.bpf.c
BPF_OBJ   := $(patsubst %.c,build/%.o,$(BPF_FIRST) $(filter-out $(BPF_FIRST),$(BPF_SRC)))
USER_SRC  := $(wildcard user/*.c user/*/*.c)
# Files the binary carries within it: NAME_data.c defines what scripts/embed.sh says.
EMBEDDED  := schema report_css report_js
EMBED_OBJ := $(EMBEDDED:%=build/%_data.o)
USER_OBJ  := $(USER_SRC:%.c=build/%.o) $(EMBED_OBJ)
# The library under test: all of user space but main, with sanitizers. The linker takes from it
# only what a test refers to.
ASAN_OBJ  := $(patsubst %.c,build/asan/%.o,$(filter-out user/main.c,$(USER_SRC))) \
             $(EMBEDDED:%=build/asan/%_data.o)
UNIT_SRC  := $(wildcard tests/unit/test_*.c)
UNIT_BIN  := $(UNIT_SRC:tests/unit/%.c=build/tests/unit/%)
STRESS_BIN := build/tests/stress/churn
BPFT_SRC  := $(wildcard tests/bpf/test_*.c)
BPFT_BIN  := $(BPFT_SRC:tests/bpf/%.c=build/tests/bpf/%)
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN  := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_OBJ  := $(patsubst %.c,build/fuzz/%.o,$(filter-out user/main.c,$(USER_SRC))) \
             $(EMBEDDED:%=build/asan/%_data.o)
FUZZ_CFLAGS = -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
              -fno-omit-frame-pointer $(INCLUDES)

# V=1 shows whole commands.
Q    := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
include scripts/manual/manual.mk
include deploy/install.mk
include tests/kernels/kernels.mk
include tests/package/package.mk
include tests/containers/containers.mk
include tests/prometheus/prometheus.mk
include tests/pipelines/pipelines.mk
include deploy/image/image.mk tests/image/image.mk tests/kubernetes/kubernetes.mk

.DELETE_ON_ERROR:
.PHONY: all arm64 test test-live test-binaries test-kernels kernel-types test-views stress scenarios \
	demo bench fuzz analyze format install uninstall clean

all: memswell

# Only user space that includes the skeleton waits for it; the dependency files tell on rebuilds.
build/user/%.o: user/%.c | build/memswell.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -DMEMSWELL_VERSION='"$(VERSION)"' -MMD -MP -c $< -o $@

memswell: $(USER_OBJ)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

build/deps-build.stamp: scripts/deps.sh
	@mkdir -p $(@D)
	@sh scripts/deps.sh build
	@touch $@

build/bpf/%.bpf.o: bpf/%.bpf.c | build/deps-build.stamp
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

build/memswell.bpf.o: $(BPF_OBJ)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

build/memswell.skel.h: build/memswell.bpf.o
	$(call say,SKELETON,$@)
	$(Q){ echo '/* NOLINTBEGIN: generated, not ours to mend */' && \
		$(BPFTOOL) gen skeleton $< name memswell_bpf && echo '/* NOLINTEND */'; } > $@

build/schema_data.c: docs/schema/memswell.schema.json
build/report_css_data.c: user/view/report.css
build/report_js_data.c: user/view/report.js
build/%_data.c: scripts/embed.sh
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)sh scripts/embed.sh $(filter-out $<,$^) $(if $(filter schema,$*),schema_json,$*) > $@

build/%_data.o: build/%_data.c
	$(call say,CC,$@)
	$(Q)$(CC) -O2 -fPIE -c $< -o $@

build/asan/%_data.o: build/%_data.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -O1 -c $< -o $@

# Tests ------------------------------------------------------------------------------------------

build/asan/user/%.o: user/%.c | build/memswell.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ASAN_CFLAGS) -DMEMSWELL_VERSION='"$(VERSION)"' -MMD -MP -c $< -o $@

build/libmemswell-asan.a: $(ASAN_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The whole of it with sanitizers, for recordings: tests/replay/test_sanitized.sh.
build/memswell-asan: build/asan/user/main.o build/libmemswell-asan.a
	$(call say,CC,$@)
	$(Q)$(CC) -fsanitize=address,undefined $^ $(LDLIBS) -o $@

build/tests/unit/%: tests/unit/%.c build/libmemswell-asan.a
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ASAN_CFLAGS) -Itests/unit -MMD -MP $< build/libmemswell-asan.a -lcmocka $(LDLIBS) -o $@

build/tests/bpf/%: tests/bpf/%.c build/memswell.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -O1 -g $(WARN) $(INCLUDES) -Itests/bpf -MMD -MP $< -lcmocka $(LDLIBS) -o $@

build/tests/stress/%: tests/stress/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -MMD -MP $< -o $@

# The same library once more with clang, for its fuzzers. What sanitizers find ends the run.
build/fuzz/user/%.o: user/%.c | build/memswell.skel.h
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -DMEMSWELL_VERSION='"$(VERSION)"' \
		-MMD -MP -c $< -o $@

build/fuzz/libmemswell.a: $(FUZZ_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build/fuzz/libmemswell.a
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -Itests/fuzz -MMD -MP $< \
		build/fuzz/libmemswell.a $(LDLIBS) -o $@

test-binaries: $(UNIT_BIN) $(BPFT_BIN) $(STRESS_BIN) $(KERNELS_BIN) build/memswell-asan $(MANUAL)

test:
	@sh scripts/deps.sh test
	@$(MAKE) --no-print-directory all test-binaries
	@bash tests/run.sh

# What needs a live host and is not part of the short round.
test-live:
	@sh scripts/deps.sh test
	@$(MAKE) --no-print-directory all test-binaries
	@bash tests/run.sh --live

# Boots other kernels: downloads them once, takes minutes, so no part of `make test`. What cannot be
# installed makes it skip. ONLY="6.1 newest" boots those; UPDATE=1 makes what was found the baseline;
# QUICK=1 only loads and attaches.
test-kernels:
	@sh scripts/deps.sh kernels || true
	@$(MAKE) --no-print-directory all $(BPFT_BIN) $(KERNELS_BIN)
	@bash tests/kernels/run.sh $(if $(QUICK),--quick) $(if $(UPDATE),--update) $(ONLY)

# Fetches the type information of other kernels, which `make test` then checks too.
kernel-types:
	@sh scripts/deps.sh kernels || true
	@bash tests/kernels/types.sh

arm64: $(A64_BIN)

# The ceilings under stress and a soak, 12 minutes; SOAK_S=3600 soaks for an hour.
stress:
	@sh scripts/deps.sh test
	@$(MAKE) --no-print-directory all $(STRESS_BIN)
	@bash tests/stress/run.sh

# Every scenario live: SEEDS=1,2,3 LOADS=0.5,1,2 JOBS=2 ONLY="p1_ n*" RESULTS=DIR. What a scenario needs
# and cannot be installed makes it skip.
SEEDS ?= 1
LOADS ?= 1
JOBS  ?= 2
scenarios:
	@sh scripts/deps.sh test
	@sh scripts/deps.sh scenarios || true
	@$(MAKE) --no-print-directory all
	@bash tests/scenarios/run.sh -j $(JOBS) --seeds $(SEEDS) --load $(LOADS) \
		$(if $(RESULTS),--results $(RESULTS)) $(ONLY)

# What the report looks like to its readers, in a real browser; skips where that cannot be had.
# IMAGES=1 also draws the pictures of the README anew.
test-views:
	@sh scripts/deps.sh views || true
	@$(MAKE) --no-print-directory all
	@MEMSWELL_UPDATE_IMAGES=$(IMAGES) bash tests/report/browser.sh

fuzz: $(FUZZ_BIN)

# Static analysis of all C, user space and kernel side: .clang-tidy says which checks and why.
TIDY := clang-tidy --quiet
analyze:
	@sh scripts/deps.sh analyze
	@$(MAKE) --no-print-directory build/memswell.skel.h
	@printf '%s\n' $(USER_SRC) | xargs -P 2 -n 4 sh -c '$(TIDY) "$$@" -- -std=gnu11 -O2 $(WARN) \
		$(INCLUDES) -DMEMSWELL_VERSION=\"$(VERSION)\"' sh
	@printf '%s\n' $(BPF_SRC) | xargs -P 2 -n 4 sh -c '$(TIDY) "$$@" -- $(BPF_CFLAGS)' sh

demo:
	@sh scripts/deps.sh demo
	@$(MAKE) --no-print-directory all
	@bash scripts/demo.sh

bench:
	@sh scripts/deps.sh test
	@$(MAKE) --no-print-directory all
	@bash tests/bench/bench.sh

# House -------------------------------------------------------------------------------------------

format:
	clang-format -i $(wildcard bpf/*.[ch] user/*.[ch] user/*/*.[ch] tests/unit/*.[ch] \
		tests/bpf/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] \
		tests/kernels/*.[ch] tests/live/workloads/*.c scripts/manual/*.c)

clean:
	rm -rf build memswell

-include $(shell find build -path build/npm -prune -o -type f -name '*.d' -print 2>/dev/null)
