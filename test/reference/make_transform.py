"""Makes transform_cases.tsv and transform_values.csv: transforms by scikit-learn, for transform.dml to compare with.

Run in this folder: python make_transform.py (NumPy, pandas and scikit-learn needed). A case is a specification over some
columns of a data set; it is learned from two thirds of the rows and applied to every third one, too. The values of a
case are its encoded columns, one a line: case, column, and for both parts the sum of the cells and of the cells times
their row number, with -1 for NaN. Codes are those of first appearance, bins closed above and empty text counts as 0 for
their edges, which scikit-learn is told or given the other way round.
"""
import json

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, OrdinalEncoder

COLUMNS = {"titanic": [1, 4, 5, 6, 8, 3, 10, 7, 2], "wine": range(13), "iris": range(1, 6)}


def load(name):
    frame = pd.read_csv(f"../../data/{name}.csv", dtype=str, quoting=3 if name != "titanic" else 0)
    frame = frame.iloc[:, list(COLUMNS[name])]
    test = np.arange(1, len(frame) + 1) % 3 == 0
    return frame[~test], frame[test]


# name, data, first and last of its columns, whether encoding what was decoded gives the same codes
CASES = [
    ("pass-through", "wine", 1, 13, 1, {}),
    ("holes pass through", "titanic", 1, 5, 1, {}),
    ("recode by name", "titanic", 6, 7, 1, {"recode": ["Sex", "Embarked"]}),
    ("recode by number", "iris", 1, 5, 1, {"ids": True, "recode": [5]}),
    ("recode attributes", "titanic", 6, 7, 1, {"ids": True, "recode": {"attributes": [1, 2]}}),
    ("recode many", "titanic", 8, 8, 1, {"ids": True, "recode": [1]}),
    ("recode numbers", "wine", 9, 12, 1, {"recode": ["pH", "quality"]}),
    ("dummycode alone", "titanic", 6, 7, 1, {"ids": True, "dummycode": [1, 2]}),
    ("dummycode many, sparse", "titanic", 8, 8, 1, {"ids": True, "dummycode": [1]}),
    ("dummycode beside numbers", "iris", 1, 5, 1, {"dummycode": ["Species"]}),
    ("bins of equal width", "wine", 1, 2, 1, {"ids": True, "bin": [
        {"id": 1, "method": "equi-width", "numbins": 7}, {"id": 2, "method": "equi-width", "numbins": 11}]}),
    ("bins of equal width with holes", "titanic", 2, 2, 1, {"ids": True, "bin": [
        {"id": 1, "method": "equi-width", "numbins": 6}]}),
    ("bins of equal height", "wine", 1, 3, 1, {"ids": True, "bin": [
        {"id": 1, "method": "equi-height", "numbins": 4}, {"id": 3, "method": "equi-height-approx", "numbins": 3}]}),
    ("one bin", "iris", 1, 1, 1, {"ids": True, "bin": [{"id": 1, "method": "equi-width"}]}),
    ("bins as dummies", "iris", 1, 4, 1, {"ids": True, "dummycode": [1, 3], "bin": [
        {"id": 1, "method": "equi-width", "numbins": 7}, {"id": 3, "method": "equi-height", "numbins": 5}]}),
    ("hash", "titanic", 7, 8, 0, {"ids": True, "hash": [1, 2], "K": 11}),
    ("hash as dummies, sparse", "titanic", 8, 8, 0, {"ids": True, "hash": [1], "K": 40, "dummycode": [1]}),
    ("mean for holes", "titanic", 2, 2, 1, {"ids": True, "impute": [{"id": 1, "method": "global_mean"}]}),
    ("mode for holes", "titanic", 7, 7, 1, {"ids": True, "recode": [1], "impute": [{"id": 1, "method": "global_mode"}]}),
    ("constants for holes", "titanic", 2, 7, 1, {"recode": ["Sex", "Embarked"], "impute": [
        {"name": "Age", "method": "constant", "value": 33}, {"name": "Embarked", "method": "constant", "value": "q"}]}),
    ("omit", "titanic", 1, 5, 1, {"omit": ["Age"]}),
    ("omit in two, dummycode", "titanic", 2, 7, 1, {"omit": ["Age", "Embarked"], "dummycode": ["Sex", "Embarked"]}),
    ("words", "titanic", 9, 9, 1, {"ids": True, "bag_of_words": [1]}),
    ("words beside dummies", "titanic", 6, 9, 1, {"bag_of_words": ["Name"], "dummycode": ["Sex", "Embarked"],
                                                  "recode": ["Ticket"]}),
    ("function", "iris", 1, 4, 0, {"ids": True, "udf": {"name": "tenfold", "ids": [2, 4]}}),
    ("function of dummies", "iris", 4, 5, 0, {"dummycode": ["Species"], "udf": {"name": "tenfold", "names": ["Species"]}}),
    ("all together", "titanic", 1, 9, 0, {
        "recode": ["Ticket"], "dummycode": ["Sex", "Fare"], "bag_of_words": ["Name"], "hash": ["Embarked"], "K": 3,
        "bin": [{"name": "Fare", "method": "equi-width", "numbins": 5}, {"name": "Age", "method": "equi-width", "numbins": 4}],
        "impute": [{"name": "Age", "method": "global_mean"}], "omit": ["Embarked"]}),
    ("bins by name", "wine", 9, 12, 1, {"bin": [
        {"name": "pH", "method": "equi-width", "numbins": 5}, {"name": "alcohol", "method": "equi-height", "numbins": 6}]}),
    ("hash by name", "titanic", 7, 8, 0, {"hash": ["Embarked", "Ticket"], "K": 13}),
    ("mean by name", "titanic", 1, 5, 1, {"impute": [{"name": "Age", "method": "global_mean"}]}),
    ("mode by name, then dummies", "titanic", 6, 7, 1, {"dummycode": ["Sex", "Embarked"], "impute": [
        {"name": "Embarked", "method": "global_mode"}]}),
    ("mean, then bins, then dummies", "titanic", 2, 3, 1, {"ids": True, "dummycode": [1], "impute": [
        {"id": 1, "method": "global_mean"}], "bin": [{"id": 1, "method": "equi-width", "numbins": 4}]}),
    ("constant, then hash", "titanic", 7, 7, 0, {"ids": True, "hash": [1], "K": 5, "impute": [
        {"id": 1, "method": "constant", "value": "S"}]}),
    ("omit by number", "titanic", 1, 5, 1, {"ids": True, "omit": [2]}),
    ("recode, dummies and bins", "wine", 9, 13, 1, {"recode": ["pH", "colour"], "dummycode": ["quality", "colour"], "bin": [
        {"name": "alcohol", "method": "equi-width", "numbins": 8}]}),
    ("flowers in bins", "iris", 1, 5, 1, {"dummycode": ["Species", "Petal.Width"], "bin": [
        {"name": "Petal.Width", "method": "equi-width", "numbins": 6},
        {"name": "Sepal.Length", "method": "equi-height", "numbins": 3}]}),
    ("flowers recoded by number", "iris", 1, 5, 1, {"ids": True, "recode": [2, 5], "dummycode": [2]}),
]


