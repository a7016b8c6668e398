#!/usr/bin/env python3
"""Reference values of distribution functions for test/unit/test_distributions.c.

Computed with mpmath in 60 digits and rounded once; prints the rows of the table points[].  Run by hand:
    python3 test/reference/distributions.py
"""
import mpmath as mp

mp.mp.dps = 60


def normal(z):
    return mp.ncdf(z)


def student(t, df):
    tail = mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2
    return tail if t < 0 else 1 - tail


def chisq(x, df):
    return mp.gammainc(df / 2, 0, x / 2, regularized=True)


def fisher(x, df1, df2):
    return mp.betainc(df1 / 2, df2 / 2, 0, df1 * x / (df2 + df1 * x), regularized=True)


def row(name, x, a, b, value):
    if value < 1e-300:  # not a normal double
        return
    print('    {"%s", %s, %s, %s, %s},' % (name, x, a, b, mp.nstr(value, 17, min_fixed=1, max_fixed=0)))


def main():
    for x in ("-20", "-8", "-3.3", "-1.5", "-0.5", "0.1", "1.96", "3"):
        row("pnorm", x, "0", "1", normal(mp.mpf(float(x))))
    for df in ("1", "2.5", "5", "30", "200"):
        for x in ("-50", "-4", "-1.5", "-0.25", "0.5", "2", "6"):
            row("pt", x, df, "0", student(mp.mpf(float(x)), mp.mpf(float(df))))
        for x in ("0.01", "0.5", "3", "12", "80"):
            row("pchisq", x, df, "0", chisq(mp.mpf(float(x)), mp.mpf(float(df))))
    for df1, df2 in (("1", "1"), ("2", "10"), ("4.5", "3"), ("24", "300"), ("150", "40")):
        for x in ("0.05", "0.5", "1", "2.5", "9"):
            args = (mp.mpf(float(v)) for v in (x, df1, df2))
            row("pf", x, df1, df2, fisher(*args))


main()
