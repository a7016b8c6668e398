"""Makes lib_metrics.tsv: measures by scikit-learn, for lib_metrics.dml to compare with.

Run in this folder: python make_lib_metrics.py > lib_metrics.tsv (NumPy and scikit-learn needed). Quality of wine is
predicted as alcohol - 5, rounded for classes; good wine has quality 6 or more, and alcohol is its score.
"""
import numpy as np
from sklearn import metrics

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
y, yhat = wine[:, 11], wine[:, 10] - 5
classes = np.clip(np.round(yhat), 3, 9)
good, called = (y >= 6).astype(int), (classes >= 6).astype(int)
error = np.abs(y - yhat)
values = [
    metrics.mean_absolute_error(y, yhat),
    metrics.mean_absolute_percentage_error(y, yhat),
    metrics.mean_squared_error(y, yhat),
    metrics.mean_squared_error(y, yhat) ** 0.5,
    metrics.mean_squared_error(y, yhat) ** 0.5 / (y.max() - y.min()),
    np.mean(2 * error / (np.abs(y) + np.abs(yhat))),
    np.quantile(error, 0.9, method="inverted_cdf"),
    10 * np.log10(y.max() ** 2 / metrics.mean_squared_error(y, yhat)),
    metrics.roc_auc_score(good, wine[:, 10]),
    metrics.matthews_corrcoef(good, called),
    metrics.f1_score(good, called),
    100 * metrics.accuracy_score(good, called),
    100 * metrics.balanced_accuracy_score(good, called),
    *(1 - metrics.precision_score(good, called, average=None)),
    *metrics.confusion_matrix(good, called).T.ravel(),
    *metrics.confusion_matrix(good, called, normalize="true").T.ravel(),
]
print("value")
for value in values:
    print(repr(float(value)))