def java_hash(text):
    h = 0
    for c in text:
        h = (31 * h + ord(c)) & 0xFFFFFFFF
    return abs(h - (1 << 32) if h >> 31 else h)


def bins(train, values, method, k):
    """Codes of numbers, NaN where they are missing; the edges are learned with 0 for these."""
    known = train.fillna(0).to_numpy(float)[:, None]
    x = values.fillna(0).to_numpy(float)[:, None]
    if k == 1:
        codes = np.ones(len(x))
    elif method == "equi-width":  # closed above: the other way round
        codes = k - KBinsDiscretizer(k, encode="ordinal", strategy="uniform", subsample=None).fit(-known).transform(-x)[:, 0]
    else:
        learned = KBinsDiscretizer(k, encode="ordinal", strategy="quantile", quantile_method="inverted_cdf", subsample=None)
        codes = np.searchsorted(learned.fit(known).bin_edges_[0][1:-1], x[:, 0], side="left") + 1.0
    return np.where(values.isna(), np.nan, codes)


def column(spec, name, at, train, values, learned=False):
    """The encoded cells of one column, a 2-D array. Empty texts are missing as NaN is, but have a hash, and count as 0 in
    bins that are `learned` of these values; both not where the column is imputed."""
    def has(key):
        listed = spec.get(key, [])
        listed = listed.get("attributes", listed) if isinstance(listed, dict) else listed
        return name in listed or (spec.get("ids") and at in listed)

    def entry(key):
        return next((e for e in spec.get(key, []) if e.get("name") == name or e.get("id") == at), None)

    blank = (values == "").to_numpy()
    train, values = train.replace("", np.nan), values.replace("", np.nan)
    holes = values.isna()
    impute, binned = entry("impute"), entry("bin")
    if impute:
        strategy = {"global_mean": "mean", "global_mode": "most_frequent", "constant": "constant"}[impute["method"]]
        as_type = float if strategy == "mean" else object
        imputer = SimpleImputer(strategy=strategy, fill_value=str(impute.get("value")) if strategy == "constant" else None)
        imputer.fit(train.astype(as_type).to_numpy()[:, None])
        values = pd.Series(imputer.transform(values.astype(as_type).to_numpy()[:, None])[:, 0])
        holes = values.isna()
    if has("bag_of_words"):
        pattern = r"(?u)[^\W\d_]+"
        seen = CountVectorizer(token_pattern=pattern).build_analyzer()
        order = list(dict.fromkeys(w for text in train.dropna() for w in seen(text)))
        return CountVectorizer(token_pattern=pattern, vocabulary=order).transform(values.fillna("")).toarray()
    categories = list(dict.fromkeys(train.dropna()))
    if binned:
        codes, count = bins(train, values, binned["method"], binned.get("numbins", 1)), binned.get("numbins", 1)
        zero = pd.Series([0.0])
        if learned and not impute:
            codes = np.where(blank, bins(train, zero, binned["method"], count)[0], codes)
    elif has("hash"):
        codes = np.array([np.nan if h else java_hash(v) % spec["K"] + 1 for v, h in zip(values, holes)])
        codes, count = codes if impute else np.where(blank, java_hash("") + 1, codes), spec["K"]
    elif has("recode") or has("dummycode"):
        encoder = OrdinalEncoder(categories=[categories], handle_unknown="use_encoded_value", unknown_value=np.nan)
        codes = encoder.fit(train.dropna().to_numpy()[:, None]).transform(values.to_numpy(object)[:, None])[:, 0] + 1
        count = len(categories)
        if impute and not has("dummycode"):  # a text that was not met is missing as well
            codes = np.where(np.isnan(codes), categories.index(imputer.statistics_[0]) + 1, codes)
    else:
        return values.to_numpy(float)[:, None]
    if not has("dummycode"):
        return codes[:, None]
    dummies = OneHotEncoder(categories=[np.arange(1.0, count + 1)], handle_unknown="ignore")
    return dummies.fit(np.arange(1.0, count + 1)[:, None]).transform(np.nan_to_num(codes)[:, None]).toarray()


