# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# manual.mk - part of the Makefile: the man page and the completions, made of the table of the options.

SHELLS      := bash zsh fish
COMPLETIONS := $(SHELLS:%=build/manual/memswell.%)
MANUAL      := build/manual/memswell.1 $(COMPLETIONS)

build/manual/table: scripts/manual/table.c $(filter-out build/user/main.o,$(USER_OBJ))
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $< $(filter-out build/user/main.o,$(USER_OBJ)) $(LDFLAGS) \
		$(LDLIBS) -o $@

build/manual/table.tsv: build/manual/table
	$(Q)build/manual/table > $@

build/manual/memswell.1: docs/memswell.1.in scripts/manual/man.sh build/manual/table.tsv
	$(call say,MAN,$@)
	$(Q)sh scripts/manual/man.sh build/manual/table.tsv < docs/memswell.1.in > $@

$(COMPLETIONS): build/manual/memswell.%: scripts/manual/%.sh build/manual/table.tsv
	$(call say,COMPLETE,$@)
	$(Q)sh scripts/manual/$*.sh build/manual/table.tsv > $@
