"""Makes lib_missing.tsv: imputed values of data/wine.csv by scikit-learn, for lib_missing.dml to compare with.

Run in this folder: python make_lib_missing.py > lib_missing.tsv (NumPy and scikit-learn needed).
Of the first 400 rows, in column j (0 to 5) the rows whose number mod 11 is j are taken out. Rows: imputed mean, median and
most frequent value of each column, then the sums per column of what chained linear regressions impute, their converged
state, and of what the nearest neighbour imputes (distances with means for missing values), then the share of rows whose
quality agrees with the majority of rows of equal rounded alcohol, and the other way.
"""
import warnings

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LinearRegression

warnings.simplefilter("ignore")
wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)[:400]
columns = [0, 1, 6, 8, 9, 10]
X = wine[:, columns]
hole = np.arange(1, 401)[:, None] % 11 == np.arange(6)[None, :]
X[hole] = np.nan


def simple(strategy):
    return SimpleImputer(strategy=strategy).fit(X).statistics_


chained = IterativeImputer(LinearRegression(), max_iter=300, tol=1e-12, imputation_order="roman").fit_transform(X)
filled = np.where(hole, np.nanmean(X, axis=0), X)
distance = ((filled[:, None, :] - filled[None, :, :]) ** 2).sum(axis=2)
nearest = X.copy()
for j in range(6):
    donors = np.flatnonzero(~hole[:, j])
    for i in np.flatnonzero(hole[:, j]):
        nearest[i, j] = X[donors[distance[i, donors].argmin()], j]


def strength(a, b):
    return sum(np.unique(b[a == v], return_counts=True)[1].max() for v in np.unique(a)) / len(a)


quality, alcohol = wine[:, 11], np.floor(wine[:, 10] + 0.5)
rows = [simple("mean"), simple("median"), simple("most_frequent"), np.where(hole, chained, 0).sum(axis=0),
        np.where(hole, nearest, 0).sum(axis=0),
        [strength(alcohol, quality), strength(quality, alcohol), 0, 0, 0, 0]]
for row in rows:
    print("\t".join(repr(float(v)) for v in row))
