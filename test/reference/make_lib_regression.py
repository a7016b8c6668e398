"""Makes lib_regression.tsv: regressions on data/wine.csv for lib_regression.dml to compare with.

Run in this folder: python make_lib_regression.py > lib_regression.tsv (NumPy, scikit-learn and statsmodels needed).
A column is a model; its rows are coefficients, the intercept last, or what its name says. Short columns end in NaN.
The features are all columns but the quality; the response is the quality, or whether it is 6 or more.
"""
import warnings

import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import LassoLars, LinearRegression
from statsmodels.genmod import families

warnings.filterwarnings("ignore")
wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
X, y = np.delete(wine, 11, axis=1), wine[:, 11]
good = (y >= 6).astype(float)
n = len(y)
columns = {}


def glm(name, response, family):
    """Fitted on standardized features, where IRLS converges well, and given for the features as they are."""
    center, spread = X.mean(axis=0), X.std(axis=0, ddof=1)
    design = np.column_stack([(X - center) / spread, np.ones(n)])
    fit = sm.GLM(response, design, family=family).fit(tol=1e-15, tol_criterion="params", maxiter=500)
    weights = fit.params[:-1] / spread
    columns[name] = [*weights, fit.params[-1] - center @ weights]


links = families.links
glm("gaussian", y, families.Gaussian())
glm("poisson", y, families.Poisson())
glm("poisson_sqrt", y, families.Poisson(links.Sqrt()))
glm("gamma", y, families.Gamma())
glm("gamma_log", y, families.Gamma(links.Log()))
glm("inverse_gaussian", y, families.InverseGaussian())
glm("tweedie_log", y, families.Tweedie(links.Log(), var_power=1.5))
glm("logit", good, families.Binomial())
glm("probit", good, families.Binomial(links.Probit()))
glm("cloglog", good, families.Binomial(links.CLogLog()))
glm("cauchit", good, families.Binomial(links.Cauchy()))
glm("counts", np.column_stack([y, 10 - y]), families.Binomial())

Z, r = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1), y - y.mean()
for tau in (1.0, 100.0, 1000.0):
    model = LassoLars(alpha=tau / n, fit_intercept=False).fit(Z, r)
    columns[f"lasso_{tau:g}"] = model.coef_


def aic(chosen):
    design = np.column_stack([X[:, chosen], np.ones(n)])
    residuals = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return n * np.log(residuals @ residuals / n) + 2 * (len(chosen) + 1)


chosen, best = [], aic([])
while True:
    trials = {j: aic(chosen + [j]) for j in range(X.shape[1]) if j not in chosen}
    if not trials or min(trials.values()) >= best:
        break
    j = min(trials, key=trials.get)
    chosen, best = chosen + [j], trials[j]
columns["steplm_order"] = [*(j + 1 for j in chosen), X.shape[1] + 1]
coefficients = np.zeros(X.shape[1] + 1)
model = LinearRegression().fit(X[:, chosen], y)
coefficients[chosen], coefficients[-1] = model.coef_, model.intercept_
columns["steplm"] = coefficients

folds, size = 5, n // 5
predicted = np.zeros(n)
for i in range(folds):
    test = np.zeros(n, bool)
    test[i * size : n if i == folds - 1 else (i + 1) * size] = True
    model = LinearRegression().fit(X[~test], y[~test])
    predicted[test] = model.predict(X[test])
# The last fold's coefficients, then mean and mean square of all predictions' errors.
columns["cvlm"] = [*model.coef_, model.intercept_, (y - predicted).mean(), ((y - predicted) ** 2).mean()]

print("\t".join(columns))
for i in range(max(map(len, columns.values()))):
    print("\t".join(repr(float(c[i])) if i < len(c) else "NaN" for c in columns.values()))
