"""Loops over independent work with joblib: python parfor_suite.py NAME key=value ...

As numpy_suite.py, whose runner and generators these use; joblib with as many workers as there are CPUs, in processes that it
keeps for the next call, which is how scikit-learn runs its grid searches.
"""
import os

import numpy as np
from joblib import Parallel, delayed
from numpy_suite import main, rng

WORKERS = len(os.sched_getaffinity(0))


def each(k, work, jobs):
    """The results of the last of k rounds over a list of arguments."""
    for _ in range(k):
        result = Parallel(n_jobs=WORKERS)(delayed(work)(*job) for job in jobs)
    return result


def column(X, j):
    x = X[:, j]
    mu, sd = x.mean(), x.std(ddof=1)
    c = x - mu
    return x.min(), x.max(), mu, sd, (c**3).mean() / sd**3, (c**4).mean() / sd**4 - 3, np.median(x)


def parfor_columns(n, m, k):
    X = rng(1).random((n, m))
    return np.sum(each(k, column, [(X, j) for j in range(m)]))


def fold(X, y, lo, hi):
    Xi, yi = X[lo:hi], y[lo:hi]
    A = X.T @ X - Xi.T @ Xi + np.diag(np.full(X.shape[1], 0.001))
    b = X.T @ y - Xi.T @ yi
    return ((yi - Xi @ np.linalg.solve(A, b)) ** 2).sum()


def parfor_folds(n, m, k):
    X = rng(1).random((n, m))
    y = X @ rng(2).random((m, 1)) + 0.1 * rng(3).random((n, 1))
    return sum(each(k, fold, [(X, y, f * n // 5, (f + 1) * n // 5) for f in range(5)]))


def ridge(A, b, V, v, penalty):
    beta = np.linalg.solve(A + np.diag(np.full(len(A), penalty)), b)
    return ((v - V @ beta) ** 2).sum()


def parfor_ridge(n, m, k):
    X = rng(1).random((n, m))
    y = X @ rng(2).random((m, 1)) + rng(3).random((n, 1))
    V = rng(4).random((n // 4, m))
    v = V @ rng(2).random((m, 1))
    A, b = X.T @ X, X.T @ y
    return min(each(k, ridge, [(A, b, V, v, 2 ** (i / 4 - 8)) for i in range(1, 65)]))


def bootstrap(x, i):
    return x[rng(i).integers(0, len(x), len(x))].mean()


def parfor_bootstrap(n, k):
    x = rng(1).random(n)
    return np.std(each(k, bootstrap, [(x, i) for i in range(1, 1001)]))


if __name__ == "__main__":
    main(globals())
