"""The builtins of dml/*.dml in NumPy, SciPy and scikit-learn: python native_suite.py NAME key=value ...

As numpy_suite.py, whose runner and generators these use. Every function does the work k times over and keeps the last
result, as its script does.
"""
import numpy as np
from numpy_suite import main, rng


def again(k, work):
    """The sum of what the last of k rounds gave."""
    for _ in range(k):
        result = work()
    return sum(np.abs(part).sum() for part in result) if isinstance(result, tuple) else result.sum()


def categories(n, m, seed):
    """n whole numbers from 0 to m - 1, the scripts' categories less 1."""
    return rng(seed).integers(0, m, n)


# ---- order and counts ----


def order(n, k):
    v = rng(1).random(n)
    return again(k, lambda: np.argsort(v) + 1)


def order2(n, k):
    X = np.column_stack([categories(n, 1000, 1), rng(2).random(n)])
    return again(k, lambda: np.lexsort((X[:, 1], X[:, 0])) + 1)


def orderrows(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: X[np.argsort(-X[:, 2])])


def unique(n, k):
    v = np.round(rng(1).random(n) * 100000)
    return again(k, lambda: np.unique(v))


def median(n, k):
    v = rng(1).random(n)
    return again(k, lambda: np.median(v))


def quantile(n, k):
    v = rng(1).random(n)
    p = np.arange(1, 10) / 10
    return again(k, lambda: np.quantile(v, p, method="inverted_cdf"))


def table(n, m, k):
    a, b = categories(n, m, 1), categories(n, m, 2)
    return again(k, lambda: np.bincount(a * m + b, minlength=m * m).reshape(m, m))


def tablew(n, m, k):
    from scipy.sparse import coo_matrix

    a, b, w = categories(n, m, 1), categories(n, m, 2), rng(3).random(n)
    return again(k, lambda: coo_matrix((w, (a, b)), shape=(m, m)).toarray())


def onehot(n, m, k):
    from sklearn.preprocessing import OneHotEncoder

    a = categories(n, m, 1)[:, None].astype(float)
    return again(k, lambda: OneHotEncoder(categories=[np.arange(m)]).fit_transform(a))


def aggregate(n, m, k, fn):
    g, v = categories(n, m, 1), rng(2).random(n)

    def means(x):
        return np.bincount(g, x, m) / np.bincount(g, minlength=m)

    def greatest():
        result = np.full(m, -np.inf)
        np.maximum.at(result, g, v)
        return result

    work = {"sum": lambda: np.bincount(g, v, m), "mean": lambda: means(v),
            "variance": lambda: means((v - means(v)[g]) ** 2), "max": greatest}
    return again(k, work[fn])


# ---- running aggregates, cells moved and picked ----


def cumsum(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: np.cumsum(X, 0))


def cumprod(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: np.cumprod(X, 0))


def cummax(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: np.maximum.accumulate(X, 0))


def removeempty(n, m, k):
    X = rng(1).random((n, m)) * (rng(2).random((n, 1)) > 0.5)
    return again(k, lambda: X[X.any(1)])


def replace(n, m, k):
    X = np.round(rng(1).random((n, m)) * 9)
    return again(k, lambda: np.where(X == 3, 7, X))


def rowindexmax(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: X.argmax(1) + 1)


def outer(n, m, k):
    u, v = rng(1).random(n), rng(2).random(m)
    return again(k, lambda: np.less.outer(u, v).astype(float))


def rev(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: X[::-1].copy())


def reshape(n, m, k, byrow):
    X = rng(1).random((n, m))
    order = "C" if byrow == "TRUE" else "F"
    return again(k, lambda: np.array(X.reshape((m, n), order=order), order="C"))


def cbind(n, m, k):
    X, Z = rng(1).random((n, m)), rng(2).random((n, m))
    return again(k, lambda: np.hstack([X, Z]))


