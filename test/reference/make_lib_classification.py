"""Makes lib_classification.tsv: classifiers on data/ for lib_classification.dml to compare with.

Run in this folder: python make_lib_classification.py > lib_classification.tsv (NumPy, SciPy, scikit-learn and statsmodels
needed). A column is a model; short columns end in NaN. Matrices are given row by row. Every third row is a test row.
"""
import warnings

import numpy as np
import statsmodels.api as sm
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
columns = {}
wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
digits = np.loadtxt("../../data/digits.csv", delimiter=",")
iris = np.loadtxt("../../data/iris.csv", delimiter=",", skiprows=1, usecols=(1, 2, 3, 4))
species = np.repeat([1.0, 2.0, 3.0], 50)

X = np.delete(wine, 11, axis=1)
center, spread = X.mean(axis=0), X.std(axis=0, ddof=1)
Z = (X - center) / spread
grade = np.clip(wine[:, 11], 5, 7) - 4
good = (wine[:, 11] >= 6).astype(float)


def unscaled(weights, intercept):
    """Coefficients for X from those for Z: a row a feature, the intercept last."""
    weights = np.atleast_2d(weights) / spread
    return np.vstack([weights.T, intercept - weights @ center]).ravel()


# statsmodels' baseline is the smallest label: the labels are reversed, and so are its columns then.
fit = sm.MNLogit(3 - grade, sm.add_constant(Z)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
params = np.asarray(fit.params)[:, ::-1]
columns["multinomial"] = unscaled(params[1:].T, params[0])

model = LogisticRegression(C=0.5, tol=1e-12, solver="newton-cholesky", max_iter=1000).fit(Z, 1 - good)
columns["ridge_standardized"] = unscaled(model.coef_, model.intercept_)

# scikit-learn penalizes all K columns; here the last one is 0 and not penalized.
onehot = (species[:, None] == np.array([1, 2])).astype(float)
design = np.column_stack([iris, np.ones(len(iris))])


def objective(flat):
    B = flat.reshape(5, 2)
    eta = np.column_stack([design @ B, np.zeros(len(design))])
    top = eta.max(axis=1, keepdims=True)
    powers = np.exp(eta - top)
    value = (np.log(powers.sum(axis=1)) + top[:, 0]).sum() - (onehot * eta[:, :2]).sum() + 0.5 * (B[:4] ** 2).sum()
    gradient = design.T @ (powers[:, :2] / powers.sum(axis=1, keepdims=True) - onehot)
    gradient[:4] += B[:4]
    return value, gradient.ravel()


def newton(flat):
    """Steps with a numerical Hessian of the gradient, from where L-BFGS ended."""
    for _ in range(5):
        g = objective(flat)[1]
        H = np.array([(objective(flat + h)[1] - objective(flat - h)[1]) / 2e-5 for h in 1e-5 * np.eye(10)])
        flat = flat - np.linalg.solve(H, g)
    return flat


columns["iris_ridge"] = newton(minimize(objective, np.zeros(10), jac=True, method="L-BFGS-B").x)

# 1/2 sum of squared hinges + reg/2 |w|^2 is scikit-learn's objective with C = 1 / (2 reg), intercept penalized too.
svm = LinearSVC(loss="squared_hinge", C=0.25, dual=False, tol=1e-14, max_iter=100000)
model = svm.fit(Z, good)
columns["l2svm"] = [*model.coef_.ravel(), *model.intercept_]
model = svm.fit(iris, species)
columns["msvm"] = np.vstack([model.coef_.T, model.intercept_]).ravel()

test = np.arange(1, len(digits) + 1) % 3 == 0
P, labels = digits[:, :64], digits[:, 64] + 1
model = MultinomialNB(alpha=1.0).fit(P[~test], labels[~test])
columns["naive_bayes"] = [*np.exp(model.class_log_prior_), *np.exp(model.feature_log_prob_).ravel()]
columns["naive_bayes_scores"] = [
    *model.predict_joint_log_proba(P[test])[:10].ravel(),
    100 * model.score(P[test], labels[test]),
]

figures = []
for k in (1, 2, 3):
    rows = iris[species == k]
    figures += [*rows.mean(axis=0), np.linalg.det(np.cov(rows.T))]
    figures += [*np.linalg.inv(np.cov(rows.T)).ravel()]
columns["gaussian"] = figures

# Neighbours at equal distance may come in any order, their distances are the same.
distances, _ = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(P[~test]).kneighbors(P[test])
model = KNeighborsClassifier(5, algorithm="brute").fit(P[~test], labels[~test])
columns["knn"] = [*distances.sum(axis=0), 100 * model.score(P[test], labels[test])]

print("\t".join(columns))
for i in range(max(map(len, columns.values()))):
    print("\t".join(repr(float(c[i])) if i < len(c) else "NaN" for c in columns.values()))
