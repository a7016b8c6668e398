"""Workloads that have bounds in NumPy: python speed_suite.py NAME key=value ...

As numpy_suite.py, whose runner and generators these use: what a user of NumPy writes, in its usual form. dtype is float32
where matloom runs in single precision.
"""
import numpy as np
from numpy_suite import main, rng


def again(k, work):
    for _ in range(k):
        result = work()
    return result.sum()


def matmult(n, k, dtype="float64"):
    A = (rng(1).random((n, n)) * 2 - 1).astype(dtype)
    B = (rng(2).random((n, n)) * 2 - 1).astype(dtype)
    return again(k, lambda: A @ B)


def tsmm(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: X.T @ X)


def matvec(n, m, k):
    X = rng(1).random((n, m))
    v = rng(2).random((m, 1))
    return again(k, lambda: X @ v)


def vecmat(n, m, k):
    X = rng(1).random((n, m))
    w = rng(2).random((n, 1))
    return again(k, lambda: X.T @ w)


def weighted(n, m, k):
    X = rng(1).random((n, m))
    w = rng(2).random((n, 1))
    v = rng(3).random((m, 1))
    for _ in range(k):
        v = X.T @ (w * (X @ v))
        v /= v.sum()
    return v.sum()


def sumproduct(n, m, k):
    X, Y, Z = (rng(seed).random((n, m)) for seed in (1, 2, 3))
    s = 0.0
    for _ in range(k):
        s += (X * Y * Z).sum()
    return s


def sumsquares(n, m, k):
    X = rng(1).random((n, m))
    s = 0.0
    for _ in range(k):
        s = ((X - s) ** 2).sum() / (n * m)
    return s


def plus(n, m, k):
    X = rng(1).random((n, m))
    Y = rng(2).random((n, m))
    return again(k, lambda: X + Y)


def around(n, m):
    """Numbers from -2 to 2."""
    return rng(1).random((n, m)) * 4 - 2


def sigmoids(n, m, k):
    X = around(n, m)
    for i in range(1, k + 1):
        P = 1 / (1 + np.exp(-(X * 0.5 + i)))
    return P.sum()


def softmax(n, m, k):
    X = around(n, m)

    def work():
        E = np.exp(X - X.max(1, keepdims=True))
        return E / E.sum(1, keepdims=True)

    return again(k, work)


def tanhs(n, m, k):
    X = around(n, m)
    s = 0.0
    for _ in range(k):
        s = np.tanh(X * 0.5 + s).sum() / (n * m)
    return s


def logsumexp(n, m, k):
    X = around(n, m)

    def work():
        M = X.max(1, keepdims=True)
        return np.log(np.exp(X - M).sum(1, keepdims=True)) + M

    return again(k, work)


def pca(n, m, k):
    X = rng(1).random((n, m))

    def work():
        mu = X.mean(0, keepdims=True)
        C = (X.T @ X) / (n - 1) - mu.T @ mu * (n / (n - 1))
        return X @ np.linalg.eigh(C)[1][:, -10:]

    return again(k, work)


def outersum(n, m, r, sp, k):
    """The dense form: NumPy has no product that is computed only where W has cells."""
    W = rng(1).random((n, m)) * (rng(4).random((n, m)) < sp)
    U = rng(2).random((n, r))
    V = rng(3).random((m, r))
    s = 0.0
    for _ in range(k):
        s += (W * (U @ V.T)).sum()
    return s


if __name__ == "__main__":
    main(globals())
