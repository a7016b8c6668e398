"""The workloads of dml/*.dml in NumPy and SciPy: python numpy_suite.py NAME key=value ...

Each function does what the script of its name does; k is the number of rounds. They print a result, so that nothing is
left out.
"""
import sys

import numpy as np


def rng(seed):
    return np.random.default_rng(seed)


def start():
    return 1


def loop(k):
    s = 0
    for i in range(1, k + 1):
        s = s + i * 2 % 7
    return s


def call(k):
    def f(x, y):
        return x - y if x > y else y

    s = 0.5
    for _ in range(k):
        s = f(s, 0.25)
    return s


def csvread(csv):
    return np.loadtxt(csv, delimiter=",").shape[0]


def csvwrite(n, m, k, out):
    X = rng(1).random((n, m))
    for _ in range(k):
        np.savetxt(out, X, delimiter=",", fmt="%.17g")
    return n


def binary(n, m, k, out):
    s = 0.0
    for i in range(1, k + 1):
        X = rng(i).random((n, m))
        np.save(out + ".npy", X)
        s += np.load(out + ".npy", mmap_mode="r").sum()
    return s


def rand(n, m, k):
    s = 0.0
    for i in range(1, k + 1):
        X = rng(i).random((n, m))
        s += X[0, 0]
    return s


def gram(n, m, k):
    s = 0.0
    for i in range(1, k + 1):
        X = rng(i).random((n, m))
        G = X.T @ X
        s += G[1, 0] + (G * G).sum()
    return s


def trans(n, m, k):
    s = 0.0
    for i in range(1, k + 1):
        X = rng(i).random((n, m))
        Y = np.ascontiguousarray(X.T)
        s += Y[1, 0] + Y[-1, -2]
    return s


def mvm(n, m, k):
    X = rng(1).random((n, m))
    v = rng(2).random((m, 1))
    for _ in range(k):
        w = X @ v
        v = (w.T @ X).T
        v /= np.sqrt((v * v).sum())
    return v.sum()


def gmm(n, k):
    A = rng(1).random((n, n))
    B = rng(2).random((n, n))
    for _ in range(k):
        A = A @ B
        A = A / A[0, 0]
    return (A * A).sum()


def norm(n, m, k):
    X = rng(1).random((n, m))
    s = 0.0
    for _ in range(k):
        s += np.sqrt(((X - s) ** 2).sum()) / n
    return s


def add(n, m, k):
    X = rng(1).random((n, m))
    Y = rng(2).random((n, m))
    for _ in range(k):
        X = X + Y
    return X.sum()


def cellchain(n, m, k):
    X = rng(1).random((n, m))
    Y = rng(2).random((n, m))
    s = 0.0
    for _ in range(k):
        s += (X * Y * (X - s)).sum() / n
        s /= 1 + abs(s)
    return s


def sigmoid(n, m, k):
    X = rng(1).random((n, m)) * 4 - 2
    s = 0.0
    for _ in range(k):
        s += (1 / (1 + np.exp(-(X + s)))).sum() / (n * m)
    return s


def mmchain(n, m, k):
    A = rng(1).random((n, m))
    B = rng(2).random((m, n))
    v = rng(3).random((n, 1))
    for _ in range(k):
        v = A @ B @ v
        v = v / v.sum()
    return (v * v).sum()


def spmv(n, k, sp):
    import scipy.sparse

    G = scipy.sparse.random(n, n, density=sp, format="csr", rng=rng(1))
    p = np.full((n, 1), 1 / n)
    for _ in range(k):
        p = 0.85 * (G @ p) + 0.15
        p /= p.sum()
    return (p * p).sum()


def nmf(n, m, k, sp):
    import scipy.sparse

    X = scipy.sparse.random(n, m, density=sp, format="csr", rng=rng(1))
    W = rng(2).random((n, 10))
    H = rng(3).random((10, m))
    for _ in range(k):
        H = H * (X.T @ W).T / ((W.T @ W) @ H + 1e-9)
        W = W * (X @ H.T) / (W @ (H @ H.T) + 1e-9)
    return W.sum() + H.sum()


def kmeans(n, m, k):
    X = rng(1).random((n, m))
    C = X[:16]
    for _ in range(k):
        D = -2 * (X @ C.T) + (C**2).sum(1)[None, :]
        P = (D <= D.min(1, keepdims=True)).astype(float)
        P /= P.sum(1, keepdims=True)
        C = (P.T @ X) / P.sum(0)[:, None]
    return C.sum()


def logreg(n, m, k):
    X = rng(1).random((n, m)) * 2 - 1
    y = (X @ (rng(2).random((m, 1)) * 2 - 1) > 0).astype(float)
    w = np.zeros((m, 1))
    for _ in range(k):
        w = w - (1 / n) * (X.T @ (1 / (1 + np.exp(-(X @ w))) - y))
    return w.sum()


def regression(n, m):
    X = rng(1).random((n, m))
    return X, X @ rng(2).random((m, 1)) + 0.1 * rng(3).standard_normal((n, 1))


def lmcg(n, m, k):
    X, y = regression(n, m)
    b = np.zeros((m, 1))
    r = -(X.T @ y)
    p = -r
    nr = (r * r).sum()
    for _ in range(k):
        q = X.T @ (X @ p) + 1e-7 * p
        a = nr / (p * q).sum()
        b += a * p
        r += a * q
        old, nr = nr, (r * r).sum()
        p = -r + (nr / old) * p
    return b.sum()


def lmds(n, m):
    X, y = regression(n, m)
    return np.linalg.solve(X.T @ X + 1e-7 * np.eye(m), X.T @ y).sum()


def pearson(n, m):
    X = rng(7).random((n, m))
    y = rng(8).random((n, 1))
    Xc = X - X.mean(0)
    yc = y - y.mean()
    return ((Xc.T @ yc) / (np.sqrt((Xc**2).sum(0))[:, None] * np.sqrt((yc**2).sum()))).sum()


def number(text):
    """An argument as int, float or, failing both, text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def main(workloads):
    arguments = dict(a.split("=", 1) for a in sys.argv[2:])
    print(workloads[sys.argv[1]](**{k: number(v) for k, v in arguments.items()}))


if __name__ == "__main__":
    main(globals())
