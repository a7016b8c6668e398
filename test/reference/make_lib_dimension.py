"""Makes lib_dimension.tsv: principal components by scikit-learn, for lib_dimension.dml to compare with.

Run in this folder: python make_lib_dimension.py > lib_dimension.tsv (NumPy and scikit-learn needed). Columns: 3 components
of wine, 3 of wine standardized, 3 of digits; the largest entry of each is positive. Below them the variance of the rows
along each, and the first row's coordinate. Empty entries are 0.
"""
import numpy as np
from sklearn.decomposition import PCA

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
digits = np.loadtxt("../../data/digits.csv", delimiter=",")[:, :-1]
standard = (wine - wine.mean(axis=0)) / wine.std(axis=0, ddof=1)
columns = []
for X in [wine, standard, digits]:
    model = PCA(3, svd_solver="full").fit(X)
    for part, row, variance in zip(model.components_, model.transform(X[:1])[0], model.explained_variance_):
        sign = np.sign(part[np.argmax(np.abs(part))])
        columns.append([*(sign * part), *[0.0] * (64 - len(part)), variance, sign * row])
print("\t".join(f"{data} {i}" for data in ["wine", "wine standardized", "digits"] for i in [1, 2, 3]))
for row in zip(*columns):
    print("\t".join(repr(float(x)) for x in row))
