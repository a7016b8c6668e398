/* special: regularized incomplete gamma and beta functions, both tails.  Private to the kernels;
 * pure functions. */
#ifndef SPECIAL_H
#define SPECIAL_H

/* P(a, x) and Q(a, x) = 1 - P, for a > 0, possibly infinite, x >= 0. */
double gamma_lower(double a, double x);
double gamma_upper(double a, double x);
/* I_x(a, b) for a, b > 0 and x, y >= 0 with x + y = 1, both given so that neither is rounded away.
 */
double beta_lower(double x, double y, double a, double b);

#endif
