/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* assets.h - style and script of the report, as scripts/embed.sh puts them into the binary. */
#ifndef MEMSWELL_ASSETS_H
#define MEMSWELL_ASSETS_H

extern const char report_css[];
extern const char report_css_csp[]; /* "sha256-..." */
extern const char report_js[];
extern const char report_js_csp[];

#endif
