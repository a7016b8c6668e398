"""Makes transform_grid_cases.tsv and transform_grid.csv: every method of a transform on each of three data sets, by
numbers and by names, alone and beside so many dummy columns that the result is sparse, and each method of a column of
categories with each of a column of numbers; for transform_grid.dml to compare with.

Run in this folder: python make_transform_grid.py (as make_transform.py, whose encoders these are). A case is learned from
two thirds of the rows and applied to the others, which hold categories that were not met; both columns have holes. The
values of a case are, for both parts, the rows, columns, sum and mix of the result, -1 for NaN: the mix is the sum of cells
times sin(row) times cos(column). Then those of the way back: the mix of the columns that become numbers, and how many
texts are the ones that were encoded.
"""
import json

import numpy as np
import pandas as pd
from make_transform import bins, encode

# file, first and last row, and the columns of categories, of many, of numbers and of words; constants for holes
DATA = {
    "titanic": ("titanic", 1, 624, dict(t="Embarked", w="Ticket", h="Age", b="Name"), dict(t="q", h="33")),
    "wine": ("wine", 1001, 2200, dict(t="quality", w="density", h="alcohol", b="colour"), dict(t="6.0", h="10.5")),
    "iris": ("iris", 1, 150, dict(t="Species", w="ID", h="Petal.Width", b="Species"), dict(t="virginica", h="1.1")),
}
HOLES = dict(t=29, h=23)  # every so many rows
OF_CATEGORIES = ["recode", "dummycode", "hash", "hash dummycode", "mode recode", "mode dummycode", "constant recode",
                 "constant hash", "omit recode", "omit dummycode"]
OF_NUMBERS = ["", "equi-width", "equi-height", "equi-width dummycode", "equi-height dummycode", "mean", "mean equi-width",
              "mean equi-height dummycode", "constant", "constant equi-height", "omit", "omit equi-width", "udf",
              "recode", "hash", "mean udf"]
ALONE = [("t", m) for m in OF_CATEGORIES] + [("h", m) for m in OF_NUMBERS] + [("t", "word_embedding"),
                                                                             ("b", "bag_of_words")]


def load(name):
    file, first, last, roles, _ = DATA[name]
    frame = pd.read_csv(f"../../data/{file}.csv", dtype=str, quoting=0 if file == "titanic" else 3)
    names = list(frame)
    frame = frame.iloc[first - 1:last].reset_index(drop=True)
    nulls = frame.isna()
    for role, step in HOLES.items():
        hole = np.arange(1, len(frame) + 1) % step == 0
        frame.loc[hole, roles[role]], nulls.loc[hole, roles[role]] = "", False
    return frame, nulls, names


def add(spec, method, key, constant):
    """One method of a column, which `key` names: {"id": 1} or {"name": "x"}."""
    column = next(iter(key.values()))
    if method in ("recode", "dummycode", "hash", "omit", "bag_of_words", "word_embedding"):
        spec.setdefault(method, []).append(column)
        if method == "hash":
            spec["K"] = 5
    elif method in ("equi-width", "equi-height"):
        spec.setdefault("bin", []).append({**key, "method": method, "numbins": 4})
    elif method == "udf":
        spec["udf"] = {"name": "tenfold", "ids" if "id" in key else "names": [column]}
    else:
        how = {"mean": "global_mean", "mode": "global_mode", "constant": "constant"}[method]
        spec.setdefault("impute", []).append({**key, "method": how, **({"value": constant} if how == "constant" else {})})


def specification(data, parts, by_names):
    """Of (role, methods) pairs, in the order of the columns."""
    _, _, _, roles, constants = DATA[data]
    spec = {} if by_names else {"ids": True}
    for at, (role, methods) in enumerate(parts, 1):
        for method in methods.split():
            add(spec, method, {"name": roles[role]} if by_names else {"id": at}, constants.get(role))
    return spec


def cases():
    wide = [("w", "dummycode")]
    for data in DATA:
        for by_names in (True, False):
            for role, methods in ALONE[:len(ALONE) - (data == "wine")]:  # which has no words
                yield data, [(role, methods)], by_names
                if methods != "word_embedding":
                    yield data, wide + [(role, methods)], by_names
        for i, t in enumerate(OF_CATEGORIES):
            for k, h in enumerate(OF_NUMBERS):
                if "hash" in t and "hash" in h:
                    continue
                both = [("t", t), ("h", h)]
                yield data, wide * (k % 2) + both + [("b", "bag_of_words")] * (k % 4 == 3 and data == "titanic"), (i + k) % 2 == 0