def encode(spec, train, values):
    learned = values is train
    for key in spec.get("omit", []):
        values = values[~values[train.columns[key - 1] if spec.get("ids") else key].isin(["", np.nan])]
    blocks = []
    for at, name in enumerate(train.columns, 1):
        block = column(spec, name, at, train[name], values[name].reset_index(drop=True), learned)
        function = spec.get("udf", {})
        if name in function.get("names", []) or at in function.get("ids", []):
            block = FunctionTransformer(lambda X: 10 * X + 1).transform(block)
        blocks.append(block)
    return np.nan_to_num(np.hstack(blocks), nan=-1)


def figures(X):
    return np.stack([X.sum(axis=0), (X * np.arange(1, len(X) + 1)[:, None]).sum(axis=0)])


if __name__ == "__main__":
    with open("transform_cases.tsv", "w", encoding="utf-8") as cases, open("transform_values.csv", "w") as out:
        cases.write("case\tdata\tfirst\tlast\tback\tspec\n")
        for number, (name, data, first, last, back, spec) in enumerate(CASES, 1):
            train, test = (part.iloc[:, first - 1:last] for part in load(data))
            cases.write(f"{name}\t{data}\t{first}\t{last}\t{back}\t{json.dumps(spec)}\n")
            values = np.vstack([figures(encode(spec, train, train)), figures(encode(spec, train, test))])
            for at, line in enumerate(values.T, 1):
                out.write(f"{number},{at}," + ",".join(f"{v:.15g}" for v in line) + "\n")