def rbind(n, m, k):
    X, Z = rng(1).random((n, m)), rng(2).random((n, m))
    return again(k, lambda: np.vstack([X, Z]))


def slice(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: X[1000:, 1:].copy())


def ifelse(n, m, k):
    X, Z = rng(1).random((n, m)), rng(2).random((n, m))
    return again(k, lambda: np.where(X > Z, X, -1))


def bitand(n, m, k):
    X, Z = (rng(seed).integers(0, 1000000, (n, m)) for seed in (1, 2))
    return again(k, lambda: X & Z)


# ---- statistics ----


def cov(n, k):
    v, w = rng(1).random(n), rng(2).random(n)
    return again(k, lambda: np.cov(v, w)[0, 1])


def cor(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: np.corrcoef(X, rowvar=False))


def moment(n, k):
    from scipy.stats import moment

    v = rng(1).random(n)
    return again(k, lambda: moment(v, 4))


def colsds(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: X.std(0, ddof=1))


def law(dist):
    from scipy import stats

    return {"normal": stats.norm(), "t": stats.t(5), "chisq": stats.chi2(5), "f": stats.f(3, 10),
            "exp": stats.expon()}[dist]


def cdf(dist, k):
    """All in one call, as SciPy wants it."""
    return law(dist).cdf(1e-6 * np.arange(1, k + 1)).sum()


def icdf(dist, k):
    return law(dist).ppf(5e-7 * np.arange(1, k + 1)).sum()


# ---- linear algebra ----


def solve(n, m, k):
    A, b = rng(1).random((n, n)), rng(2).random((n, m))
    return again(k, lambda: np.linalg.solve(A, b))


def inv(n, k):
    A = rng(1).random((n, n))
    return again(k, lambda: np.linalg.inv(A))


def det(n, k):
    A = rng(1).random((n, n))
    return again(k, lambda: np.linalg.det(A))


def cholesky(n, k):
    X = rng(1).random((n, n))
    A = X @ X.T + n * np.eye(n)
    return again(k, lambda: np.linalg.cholesky(A))


def eigen(n, k):
    X = rng(1).random((n, n))
    A = X + X.T
    return again(k, lambda: tuple(np.linalg.eigh(A)))


def svd(n, m, k):
    A = rng(1).random((n, m))
    return again(k, lambda: tuple(np.linalg.svd(A, full_matrices=False)))


def qr(n, m, k):
    """LAPACK's vectors and R, which is what qr() gives, not Q."""
    A = rng(1).random((n, m))
    return again(k, lambda: np.linalg.qr(A, mode="raw")[:1])


def lu(n, k):
    from scipy.linalg import lu

    A = rng(1).random((n, n))
    return again(k, lambda: lu(A))


# ---- Fourier transforms ----


def fft(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: np.fft.fft2(X))


def ifft(n, m, k):
    X = rng(1).random((n, m)) + 1j * rng(2).random((n, m))
    return again(k, lambda: np.fft.ifft2(X))


def fftrows(n, m, k):
    X = rng(1).random((n, m))
    return again(k, lambda: np.fft.fft(X))


# ---- random numbers ----


def randn(n, m, k):
    return again(k, lambda: rng(1).standard_normal((n, m))[0])


def randpoisson(n, m, k):
    return again(k, lambda: rng(1).poisson(3, (n, m))[0])


def random_csr(n, m, sp, seed):
    """Columns at random, so a cell may be drawn twice and is then one nonzero: no slower way is needed here."""
    from scipy.sparse import csr_matrix

    nnz = int(n * m * sp)
    r = rng(seed)
    rows, cols = r.integers(0, n, nnz, dtype=np.int32), r.integers(0, m, nnz, dtype=np.int32)
    return csr_matrix((r.random(nnz), (rows, cols)), shape=(n, m))


def randsparse(n, m, k, sp):
    from scipy.sparse import random

    return again(k, lambda: random(n, m, density=sp, format="csr", rng=rng(1)))


