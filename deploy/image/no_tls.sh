#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# no_tls.sh NM LIBRARY - prints C in which each function of GnuTLS that LIBRARY (libmicrohttpd.a) refers to
# fails. memswell serves metrics without TLS, so none is ever called; and GnuTLS cannot be linked
# statically, for p11-kit comes as a shared library only.
set -eu
"$1" -u "$2" 2>/dev/null | sed -n -E 's/^ *U (gnutls_[a-z0-9_]+)$/\1/p' | LC_ALL=C sort -u |
	sed 's/.*/int &(void);\nint &(void)\n{\n\treturn -1;\n}\n/'
