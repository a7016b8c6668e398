"""Makes wine_lm.tsv: linear models of data/wine.csv by scikit-learn, for wine_lm.dml to compare with.

Run in this folder: python make_wine_lm.py > wine_lm.tsv (NumPy and scikit-learn needed).
Rows: 12 coefficients for the columns as given, intercept, RMSE and R2 on the test rows. Every third row is a test row.
"""
import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_squared_error, r2_score

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
X, y = np.delete(wine, 11, axis=1), wine[:, 11]
test = np.arange(1, len(y) + 1) % 3 == 0
X_train, X_test, y_train, y_test = X[~test], X[test], y[~test], y[test]
center, spread = X_train.mean(axis=0), X_train.std(axis=0, ddof=1)


def figures(model, standardize):
    shift, unit = (center, spread) if standardize else (0.0 * center, np.ones_like(spread))
    model.fit((X_train - shift) / unit, y_train)
    weights = model.coef_ / unit
    intercept = model.intercept_ - weights @ shift
    yhat = X_test @ weights + intercept
    return [*weights, intercept, mean_squared_error(y_test, yhat) ** 0.5, r2_score(y_test, yhat)]


columns = {
    "least squares": figures(LinearRegression(), True),
    "ridge 1": figures(Ridge(alpha=1.0, solver="cholesky"), False),
    "ridge 100 standardized": figures(Ridge(alpha=100.0, solver="cholesky"), True),
}
print("\t".join(columns))
for row in zip(*columns.values()):
    print("\t".join(repr(float(x)) for x in row))
