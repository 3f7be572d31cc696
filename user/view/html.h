/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* html.h - what format_html.c and chart.c share: escaping, and the picture of an incident. */
#ifndef MEMSWELL_HTML_H
#define MEMSWELL_HTML_H

#include <stdio.h>

#include "view/document.h"

/* Fit for text and for attributes in double quotes. */
void html_text(FILE *to, const char *text);

/* The timeline of an incident as inline SVG. `number` makes ids unique within the page. */
void chart_write(const struct document *d, const struct doc_incident *incident, uint32_t number,
		 FILE *to);

#endif