def embedded(train, values):
    """Rows of the embedding by code, zeros where there is none; row k of it holds k and 100 - k."""
    codes = pd.Categorical(values.iloc[:, 0], categories=list(dict.fromkeys(train.iloc[:, 0].replace("", np.nan).dropna()))).codes + 1.0
    return np.where(codes[:, None] > 0, np.stack([codes, 100 - codes], axis=1), 0)


def figures(X):
    n, m = X.shape
    mix = np.sin(np.arange(1, n + 1)) @ X @ np.cos(np.arange(1, m + 1))
    return [n, m, X.sum(), mix]


def middles(train, values, method, k):
    """What comes back of bins: the middle of each, by edges that are found as the codes are."""
    known = np.sort(train.fillna(0).to_numpy(float))
    low, high = known[0], known[-1]
    ranks = np.ceil(np.arange(1, k) * len(known) / k).astype(int) - 1
    edges = np.linspace(low, high, k + 1) if method == "equi-width" else np.unique([low, *known[ranks], high])
    codes = bins(train, values, method, k)
    there = np.where(np.isnan(codes), 1, codes).astype(int)
    return np.where(np.isnan(codes), -1, (edges[there - 1] + edges[there]) / 2)


def back(parts, spec, train, test, nulls):
    """Which columns come back as numbers and which as texts, the mix of those and the count of these that are right."""
    numbers, texts, columns, right = [], [], [], 0
    for at, (role, methods) in enumerate(parts, 1):
        learned, cells = train.iloc[:, at - 1].replace("", np.nan), test.iloc[:, at - 1]
        values = cells.replace("", np.nan)
        words = methods.split()
        if "udf" in words or "word_embedding" in words or "bag_of_words" in words or "omit" in spec:
            continue
        constant = next((e["value"] for e in spec.get("impute", []) if e["method"] == "constant" and
                         e.get("id", e.get("name")) in (at, train.columns[at - 1])), None)
        filled = values.fillna(learned.astype(float).mean() if "mean" in words else
                               learned.mode()[0] if "mode" in words else constant if constant else np.nan)
        if "hash" in words:
            columns.append(np.nan_to_num(encode({"hash": [learned.name], "K": 5}, learned.to_frame(),
                                                filled.mask(filled.isna() & (cells == ""), "").to_frame())[:, 0],
                                         nan=-1))
            numbers.append(at)
        elif "equi-width" in words or "equi-height" in words:
            method = "equi-width" if "equi-width" in words else "equi-height"
            columns.append(middles(learned, filled.astype(float), method, 4))
            numbers.append(at)
        elif "recode" in words or "dummycode" in words:
            right += int((values.isin(learned.dropna()) & values.notna()).sum())
            right += int((nulls.iloc[:, at - 1] & filled.isna()).sum())  # null is null, but the empty text is not
            texts.append(at)
        else:
            columns.append(filled.astype(float).fillna(-1).to_numpy())
            numbers.append(at)
    mix = sum(np.sin(np.arange(1, len(c) + 1)) @ c for c in columns)
    return numbers + [0] * (3 - len(numbers)), texts + [0] * (3 - len(texts)), [mix, right]


def main():
    frames = {data: load(data) for data in DATA}
    sparse = 0
    with open("transform_grid_cases.tsv", "w", encoding="utf-8") as out, open("transform_grid.csv", "w") as values:
        out.write("data\tc1\tc2\tc3\tc4\tn1\tn2\tn3\tt1\tt2\tt3\tspec\tlearned by\n")
        for data, parts, by_names in cases():
            frame, nulls, names = frames[data]
            columns = [DATA[data][3][role] for role, _ in parts]
            spec = specification(data, parts, by_names)
            later = np.arange(1, len(frame) + 1) % 3 == 0
            train, test = frame.loc[~later, columns], frame.loc[later, columns]
            learned_by = spec
            if "word_embedding" in spec:
                learned_by = {k.replace("word_embedding", "recode"): v for k, v in spec.items()}
                X, Y = embedded(train, train), embedded(train, test)
            else:
                X, Y = encode(spec, train, train), encode(spec, train, test)
            sparse += np.count_nonzero(X) < 0.4 * X.size
            numbers, texts, decoded = back(parts, spec, train, test, nulls.loc[later, columns])
            ids = ([names.index(c) + 1 for c in columns] + [0] * 4)[:4]
            out.write("\t".join([data, *map(str, ids + numbers + texts), json.dumps(spec), json.dumps(learned_by)]) + "\n")
            values.write(",".join(f"{v:.12g}" for v in figures(X) + figures(Y) + decoded) + "\n")
    print(sparse, "of the cases are sparse")


main()
