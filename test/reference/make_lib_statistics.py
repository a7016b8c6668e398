"""Makes lib_statistics_*.tsv: statistics of data/wine.csv by NumPy and SciPy, for lib_statistics.dml to compare with.

Run in this folder: python make_lib_statistics.py (NumPy and SciPy needed).
univar: 13 rows of the function's result (not the interquartile mean) for the first 11 columns; cor: correlations of all
columns; bivar: figures of pairs of columns in the order of the script; other: skewness, quantiles, distances, log-sum-exp.
"""
import numpy as np
from scipy import spatial, special, stats

wine = np.loadtxt("../../data/wine.csv", delimiter=",", skiprows=1)
quality, colour = wine[:, 11] - 2, wine[:, 12]
sharp = np.ceil(wine[:, 10] - 8).clip(1)


def save(name, matrix):
    np.savetxt(f"lib_statistics_{name}.tsv", np.atleast_2d(matrix), fmt="%.17g", delimiter="\t")


def univar(x):
    n, sd = len(x), x.std(ddof=1)
    unbias = (n - 1) / n
    skew_error = np.sqrt(6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    return [x.min(), x.max(), np.ptp(x), x.mean(), x.var(ddof=1), sd, stats.sem(x), stats.variation(x, ddof=1),
            stats.skew(x) * unbias**1.5, (stats.kurtosis(x) + 3) * unbias**2 - 3, skew_error,
            2 * skew_error * np.sqrt((n * n - 1) / ((n - 3) * (n + 5))), np.median(x)]


def table(x, y):
    return stats.contingency.crosstab(x, y).count


anova = stats.f_oneway(*[wine[quality == q, 10] for q in np.unique(quality)])
chi2 = stats.chi2_contingency(table(quality, colour), correction=False)
cramer = stats.contingency.association(table(quality, colour), method="cramer")
save("univar", np.array([univar(wine[:, j]) for j in range(11)]).T)
save("cor", np.corrcoef(wine.T))
save("bivar", [[stats.pearsonr(wine[:, 7], wine[:, 10]).statistic], [np.cov(wine[:, 7], wine[:, 10])[0, 1]],
               [anova.statistic], [anova.pvalue], [chi2.statistic], [chi2.dof], [chi2.pvalue], [cramer],
               [stats.spearmanr(quality, sharp).statistic]])
block = wine[:, :6]
unbias = (block.size - 1) / block.size
probabilities = [0, 0.01, 0.25, 0.5, 0.9, 1]
save("other", [[v] for v in [stats.skew(block, axis=None) * unbias**1.5,
                             *np.quantile(block, probabilities, method="inverted_cdf"),
                             spatial.distance.pdist(wine[:200]).sum(), special.logsumexp(block),
                             special.logsumexp(block, axis=0).sum(), special.logsumexp(block, axis=1).sum()]])
