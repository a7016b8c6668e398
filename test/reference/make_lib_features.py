"""Makes lib_features.tsv: encodings of data/wine.csv by NumPy, SciPy and scikit-learn, for lib_features.dml.

Run in this folder: python make_lib_features.py > lib_features.tsv (NumPy, SciPy and scikit-learn needed).
A row for each of the 11 measurements: the mean of the min-max scaled and of the standardized column, weighted by the row
number, quartiles of rank ceil(p n) and the weighted mean of the column scaled by them, whether the variance is above 0.1;
then a row each of quality's labels 1 to 7: the share of wines, the entropy of the colour.
"""
import numpy as np
from scipy.stats import entropy
from sklearn.feature_selection import VarianceThreshold
from sklearn.preprocessing import StandardScaler, minmax_scale

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
X, quality, colour = wine[:, :11], (wine[:, 11] - 2).astype(int), wine[:, 12].astype(int)
n = len(X)
weights = np.arange(1, n + 1) / n
spread = np.sqrt((n - 1) / n)  # StandardScaler divides by the deviation of denominator n
q1, med, q3 = np.quantile(X, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
kept = VarianceThreshold(0.1 * (n - 1) / n).fit(X).get_support()
columns = [weights @ minmax_scale(X) / n, weights @ StandardScaler().fit_transform(X) * spread / n, q1, med, q3,
           weights @ ((X - med) / (q3 - q1)) / n, kept.astype(float)]
for row in zip(*columns):
    print("\t".join(repr(float(v)) for v in row))
for label in range(1, 8):
    of = colour[quality == label]
    counts = np.bincount(of, minlength=3)[1:]
    print("\t".join(repr(float(v)) for v in [len(of) / n, entropy(counts, base=2), 0, 0, 0, 0, 0]))
