/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rls.h - recursive least squares of one quantity on four inputs, forgetting slowly, with
 * coefficients that are never negative. Pure arithmetic; what the inputs are is traffic.h.
 *
 * Kept in information form: the discounted sums of products, not the estimate and its covariance.
 * It is the same estimate, but inputs that never vary, or only together, cannot blow it up: there
 * is no covariance that grows without bound while nothing new is learnt. The sums are solved when
 * somebody asks, with a prior that says how large each coefficient may reasonably be. Where the
 * data cannot tell two inputs apart, the one with the wider prior gets the coefficient; where they
 * can, the prior does not matter.
 */
#ifndef MEMSWELL_RLS_H
#define MEMSWELL_RLS_H

#include <stdbool.h>
#include <stdint.h>

#define RLS_INPUTS 4

/* All discounted alike. Zeroed memory is an empty one. */
struct rls {
	double xx[RLS_INPUTS][RLS_INPUTS];
	double xy[RLS_INPUTS];
	double x[RLS_INPUTS];
	double y;
	double yy;
	double n;
};

/* Take one observation; what was before counts `keep` times as much, 0..1. */
void rls_add(struct rls *r, const double x[RLS_INPUTS], double y, double keep);

/*
 * The most plausible non-negative coefficients for a prior of standard deviation spread[i] around
 * zero; an input with spread 0 is left out. min_noise: what one observation is uncertain by at
 * least. False when there is nothing to tell from; then all are 0.
 */
bool rls_solve(const struct rls *r, const double spread[RLS_INPUTS], double min_noise,
	       double out[RLS_INPUTS]);

#endif
