/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart.h - the parts of the picture: chart.c is the frame (time, marks), chart_memory.c and chart_panels.c
 * the curves. Drawing is in units of a sheet CHART_WIDTH wide; text is set for its natural size.
 *
 * Colours and line styles are classes, see report.css. Each panel carries the values behind it in
 * data attributes, for report.js to show.
 */
#ifndef MEMSWELL_CHART_H
#define MEMSWELL_CHART_H

#include "view/chart_scale.h"
#include "view/html.h"

#define CHART_WIDTH 1000
#define PLOT_LEFT   74
#define PLOT_RIGHT  988
#define PLOT_WIDTH  (PLOT_RIGHT - PLOT_LEFT)

struct chart {
	FILE *to;
	const struct doc_incident *incident;
	const struct picture *picture;
	uint32_t number;
	double y; /* where the next panel begins */
};

/* Place of a moment. */
double chart_x(const struct chart *c, uint64_t ts_ns);

/* Panel after panel; each moves c->y down, and draws nothing if it has no data. */
void chart_memory(struct chart *c);
void chart_clients(struct chart *c);
void chart_upstream(struct chart *c);
void chart_latency(struct chart *c);
void chart_in_flight(struct chart *c);
void chart_reclaim(struct chart *c);

#endif
