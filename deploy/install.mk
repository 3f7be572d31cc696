# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# install.mk - part of the Makefile: where everything goes on a host. Into PREFIX, but for two files that are
# read from /etc alone; there a configuration that exists is kept.

# Packages say where their distribution wants these two.
ZSH_DIR  ?= site-functions
UNIT_DIR ?= $(PREFIX)/lib/systemd/system
SHARE     = $(DESTDIR)$(PREFIX)/share

install: all $(MANUAL)
	install -D -m 0755 memswell $(DESTDIR)$(PREFIX)/bin/memswell
	install -D -m 0644 -t $(SHARE)/memswell docs/schema/memswell.schema.json docs/schema/check.schema.json
	install -D -m 0644 -t $(SHARE)/man/man1 build/manual/memswell.1
	install -D -m 0644 build/manual/memswell.bash $(SHARE)/bash-completion/completions/memswell
	install -D -m 0644 build/manual/memswell.zsh $(SHARE)/zsh/$(ZSH_DIR)/_memswell
	install -D -m 0644 -t $(SHARE)/fish/vendor_completions.d build/manual/memswell.fish
	install -d $(DESTDIR)$(UNIT_DIR)
	sed 's,/usr/bin/,$(PREFIX)/bin/,' deploy/systemd/memswell.service \
		> $(DESTDIR)$(UNIT_DIR)/memswell.service
	install -D -m 0644 deploy/systemd/memswell.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/memswell.conf
	[ -e $(DESTDIR)/etc/default/memswell ] || \
		install -D -m 0644 deploy/systemd/memswell.default $(DESTDIR)/etc/default/memswell
	[ -e $(DESTDIR)/etc/logrotate.d/memswell ] || \
		install -D -m 0644 deploy/logrotate/memswell $(DESTDIR)/etc/logrotate.d/memswell

# What install puts into an empty place, wherever packages want it, but for the configuration.
uninstall:
	rm -rf build/uninstall
	$(MAKE) --no-print-directory install DESTDIR=build/uninstall >/dev/null
	(cd build/uninstall && find . -type f ! -path './etc/*') | while read -r file; do rm -f "$(DESTDIR)/$$file"; done
	rm -rf build/uninstall
	rmdir $(SHARE)/memswell 2>/dev/null || :
