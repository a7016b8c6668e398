"""The script library's algorithms in scikit-learn: python library_suite.py NAME key=value ...

As numpy_suite.py. A run is a whole process, with the reading of its files, which `prepare` has made; what it prints last is
the objective, or the accuracy, by which both sides are held to the same result.
"""
import os

import numpy as np
import scipy.sparse as sp
from numpy_suite import main, rng


def labels(X, m):
    """Numbers, two labels and ten labels for rows, as linear models with noise give them."""
    n = X.shape[0]
    y = X @ rng(11).normal(size=m)
    scores = X @ rng(12).normal(size=(m, 10))
    y /= y.std()
    scores /= scores.std()
    noise = rng(13).gumbel(size=scores.shape) / 3
    return {"number": y + 0.5 * rng(14).normal(size=n), "two": 1 + (y + 0.5 * rng(15).normal(size=n) > y.mean()),
            "ten": 1 + np.argmax(scores + noise, axis=1)}


def prepare_library(file, n, m, **_):
    """X around ten centers, its absolute values, or sparse and not negative; labels beside it."""
    folder = os.path.dirname(file)
    os.makedirs(folder, exist_ok=True)
    if file.endswith(".npz"):
        X = sp.random(n, m, density=0.01, format="csr", random_state=rng(1))
        sp.save_npz(file, X, compressed=False)
    else:
        X = 0.7 * rng(1).normal(size=(10, m))[rng(2).integers(0, 10, n)] + rng(3).normal(size=(n, m))
        np.save(f"{folder}/X.npy", X)
        np.save(f"{folder}/counts.npy", np.abs(X))
    for name, y in labels(X, m).items():
        np.save(f"{folder}/{name}.npy", y.astype(float).reshape(-1, 1))


def load(file):
    return sp.load_npz(file) if file.endswith(".npz") else np.load(file)


def lib_lm(file, y, reg, **_):
    from sklearn.linear_model import LinearRegression, Ridge

    X, y = load(file), np.load(y).ravel()
    model = (Ridge(alpha=reg) if reg else LinearRegression()).fit(X, y)
    return np.mean((y - model.predict(X)) ** 2)


def lib_logreg(file, y, reg, **_):
    from sklearn.linear_model import LogisticRegression

    X, y = load(file), np.load(y).ravel()
    model = LogisticRegression(C=1 / reg, max_iter=1000).fit(X, y)
    return -np.mean(model.predict_log_proba(X)[np.arange(len(y)), y.astype(int) - 1])


def lib_l2svm(file, y, **_):
    from sklearn.svm import LinearSVC

    X, y = load(file), 2 * np.load(y).ravel() - 3
    w = LinearSVC(C=0.5, fit_intercept=False).fit(X, y).coef_.ravel()
    return (w @ w + (np.maximum(0, 1 - y * (X @ w)) ** 2).sum()) / (2 * len(y))


def lib_kmeans(file, **_):
    from sklearn.cluster import KMeans

    X = load(file)
    return KMeans(n_clusters=10, n_init=1, random_state=1).fit(X).inertia_ / X.shape[0]


def lib_pca(file, **_):
    from sklearn.decomposition import PCA

    return PCA(n_components=10).fit_transform(load(file)).var(axis=0, ddof=1).sum()


def lib_gmm(file, k_gmm, model, **_):
    from sklearn.mixture import GaussianMixture

    X = load(file)
    kind = {"VVV": "full", "VVI": "diag"}[model]
    return -GaussianMixture(k_gmm, covariance_type=kind, random_state=1).fit(X).score(X)


def lib_nmf(file, **_):
    from sklearn.decomposition import NMF

    X = load(file)
    model = NMF(n_components=10).fit(X)
    return model.reconstruction_err_**2 / (X.power(2) if sp.issparse(X) else X**2).sum()


def lib_bayes(file, y, **_):
    from sklearn.naive_bayes import MultinomialNB

    X, y = load(file), np.load(y).ravel()
    return MultinomialNB().fit(X, y).score(X, y)


def lib_knn(file, **_):
    from sklearn.neighbors import NearestNeighbors

    X = load(file)
    return NearestNeighbors(n_neighbors=5, algorithm="brute").fit(X).kneighbors(X[:1000])[0].mean()


if __name__ == "__main__":
    main(globals())
