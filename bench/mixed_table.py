"""A CSV file of mixed columns for the workloads of frames: python mixed_table.py PATH [ROWS].

Twenty columns from seeds, with a header: two whole numbers, an ascending one and a repeating one; six numbers with 1 to 15
digits, one of them with holes; two booleans; seven categories with 2 to 20,000 values, of which one has holes and one
commas in quotes; a date; two texts that hardly repeat, one beyond ASCII. TYPES are their types in matloom.
"""
import sys

import numpy as np

TYPES = (["INT64", "INT32"] + ["FP64"] * 6 + ["BOOLEAN"] * 2 + ["STRING"] * 10)
NAMES = ("id count price weight ratio score tall thin open sold sex grade city brand part shop colour day code name").split()


def words(rng, n, low=4, high=11):
    """n words that differ, mostly."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return np.array(["".join(letters[rng.integers(0, 26, size)]) for size in rng.integers(low, high, n)])


def numbers(rng, rows):
    yield np.char.mod("%d", np.arange(1, rows + 1))
    yield np.char.mod("%d", rng.integers(0, 500, rows))
    yield np.char.mod("%.2f", rng.gamma(2.0, 30.0, rows))
    yield np.char.mod("%.1f", rng.normal(70, 12, rows))
    yield np.char.mod("%.15g", rng.random(rows))
    holes = np.char.mod("%.4f", rng.normal(0, 1, rows)).astype(object)
    holes[rng.random(rows) < 0.03] = ""
    yield holes
    yield np.char.mod("%.6f", rng.uniform(-1000, 1000, rows))
    yield np.char.mod("%.3e", rng.lognormal(0, 5, rows))
    yield np.where(rng.random(rows) < 0.5, "true", "false")
    yield np.where(rng.random(rows) < 0.1, "true", "false")


def texts(rng, rows):
    def pick(values):
        return np.asarray(values, dtype=object)[np.minimum(rng.zipf(1.3, rows) - 1, len(values) - 1)]

    yield np.asarray(["female", "male"], dtype=object)[rng.integers(0, 2, rows)]
    grades = np.asarray(list("ABCDEFG"), dtype=object)[rng.integers(0, 7, rows)]
    grades[rng.random(rows) < 0.02] = ""
    yield grades
    yield pick(words(rng, 50))
    yield pick(words(rng, 1000))
    yield np.asarray(words(rng, 20000), dtype=object)[rng.integers(0, 20000, rows)]
    yield pick([f'"{a}, {b}"' for a, b in zip(words(rng, 200), words(rng, 200))])
    yield pick(["rot", "grün", "blau", "weiß", "schwarz", "gelb", "türkis"])
    yield np.datetime_as_string(np.datetime64("2015-01-01") + rng.integers(0, 3650, rows)).astype(object)
    yield np.char.mod("K-%08x", rng.integers(0, 1 << 32, rows))
    yield np.char.add(np.char.add(words(rng, 4000)[rng.integers(0, 4000, rows)], " ñ"),
                      np.char.mod("%d", rng.integers(0, 1 << 20, rows)))


def write(path, rows=1_000_000):
    rng = np.random.default_rng(8)
    columns = [np.asarray(c, dtype=object) for part in (numbers, texts) for c in part(rng, rows)]
    with open(path, "w", encoding="utf-8") as f:
        f.write(",".join(NAMES) + "\n")
        for row in zip(*columns):
            f.write(",".join(row) + "\n")


if __name__ == "__main__":
    write(sys.argv[1], *(int(a) for a in sys.argv[2:3]))
