"""Makes lib_clustering_objectives.tsv and lib_clustering_dbscan.tsv by scikit-learn, for lib_clustering.dml.

Run in this folder: python make_lib_clustering.py (NumPy and scikit-learn needed). Objectives, one a row: the best k-means
sum of squares of iris (3 clusters) and digits (10), then of mixtures of 3 distributions on iris the Bayesian information
criterion, by models VVV, EEE, VVI, VII, and the mean log-likelihood of every third row when fitted to the others. Of
dbscan the clusters of iris and of the standardized wine, -1 for noise.
"""
import numpy as np
from sklearn.cluster import DBSCAN, KMeans
from sklearn.mixture import GaussianMixture

iris = np.loadtxt("../../data/iris.csv", delimiter=",", skiprows=1, usecols=range(1, 5))
digits = np.loadtxt("../../data/digits.csv", delimiter=",")[:, :-1]
wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)[:, :11]
test = np.arange(1, len(iris) + 1) % 3 == 0


def mixture(X, covariance):
    model = GaussianMixture(3, covariance_type=covariance, tol=1e-9, max_iter=2000, n_init=10, random_state=1)
    return model.fit(X)


kinds = ["full", "tied", "diag", "spherical"]
rows = [KMeans(3, n_init=50, random_state=1, tol=0).fit(iris).inertia_]
rows += [KMeans(10, n_init=50, random_state=1, tol=0).fit(digits).inertia_]
rows += [mixture(iris, kind).bic(iris) for kind in kinds]
rows += [mixture(iris[~test], kind).score(iris[test]) for kind in kinds]
np.savetxt("lib_clustering_objectives.tsv", rows, fmt="%.12g", header="value", comments="")

scaled = (wine - wine.mean(axis=0)) / wine.std(axis=0, ddof=1)
labels = [DBSCAN(eps=0.5, min_samples=5).fit(iris).labels_, DBSCAN(eps=1.5, min_samples=8).fit(scaled).labels_]
size = max(map(len, labels))
padded = [np.pad(x, (0, size - len(x))) for x in labels]
np.savetxt("lib_clustering_dbscan.tsv", np.array(padded).T, fmt="%d", delimiter="\t", header="iris\twine", comments="")
