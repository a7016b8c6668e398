"""Makes lib_outliers.tsv: outliers of data/wine.csv by NumPy, for lib_outliers.dml to compare with.

Run in this folder: python make_lib_outliers.py > lib_outliers.tsv (NumPy needed).
A row for each of the 11 measurements. Quantiles at 0.05 and 0.95 and the mean of the winsorized column; mean, deviation
and number of values found in the third round of the 3 sigma rule, and all values repaired; the quartiles and the number of
values repaired after two rounds of Tukey's fences. All quantiles are values of rank ceil(p n); the number of rows is odd.
"""
import numpy as np

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)[:, :11]


def quantile(x, p):
    """DML's quantile of a scalar p: for an even number of values the mean of two neighbours."""
    s = np.sort(x[~np.isnan(x)])
    rank = max(1, int(np.ceil(p * len(s))))
    return s[rank - 1] if len(s) % 2 or rank == len(s) else (s[rank - 1] + s[rank]) / 2


def repaired(x, rounds, bounds):
    x = x.copy()
    for _ in range(rounds):
        figures, low, high = bounds(x)
        x[(x < low) | (x > high)] = np.nan
    return [*figures, np.isnan(x).sum()]


def sigma(x):
    mean, sd = np.nanmean(x), np.nanstd(x, ddof=1)
    return [mean, sd], mean - 3 * sd, mean + 3 * sd


def fences(x):
    q1, q3 = quantile(x, 0.25), quantile(x, 0.75)
    return [q1, q3], q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)


for x in wine.T:
    low, high = quantile(x, 0.05), quantile(x, 0.95)
    row = [low, high, x.clip(low, high).mean(), *repaired(x, 3, sigma), *repaired(x, 2, fences)]
    print("\t".join(repr(float(v)) for v in row))
