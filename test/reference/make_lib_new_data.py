"""Makes lib_new_data.tsv: what fitted models make of wines that they have not seen, for lib_new_data.dml.

Run in this folder: python make_lib_new_data.py > lib_new_data.tsv (NumPy, SciPy, pandas and scikit-learn needed).
Every third wine is new. A value a line, in the order of the sections below; matrices are summed up as the mean of their rows,
weighted by the row number. Centroids and mixtures are given, not fitted, so that both sides have the same.
"""
import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from scipy.stats import entropy, multivariate_normal
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
X, quality, colour = wine[:, :11], (wine[:, 11] - 2).astype(int), wine[:, 12].astype(int)
new = np.arange(1, len(X) + 1) % 3 == 0
old, seen = X[~new], X[new]
weights = np.arange(1, len(seen) + 1) / len(seen) ** 2
values = []


def put(Y):
    values.extend(np.atleast_1d(weights @ Y).ravel())


# kmeansPredict: rows 1, 1001, 2001 of the old ones are the centroids
centers = old[[0, 1000, 2000]]
put(pairwise_distances_argmin(seen, centers) + 1.0)
# gmmPredict, VVI: there, with the deviations of the old columns, doubled for the second
spread = old.std(axis=0, ddof=1)
density = [share * multivariate_normal(mean, np.diag((times * spread) ** 2)).pdf(seen)
           for share, mean, times in zip([0.5, 0.3, 0.2], centers, [1, 2, 1])]
put((np.array(density) / np.sum(density, axis=0)).T)
# pcaTransform: three components of the standardized columns, their largest entry positive
scaler = StandardScaler().fit(old)
unit = np.sqrt((len(old) - 1) / len(old))  # StandardScaler divides by the deviation of denominator n
pca = PCA(3).fit(scaler.transform(old))
signs = np.sign(pca.components_[np.arange(3), np.abs(pca.components_).argmax(axis=1)])
put(scaler.transform(seen) * unit @ (pca.components_.T * signs))
# scaleRobustApply
q1, med, q3 = np.quantile(old, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
put((seen - med) / (q3 - q1))
# frequencyEncodeApply and WoEApply: of quality
share = np.bincount(quality[~new], minlength=8) / len(old)
put(share[quality[new]])
uncertain = [entropy(np.bincount(colour[~new][quality[~new] == q], minlength=3)[1:] + 1e-300, base=2) for q in range(8)]
put(np.array(uncertain)[quality[new]])
# knnbf: distances of the five nearest
put(NearestNeighbors(n_neighbors=5, algorithm="brute").fit(old).kneighbors(seen)[0])
# sigmoid and softmax
put(expit(seen[:, :3] - 5))
put(softmax(seen[:, :3], axis=1))
# na_locf, both ways: every seventh value of the first column is missing
holes = pd.Series(np.where(np.arange(1, len(seen) + 1) % 7 == 0, np.nan, seen[:, 0]))
put(holes.ffill().to_numpy())
put(holes.bfill().ffill().to_numpy())
# outlierByIQRApply: outside becomes 0
reach = 1.5 * (q3 - q1)
put(np.where((seen < q1 - reach) | (seen > q3 + reach), 0, seen))
for value in values:
    print(repr(float(value)))