def sample(n, k):
    return again(k, lambda: rng(1).permutation(n)[:1] + 1)


def samplewith(n, k):
    return again(k, lambda: rng(1).integers(1, n + 1, n)[:1])


# ---- sparse matrices ----


def spmvec(n, m, k, sp):
    X, b = random_csr(n, m, sp, 1), rng(2).random((m, 1))
    return again(k, lambda: X @ b)


def spvecm(n, m, k, sp):
    X, b = random_csr(n, m, sp, 1), rng(2).random((n, 1))
    return again(k, lambda: X.T @ b)


def spmm(n, m, c, k, sp):
    X, B = random_csr(n, m, sp, 1), rng(2).random((m, c))
    return again(k, lambda: X @ B)


def sptmm(n, m, c, k, sp):
    X, B = random_csr(n, m, sp, 1), rng(2).random((n, c))
    return again(k, lambda: X.T @ B)


def dspmm(n, m, c, k, sp):
    X, B = random_csr(n, m, sp, 1), rng(2).random((c, n))
    return again(k, lambda: B @ X)


def spgram(n, m, k, sp):
    """SciPy multiplies CSC by CSR by converting one of them, which does it no good here."""
    X = random_csr(n, m, sp, 1)
    return again(k, lambda: X.T.tocsr() @ X)


def spspmm(n, m, k, sp):
    X, Z = random_csr(n, m, sp, 1), random_csr(m, n, sp, 2)
    return again(k, lambda: X @ Z)


def spgraph(n, edges, k, p):
    """Numbers of edges follow a power law: of exponent 3 for p = 2, 2.5 for p = 3, where hubs make most of the work."""
    from scipy.sparse import coo_matrix

    ends = [np.ceil(n * rng(seed).random(edges) ** p).astype(np.int32) - 1 for seed in (1, 2)]
    X = coo_matrix((np.ones(edges), ends), shape=(n, n)).tocsr()
    return again(k, lambda: X @ X)


def spt(n, m, k, sp):
    X = random_csr(n, m, sp, 1)
    return again(k, lambda: X.T.tocsr())


def spmul(n, m, k, sp):
    X, Z = random_csr(n, m, sp, 1), random_csr(n, m, sp, 2)
    return again(k, lambda: X.multiply(Z))


def spadd(n, m, k, sp):
    X, Z = random_csr(n, m, sp, 1), random_csr(n, m, sp, 2)
    return again(k, lambda: X + Z)


def spscale(n, m, k, sp):
    X = random_csr(n, m, sp, 1)
    return again(k, lambda: X * 3)


def spscalecol(n, m, k, sp):
    X, b = random_csr(n, m, sp, 1), rng(2).random((n, 1))
    return again(k, lambda: X.multiply(b).tocsr())


def spscalerow(n, m, k, sp):
    X, b = random_csr(n, m, sp, 1), rng(2).random((1, m))
    return again(k, lambda: X.multiply(b).tocsr())


def sprowsums(n, m, k, sp):
    X = random_csr(n, m, sp, 1)
    return again(k, lambda: X.sum(1))


def spcolsums(n, m, k, sp):
    X = random_csr(n, m, sp, 1)
    return again(k, lambda: X.sum(0))


def sprowmaxs(n, m, k, sp):
    X = random_csr(n, m, sp, 1)
    return again(k, lambda: X.max(1).toarray())


def sploss(n, m, c, k, sp):
    """NumPy's dense form."""
    W = random_csr(n, m, sp, 1).toarray()
    U, V = rng(2).random((n, c)), rng(3).random((m, c))
    return again(k, lambda: (W * (U @ V.T)).sum())


def sphyper(n, m, k, sp):
    X, b = random_csr(n, m, sp, 1), rng(2).random((m, 1))
    return again(k, lambda: (X * 3) @ b)


if __name__ == "__main__":
    main(globals())
