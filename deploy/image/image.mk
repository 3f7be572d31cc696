# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# image.mk - part of the Makefile: memswell as one static binary, and the image that holds it.
#
#   make image                      for this machine
#   make image IMAGE_ARCH=arm64     for arm64, cross-built

.PHONY: image

NATIVE     := $(patsubst x86_64,amd64,$(patsubst aarch64,arm64,$(ARCH)))
IMAGE_ARCH ?= $(NATIVE)
IMAGE_OUT  ?= build/image
CROSS      := $(if $(filter arm64,$(filter-out $(NATIVE),$(IMAGE_ARCH))),arm64)

STATIC      := $(if $(CROSS),$(A64),build)
STATIC_CC    = $(if $(CROSS),$(A64_CC),$(CC))
STATIC_ROOT := $(if $(CROSS),build/kernels/arm64-root,/)
STATIC_OBJ  := $(if $(CROSS),$(A64_OBJ),$(USER_OBJ))
# Addresses stay random: a static binary that is position-independent.
STATIC_LD   := -static-pie -Wl,-z,relro,-z,now -s

# What is opened at run time elsewhere (user/sink/mhd.h) is linked in here.
STATIC_OBJ  := $(filter-out %/user/sink/mhd.o,$(STATIC_OBJ)) $(STATIC)/mhd_linked.o $(STATIC)/no_tls.o
STATIC_LIBS := -lmicrohttpd

$(STATIC)/mhd_linked.o: user/sink/mhd.c | $(STATIC)/memswell.skel.h
	$(call say,CC,$@)
	$(Q)$(STATIC_CC) $(if $(CROSS),$(A64_CFLAGS),$(ALL_CFLAGS)) -DMEMSWELL_LINK_MHD -MMD -MP -c $< -o $@

$(STATIC)/no_tls.o: deploy/image/no_tls.sh | $(STATIC)/memswell.skel.h
	$(call say,CC,$@)
	$(Q)sh $< $(if $(CROSS),aarch64-linux-gnu-nm,nm) \
		$$($(STATIC_CC) -print-file-name=libmicrohttpd.a) | \
		$(STATIC_CC) -O2 -fPIE -x c -c - -o $@

# The C library warns of getpwuid, which libcap-ng would call to become another user; memswell does not.
$(STATIC)/memswell-static: $(STATIC_OBJ)
	$(call say,CC,$@)
	$(Q)$(STATIC_CC) $(CFLAGS) $(STATIC_LD) $^ $(STATIC_LIBS) $(LDLIBS) -o $@ 2>$@.log || { cat $@.log; exit 1; }

image:
	@sh scripts/deps.sh image
	$(if $(CROSS),@sh scripts/deps.sh kernels && bash tests/kernels/root.sh $(STATIC_ROOT) arm64 bookworm)
	$(if $(filter $(NATIVE) arm64,$(IMAGE_ARCH)),,$(error IMAGE_ARCH is $(IMAGE_ARCH), must be $(NATIVE) or arm64))
	@$(MAKE) --no-print-directory $(STATIC)/memswell-static
	@bash deploy/image/build.sh $(IMAGE_ARCH) $(STATIC)/memswell-static $(STATIC_ROOT) $(VERSION) $(IMAGE_OUT)
