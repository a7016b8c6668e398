"""Workloads of frames in pandas and scikit-learn: python frame_suite.py NAME key=value ...

As numpy_suite.py, on a file that mixed_table.py makes. What is read once for several rounds is read before the first; text
columns are those that pandas makes of it by itself.
"""
import pandas as pd
from numpy_suite import main
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder

CATEGORIES = ["part", "brand", "day"]
DUMMIES = ["sex", "grade", "city", "shop", "colour"]


def framecsv(csv, k, engine=None):
    for _ in range(k):
        frame = pd.read_csv(csv, engine=engine)
    return len(frame)


def frameencode(csv, k):
    frame = pd.read_csv(csv).iloc[:, :18]
    frame["tall"] = frame["tall"].astype(float)
    for _ in range(k):
        X = ColumnTransformer([
            ("recode", OrdinalEncoder(), CATEGORIES),
            ("dummycode", OneHotEncoder(), DUMMIES),
            ("width", KBinsDiscretizer(10, encode="ordinal", strategy="uniform"), ["price", "weight"]),
            ("fine", KBinsDiscretizer(20, encode="ordinal", strategy="uniform"), ["tall"]),
            ("height", KBinsDiscretizer(10, encode="ordinal", strategy="quantile"), ["ratio"]),
        ], remainder="passthrough").fit_transform(frame)
    return X.shape[1]


def framerecode(csv, k, first, last):
    frame = pd.read_csv(csv).iloc[:, first - 1:last]
    for _ in range(k):
        codes = [pd.factorize(frame[name])[0] for name in frame]
    return len(codes)


if __name__ == "__main__":
    main(globals())
