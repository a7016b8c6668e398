"""Makes lib_factorization.tsv: objectives that scikit-learn and SciPy reach, for lib_factorization.dml to compare with.

Run in this folder: python make_lib_factorization.py > lib_factorization.tsv (NumPy, SciPy and scikit-learn needed). Rows:
sum of squares and Kullback-Leibler divergence of NMF of digits with 10 factors, 300 iterations from a random start; loss
of 3 factors of the nonzeros of 120 digits, penalty 2 without and with weights, halved, the best of 5 runs of L-BFGS; and
the mean squared error of the first of these two on nonzeros that were left out.
"""
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.decomposition import NMF

warnings.simplefilter("ignore")
digits = np.loadtxt("../../data/digits.csv", delimiter=",")[:, :-1]
model = NMF(10, init="random", solver="cd", max_iter=300, tol=0, random_state=1).fit(digits)
print("value")
print(model.reconstruction_err_**2)
model = NMF(10, init="random", solver="mu", beta_loss="kullback-leibler", max_iter=300, tol=0, random_state=1).fit(digits)
print(model.reconstruction_err_**2 / 2)

X = digits[:120]
n, m, rank = *X.shape, 3
left_out = (np.add.outer(3 * np.arange(1, n + 1), np.arange(1, m + 1)) % 7 == 0) & (X != 0)
known = (X != 0) & ~left_out


def loss(flat, wu, wv):
    U, V = flat[: n * rank].reshape(n, rank), flat[n * rank :].reshape(rank, m)
    E = known * (U @ V - X)
    value = 0.5 * (E**2).sum() + (wu * U**2).sum() + (wv * V**2).sum()
    return value, np.concatenate([(E @ V.T + 2 * wu * U).ravel(), (U.T @ E + 2 * wv * V).ravel()])


def best(wu, wv):
    runs = []
    for seed in range(5):
        start = np.random.default_rng(seed).normal(size=(n + m) * rank)
        runs.append(minimize(loss, start, (wu, wv), jac=True, method="L-BFGS-B",
                             options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-14, "gtol": 1e-8}))
    return min(runs, key=lambda run: run.fun)


plain = best(1.0, 1.0)
weighted = best(known.sum(axis=1, keepdims=True), known.sum(axis=0, keepdims=True))
print(plain.fun)
print(weighted.fun)
U, V = plain.x[: n * rank].reshape(n, rank), plain.x[n * rank :].reshape(rank, m)
print((((U @ V - X) ** 2)[left_out]).mean())
