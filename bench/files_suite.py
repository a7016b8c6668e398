"""Workloads of file formats in NumPy, h5py, pandas and PyArrow: python files_suite.py NAME key=value ...

As numpy_suite.py. What is read is made beforehand, by the function that the workload's `prepare` names.
"""
import os

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from numpy_suite import main, rng


def prepare_mixed(csv, file, **_):
    """The table of the frames as Parquet or Feather, in their usual form."""
    frame = pd.read_csv(csv)
    frame.to_parquet(file) if file.endswith(".parquet") else frame.to_feather(file)


def prepare_packed(file, n, m, **_):
    pd.DataFrame(rng(1).random((n, m)).round(6)).to_csv(file, header=False, index=False)


def fileparquet(csv, file, k):
    for _ in range(k):
        table = pq.read_table(file)
    return table.num_rows


def filefeather(csv, file, k):
    for _ in range(k):
        table = pa.feather.read_table(file)
    return table.num_rows


def fileparquetout(csv, file, out, k):
    table = pq.read_table(file)
    for _ in range(k):
        pq.write_table(table, out)
    return os.path.getsize(out)


def filegzip(file, n, m, k):
    for _ in range(k):
        frame = pd.read_csv(file, header=None)
    return len(frame)


def filenpy(n, m, k, out):
    X = rng(1).random((n, m))
    s = 0.0
    for _ in range(k):
        np.save(out, X)
        s += np.load(out).sum()
    return s


def filehdf5(n, m, k, out):
    X = rng(1).random((n, m))
    s = 0.0
    for _ in range(k):
        with h5py.File(out, "w") as f:
            f["data"] = X
        with h5py.File(out) as f:
            s += f["data"][()].sum()
    return s


if __name__ == "__main__":
    main(globals())
