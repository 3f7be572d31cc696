/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* rls.c - see rls.h. */
#include "core/rls.h"

#include <math.h>
#include <string.h>

#define NR_SUBSETS (1U << RLS_INPUTS)
/* Of each diagonal element: keeps the factorization positive whatever rounding did to the sums. */
#define RIDGE 1e-9
/* Fewer observations than this, after discounting, say nothing about their noise. */
#define MIN_FREEDOM 1.0

void rls_add(struct rls *r, const double x[RLS_INPUTS], double y, double keep)
{
	for (int i = 0; i < RLS_INPUTS; i++) {
		for (int j = 0; j < RLS_INPUTS; j++)
			r->xx[i][j] = keep * r->xx[i][j] + x[i] * x[j];
		r->xy[i] = keep * r->xy[i] + x[i] * y;
		r->x[i] = keep * r->x[i] + x[i];
	}
	r->y = keep * r->y + y;
	r->yy = keep * r->yy + y * y;
	r->n = keep * r->n + 1;
}

/* In units of the prior: unknowns of standard deviation one, noise beside them. */
struct scaled {
	double a[RLS_INPUTS][RLS_INPUTS];
	double b[RLS_INPUTS];
};

static void scale(const struct rls *r, const double spread[RLS_INPUTS], double noise2,
		  struct scaled *out)
{
	for (int i = 0; i < RLS_INPUTS; i++) {
		for (int j = 0; j < RLS_INPUTS; j++)
			out->a[i][j] = r->xx[i][j] * spread[i] * spread[j];
		out->a[i][i] += noise2 + RIDGE * out->a[i][i];
		out->b[i] = r->xy[i] * spread[i];
	}
}

/* Cholesky factor of the rows and columns in `subset`, in place; others become unit rows. */
static bool factorize(double a[RLS_INPUTS][RLS_INPUTS], unsigned int subset)
{
	for (int j = 0; j < RLS_INPUTS; j++) {
		double pivot = subset & 1U << j ? a[j][j] : 1;

		for (int k = 0; k < j; k++)
			pivot -= a[j][k] * a[j][k];
		if (!(pivot > 0))
			return false;
		a[j][j] = sqrt(pivot);
		for (int i = j + 1; i < RLS_INPUTS; i++) {
			if (!(subset & 1U << j) || !(subset & 1U << i))
				a[i][j] = 0;
			for (int k = 0; k < j; k++)
				a[i][j] -= a[i][k] * a[j][k];
			a[i][j] /= a[j][j];
		}
	}
	return true;
}

/* Solve for the inputs in `subset`, the others 0. Returns how much of y'y that explains, or -1. */
static double solve_subset(const struct scaled *s, unsigned int subset, double out[RLS_INPUTS])
{
	struct scaled l = *s;
	double explained = 0;

	if (!factorize(l.a, subset))
		return -1;
	for (int i = 0; i < RLS_INPUTS; i++) {
		out[i] = subset & 1U << i ? l.b[i] : 0;
		for (int k = 0; k < i; k++)
			out[i] -= l.a[i][k] * out[k];
		out[i] /= l.a[i][i];
	}
	for (int i = RLS_INPUTS - 1; i >= 0; i--) {
		for (int k = i + 1; k < RLS_INPUTS; k++)
			out[i] -= l.a[k][i] * out[k];
		out[i] /= l.a[i][i];
		if (out[i] < 0)
			return -1;
		explained += out[i] * s->b[i];
	}
	return explained;
}

/* Non-negative least squares of four unknowns: try all sixteen sets of those that are not zero. */
static void solve_nonnegative(const struct rls *r, const double spread[RLS_INPUTS], double noise2,
			      double out[RLS_INPUTS])
{
	struct scaled s;
	double best = 0;

	memset(out, 0, RLS_INPUTS * sizeof(*out));
	scale(r, spread, noise2, &s);
	for (unsigned int subset = 1; subset < NR_SUBSETS; subset++) {
		double coefficients[RLS_INPUTS];
		double explained = solve_subset(&s, subset, coefficients);

		if (!(explained > best))
			continue;
		best = explained;
		for (int i = 0; i < RLS_INPUTS; i++)
			out[i] = coefficients[i] * spread[i];
	}
}

/* Mean square of what the coefficients leave unexplained. */
static double residual(const struct rls *r, const double c[RLS_INPUTS])
{
	double sum = r->yy;

	for (int i = 0; i < RLS_INPUTS; i++) {
		sum -= 2 * c[i] * r->xy[i];
		for (int j = 0; j < RLS_INPUTS; j++)
			sum += c[i] * c[j] * r->xx[i][j];
	}
	return fmax(sum, 0) / fmax(r->n - 1, MIN_FREEDOM);
}

bool rls_solve(const struct rls *r, const double spread[RLS_INPUTS], double min_noise,
	       double out[RLS_INPUTS])
{
	double floor2 = fmax(min_noise * min_noise, 1e-12);

	memset(out, 0, RLS_INPUTS * sizeof(*out));
	if (!(r->n > 0) || !(r->yy > 0))
		return false;
	/* How noisy it is shows once the data were fitted as well as they can be. */
	solve_nonnegative(r, spread, floor2, out);
	solve_nonnegative(r, spread, fmax(residual(r, out), floor2), out);
	return true;
}
