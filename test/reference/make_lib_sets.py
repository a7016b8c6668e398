"""Makes lib_sets.tsv: sets and joins of data/wine.csv by NumPy and pandas, for lib_sets.dml to compare with.

Run in this folder: python make_lib_sets.py > lib_sets.tsv (NumPy and pandas needed).
Rows: number of rows and sum of their cells, the sum weighted by the row number. Of the sets of alcohol values of red and
white wines: intersection, differences, symmetric difference, union; the distinct pairs of quality and colour; the join of
the first 300 and the last 400 wines on the rounded alcohol; the wines of quality above 6; the first 500 wines by quality.
"""
import numpy as np
import pandas as pd

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
red, white = wine[wine[:, 12] == 1, 10], wine[wine[:, 12] == 2, 10]


def line(M):
    M = np.asarray(M, dtype=float).reshape(len(M), -1)
    return [len(M), M.sum(), np.arange(1, len(M) + 1) @ M.sum(axis=1)]


def first(M):
    return pd.DataFrame(M).drop_duplicates().to_numpy()


def join(A, B):
    left, right = pd.DataFrame(A).add_prefix("a"), pd.DataFrame(B).add_prefix("b")
    both = left.merge(right, left_on="a0", right_on="b0", how="inner", sort=False)
    return both.sort_values("a0", kind="stable").to_numpy()


def groups(X):
    rows = [[key, *part.drop(columns=0).to_numpy().ravel()] for key, part in pd.DataFrame(X).groupby(0)]
    width = max(map(len, rows))
    return [row + [0.0] * (width - len(row)) for row in rows]


key = np.floor(wine[:, [10]] + 0.5)
keyed = np.hstack([key, wine[:, :2]])
for M in [np.intersect1d(red, white), np.setdiff1d(red, white), np.setdiff1d(white, red), np.setxor1d(red, white),
          first(np.concatenate([red, white])), first(wine[:, 11:13]), join(keyed[:300], keyed[-400:]),
          wine[wine[:, 11] > 6], groups(wine[:500][:, [11, 0, 1]])]:
    print("\t".join(repr(float(v)) for v in line(M)))
