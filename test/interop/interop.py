"""Files of other programs read by matloom, and files of matloom read by them, compared cell by cell.

    interop.py MATLOOM        prints a line a case and ends with status 1 when one fails

THEIRS lists what NumPy, SciPy, pandas, PyArrow, h5py, xarray and netCDF4 write; matloom reads each and writes what it
found as Arrow, which PyArrow reads back. OURS lists the formats in which matloom writes a matrix, a sparse matrix and a
frame, with the function that reads each. Cases of Parquet are left out where DuckDB is not found.
"""
import decimal
import gzip
import os
import subprocess
import sys
import tempfile

import h5py
import netCDF4  # noqa: F401  the engine of xarray
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse as sp
import xarray as xr
import zstandard

ROWS = 1200
np.seterr(over="ignore")  # the largest double in narrower types
rng = np.random.default_rng(7)
special = [0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, 0.1]
dense = rng.normal(size=(ROWS, 9))
dense[0] = special
integers = rng.integers(-100, 100, (ROWS, 5))
sparse = sp.random(400, 300, 0.02, format="csr", random_state=3)
wide = rng.normal(size=(7, 10000)).round(1)
tall = rng.normal(size=(100000, 6)).round(1)
words = ["", "a", "Zürich", "日本語 text", "𝄞", 'with "quotes", and commas', "longer than twelve bytes", " blank "]
frame = pd.DataFrame({
    "big": rng.integers(-2**62, 2**62, ROWS),
    "small": rng.integers(-2**31, 2**31, ROWS).astype("i4"),
    "byte": rng.integers(0, 256, ROWS).astype("u1"),
    "double": dense[:, 3],
    "single": dense[:, 4].astype("f4"),
    "flag": rng.random(ROWS) < 0.5,
    "tëxt": [words[i] for i in rng.integers(0, len(words), ROWS)],
    "unique": [f"row {i}" for i in range(ROWS)],
})
holes = frame.assign(missing=[None if i % 3 == 0 else words[i % 8] for i in range(ROWS)],
                     nan=[np.nan if i % 5 == 0 else i / 7 for i in range(ROWS)])
plain = frame.rename(columns={"tëxt": "text"})  # for formats whose names are ASCII


def table(f):
    return pa.Table.from_pandas(f, preserve_index=False).replace_schema_metadata(None)


def nullable():
    """Integers and booleans of which some are missing, and what matloom makes of them."""
    f = pd.DataFrame({"i": pd.array([1, None, 3] * 1000, dtype="Int64"), "b": pd.array([True, False, None] * 1000,
                                                                                    dtype="boolean")})
    return f, pd.DataFrame({"i": [1, np.nan, 3] * 1000, "b": [1, 0, np.nan] * 1000})


def views():
    """Texts as views, of which short ones lie in the views and long ones in buffers of their own."""
    t = table(holes)
    for name in ("tëxt", "unique", "missing"):
        t = t.set_column(t.column_names.index(name), name, t[name].cast(pa.string_view()))
    return t


digits = decimal.Context(prec=38)
decimals = pa.array([None if i % 7 == 0 else decimal.Decimal(int(v)).scaleb(-(i % 18) - 7, digits) for i, v in
                     enumerate(rng.integers(-2**62, 2**62, ROWS))], pa.decimal128(38, 25))


# ---- what others write: name, function of a path, what matloom must find

def h5(path, **parts):
    with h5py.File(path, "w") as f:
        for name, (data, options) in parts.items():
            f.create_dataset(name, data=data, **options)


def h5_unusual(path, base, change, data):
    """A dataset whose numbers have fewer bits than their bytes, or lie in them in another way."""
    kind = base.copy()
    change(kind)
    with h5py.File(path, "w") as f:
        h5py.h5d.create(f.id, b"X", kind, h5py.h5s.create_simple(data.shape)).write(h5py.h5s.ALL, h5py.h5s.ALL, data)


def short_float(kind):
    """The upper half of a float of four bytes."""
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_ebias(127)


def h5_holes(path):
    """Chunks of which only some are stored."""
    with h5py.File(path, "w") as f:
        data = f.create_dataset("X", integers.shape, "i4", chunks=(100, 2), fillvalue=7)
        data[250:400] = integers[250:400]


def stream(path, f):
    t = table(f)
    with pa.ipc.new_stream(path, t.schema) as w:
        w.write_table(t, max_chunksize=700)


def packed(path, text, how):
    with open(path, "wb") as f:
        f.write(how(text[:5000]) + how(text[5000:]))


def netcdf(path, engine, packing):
    data = xr.Dataset({"x": (("row", "col"), dense[1:])})
    data.to_netcdf(path, engine=engine, encoding={"x": packing})


csv_text = pd.DataFrame(dense[1:]).to_csv(header=False, index=False).encode()
unsized = zstandard.ZstdCompressor(write_content_size=False)
categories = frame.assign(unique=frame["unique"].astype("category"), **{"tëxt": frame["tëxt"].astype("category")})
days = pd.DataFrame({"t": pd.to_datetime(["1969-12-31 23:59:59.5", "2020-02-29 12:00:00.0"]).as_unit("us")})
day_texts = pd.DataFrame({"t": ["1969-12-31 23:59:59.5", "2020-02-29 12:00:00"]})
THEIRS = [
    *[(f"{t} {o}.npy", lambda p, t=t, o=o: np.save(p, np.array(integers if t[1] != "f" else dense, dtype=t, order=o)),
       np.array(integers if t[1] != "f" else dense, dtype=t).astype("f8"))
      for t in ("<f8", ">f8", "<f4", ">f4", "<i8", ">i8", "<i4", ">i4", "<i2", ">i2", "|i1") for o in "CF"],
    *[(f"{t}.npy", lambda p, t=t: np.save(p, abs(integers).astype(t)), abs(integers).astype(t).astype("f8"))
      for t in ("|b1", "|u1", "<u2", "<u4", ">u8", "<f2")],
    ("vector.npy", lambda p: np.save(p, dense[:, 3]), dense[:, 3:4]),
    ("cube.npy", lambda p: np.save(p, dense[:, :8].reshape(ROWS, 2, 4)), dense[:, :8]),
    ("savez.npz", lambda p: np.savez(p, dense), dense),
    ("compressed.npz", lambda p: np.savez_compressed(p, integers), integers.astype("f8")),
    *[(f"{f} {c}.npz", lambda p, f=f, c=c: sp.save_npz(p, sparse.asformat(f), compressed=c), sparse.toarray())
      for f in ("csr", "csc", "coo") for c in (True, False)],
    ("records.npy", lambda p: np.save(p, plain.assign(text=plain["text"].astype("U30"), unique=plain["unique"].astype("U10"))
                                      .to_records(index=False, column_dtypes={"text": "U30", "unique": "U10"})), plain),
    ("columns.npz", lambda p: np.savez(p, **{c: plain[c].to_numpy("U30" if c in ("text", "unique") else None) for c in plain}),
     plain),
    ("contiguous.h5", lambda p: h5(p, X=(dense, {})), dense),
    ("chunked.h5", lambda p: h5(p, X=(dense, dict(chunks=(100, 4), compression="gzip", shuffle=True))), dense),
    *[(f"chunks {t} {c[0]}x{c[1]}.h5", lambda p, t=t, c=c, data=data: h5(p, X=(data.astype(t), dict(chunks=c))),
       data.astype(t).astype("f8"))
      for t, data in (("<f8", dense), (">f8", dense), ("<f4", dense), ("<i4", integers), (">i2", integers), ("i1", integers))
      for c in ((100, 4), (7, 2), (ROWS, 5), (1, 1), (64, 5))],
    ("chunks of many columns.h5", lambda p: h5(p, X=(wide, dict(chunks=(3, 3000)))), wide),
    ("chunks larger than pieces.h5", lambda p: h5(p, X=(tall, dict(chunks=(90000, 5)))), tall),
    ("packed larger than pieces.h5", lambda p: h5(p, X=(tall, dict(chunks=(90000, 5), compression=1))), tall),
    ("chunks of a vector.h5", lambda p: h5(p, X=(dense[:, 3], dict(chunks=(77,)))), dense[:, 3:4]),
    ("chunks of a cube.h5", lambda p: h5(p, X=(dense[:, :8].reshape(ROWS, 2, 4), dict(chunks=(50, 1, 3)))), dense[:, :8]),
    ("chunks that are not stored.h5", h5_holes,
     np.where((250 <= np.arange(ROWS)[:, None]) & (np.arange(ROWS)[:, None] < 400), integers, 7).astype("f8")),
    ("twelve bits.h5", lambda p: h5_unusual(p, h5py.h5t.STD_I16LE, lambda k: (k.set_precision(12), k.set_offset(2)),
                                            integers.astype("i2")), integers.astype("f8")),
    ("other floats.h5", lambda p: h5_unusual(p, h5py.h5t.IEEE_F32LE, short_float, integers.astype("f4")),
     integers.astype("f8")),
    ("other floats as a column.h5", lambda p: h5_unusual(p, h5py.h5t.IEEE_F32LE, short_float,
                                                         integers[:, 0].astype("f4")),
     pd.DataFrame({"X": integers[:, 0].astype("f8")})),
    ("chunks scaled.nc", lambda p: xr.Dataset({"x": (("a", "b"), integers / 4)}).to_netcdf(
        p, engine="h5netcdf", encoding={"x": dict(dtype="i2", scale_factor=0.25, add_offset=1.0, _FillValue=-999,
                                                  chunksizes=(90, 2))}), integers / 4),
    ("big-endian.h5", lambda p: h5(p, X=(integers.astype(">i2"), {})), integers.astype("f8")),
    ("floats.h5", lambda p: h5(p, X=(dense.astype("<f4"), {})), dense.astype("f4").astype("f8")),
    ("flags.h5", lambda p: h5(p, X=(integers > 0, {})), (integers > 0).astype("f8")),
    ("columns.h5", lambda p: h5(p, big=(plain["big"], {}), flag=(plain["flag"], {}), double=(plain["double"], {}),
                                text=(plain["text"].to_list(), dict(dtype=h5py.string_dtype()))),
     plain[["big", "double", "flag", "text"]]),
    *[(f"{e}.nc", lambda p, e=e: netcdf(p, e, {}), dense[1:]) for e in ("netcdf4", "h5netcdf")],
    ("scaled.nc", lambda p: xr.Dataset({"x": (("a", "b"), integers / 4)}).to_netcdf(
        p, encoding={"x": dict(dtype="i2", scale_factor=0.25, add_offset=1.0, _FillValue=-999)}), integers / 4),
    *[(f"{c}.feather", lambda p, c=c: pa.feather.write_feather(holes, p, compression=c), holes)
      for c in ("uncompressed", "lz4", "zstd")],
    ("categories.feather", lambda p: pa.feather.write_feather(categories, p), frame),
    ("times.feather", lambda p: pa.feather.write_feather(days, p), day_texts),
    ("views.feather", lambda p: pa.feather.write_feather(views(), p, compression="lz4", chunksize=500), views().to_pandas()),
    ("decimals.feather", lambda p: pa.feather.write_feather(pa.table({"d": decimals}), p),
     pd.DataFrame({"d": [None if d is None else float(d) for d in decimals.to_pylist()]})),
    ("nullable.feather", lambda p: pa.feather.write_feather(nullable()[0], p), nullable()[1]),
    ("numbers.feather", lambda p: pa.feather.write_feather(pd.DataFrame(dense, columns=list("abcdefghi")), p), dense),
    ("stream.arrows", lambda p: stream(p, holes), holes),
    *[(f"{c}.parquet", lambda p, c=c: pq.write_table(table(holes), p, compression=c, row_group_size=1000), holes)
      for c in ("none", "snappy", "gzip", "zstd", "lz4")],
    ("categories.parquet", lambda p: categories.to_parquet(p), frame),
    ("nullable.parquet", lambda p: nullable()[0].to_parquet(p), nullable()[1]),
    ("numbers.parquet", lambda p: pd.DataFrame(dense, columns=list("abcdefghi")).to_parquet(p), dense),
    ("members.csv.gz", lambda p: packed(p, csv_text, gzip.compress), dense[1:]),
    ("frames.csv.zst", lambda p: packed(p, csv_text, zstandard.compress), dense[1:]),
    ("unsized.csv.zst", lambda p: packed(p, csv_text, unsized.compress), dense[1:]),
]


# ---- what matloom writes: file and option of write, function that reads it

def of_h5(path, name="data"):
    with h5py.File(path) as f:
        return f[name][()]


def frame_of_h5(path):
    with h5py.File(path) as f:
        return pd.DataFrame({c: f[c].asstr()[()] if f[c].dtype == object else f[c][()] for c in plain})


def of_netcdf(path, engine):
    with xr.open_dataset(path, engine=engine) as f:
        return f["data"].to_numpy()


def frame_of_netcdf(path, engine):
    with xr.open_dataset(path, engine=engine) as f:
        return f.to_dataframe().reset_index(drop=True).assign(flag=lambda d: d["flag"] != 0)[list(plain)]


def of_csv(path):
    return pd.read_csv(path, header=None, engine="python", float_precision=None).to_numpy("f8")


OURS = {
    "matrix": (dense, [
        ("m.npy", "", np.load),
        ("m.npz", "", lambda p: np.load(p)["arr_0"]),
        ("named.npz", 'dataset="A"', lambda p: np.load(p)["A"]),
        ("m.h5", "", of_h5),
        ("group.h5", 'dataset="g/A"', lambda p: of_h5(p, "g/A")),
        ("m.nc", "", lambda p: of_netcdf(p, "netcdf4")),
        ("again.nc", "", lambda p: of_netcdf(p, "h5netcdf")),
        ("m.arrow", "", lambda p: pa.ipc.open_file(p).read_all().to_pandas().to_numpy()),
        ("m.feather", "", lambda p: pd.read_feather(p).to_numpy()),
        ("m.arrows", "", lambda p: pa.ipc.open_stream(p).read_all().to_pandas().to_numpy()),
        ("m.parquet", "", lambda p: pq.read_table(p).to_pandas().to_numpy()),
    ]),
    "sparse": (sparse.toarray(), [
        ("s.npz", "", lambda p: sp.load_npz(p).toarray()),
        ("s.npy", "", np.load),
        ("s.h5", "", of_h5),
        ("s.parquet", "", lambda p: pd.read_parquet(p).to_numpy()),
        ("s.csv.gz", 'format="csv"', of_csv),
        ("s.csv.zst", 'format="csv"', of_csv),
        ("s.mtx.gz", 'format="mm"', lambda p: scipy.io.mmread(p).toarray()),
    ]),
    "holes": (holes, [
        ("f.arrow", "", lambda p: pa.ipc.open_file(p).read_all().to_pandas()),
        ("f.arrows", "", lambda p: pa.ipc.open_stream(p).read_all().to_pandas()),
        ("f.feather", "", pd.read_feather),
        ("f.parquet", "", pd.read_parquet),
    ]),
    "plain": (plain, [
        ("p.npy", "", lambda p: pd.DataFrame(np.load(p))),
        ("p.npz", "", lambda p: pd.DataFrame(dict(np.load(p)))),
        ("p.h5", "", frame_of_h5),
        ("p.nc", "", lambda p: frame_of_netcdf(p, "netcdf4")),
        ("again.nc", "", lambda p: frame_of_netcdf(p, "h5netcdf")),
    ]),
}


# ---- comparing

def cell(v):
    """A missing cell, a number or a text: what two programs must agree on; the sign of zero counts."""
    if v is None or v is pd.NA or (isinstance(v, (float, np.floating)) and np.isnan(v)):
        return None
    if isinstance(v, (int, np.integer)) and abs(int(v)) > 2**53:
        return int(v)
    return repr(float(v)) if isinstance(v, (bool, np.bool_, int, float, np.number)) else str(v)


def differences(expected, found):
    """The first cell that differs, as a text; None when all are the same."""
    if isinstance(expected, np.ndarray):
        expected, found = pd.DataFrame(expected), pd.DataFrame(np.asarray(found))
    elif list(expected) != list(found):
        return f"columns {list(found)}, expected {list(expected)}"
    if expected.shape != found.shape:
        return f"{found.shape} cells, expected {expected.shape}"
    for k in range(expected.shape[1]):
        a, b = ([cell(v) for v in f.iloc[:, k].tolist()] for f in (expected, found))
        for row, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return f"row {row + 1}, column {k + 1} is {y!r}, expected {x!r}"
    return None


def run(matloom, script, folder):
    path = os.path.join(folder, "script.dml")
    with open(path, "w") as f:
        f.write(script)
    done = subprocess.run([matloom, "-f", path], capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()[0]


def read_theirs(matloom, name, write, expected, folder):
    path, back = os.path.join(folder, name), os.path.join(folder, "back.arrow")
    kind = "matrix" if isinstance(expected, np.ndarray) else "frame"
    write(path)
    error = run(matloom, f'X = read("{path}", data_type="{kind}")\nwrite(X, "{back}")\n', folder)
    if error:
        return error
    found = pa.ipc.open_file(back).read_all()
    found.validate(full=True)
    return differences(expected, found.to_pandas().to_numpy() if kind == "matrix" else found.to_pandas())


def read_ours(matloom, name, option, read, source, expected, folder):
    path = os.path.join(folder, name)
    kind = "matrix" if isinstance(expected, np.ndarray) else "frame"
    option = f", {option}" if option else ""
    error = run(matloom, f'X = read("{source}", data_type="{kind}")\nwrite(X, "{path}"{option})\n', folder)
    return error or differences(expected, read(path))


# What is refused, and what the error says: (file, how it is made, message).
LONG = pa.table({"x": [1.5, 2.5], "d": pa.array([decimal.Decimal("1.25"), None], pa.decimal256(40, 2))})
REFUSED = [
    ("long.parquet", lambda p: pq.write_table(LONG, p), "long.parquet: column 'd' holds decimals of more than 38 digits"),
    ("long.feather", lambda p: pa.feather.write_feather(LONG, p), "long.feather: column 'd' holds decimals of 256 bits"),
]


def refuses(matloom, name, write, message, folder):
    write(os.path.join(folder, name))
    error = run(matloom, f'X = read("{os.path.join(folder, name)}", data_type="frame")\nprint(X)\n', folder)
    return None if error and message in error else f"expected an error with {message!r}, found {error!r}"


def main():
    matloom = os.path.abspath(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(f"read {name}", lambda n=name, w=write, e=expected: read_theirs(matloom, n, w, e, folder))
                 for name, write, expected in THEIRS]
        cases += [(f"refuse {name}", lambda n=name, w=write, m=message: refuses(matloom, n, w, m, folder))
                  for name, write, message in REFUSED]
        for what, (expected, forms) in OURS.items():
            source = os.path.join(folder, f"{what}.source.arrow")
            pa.feather.write_feather(expected if isinstance(expected, pd.DataFrame)
                                     else pd.DataFrame(expected).rename(columns=lambda k: f"C{k + 1}"), source)
            cases += [(f"write {name}, {what}", lambda n=name, o=option, r=read, s=source, e=expected:
                       read_ours(matloom, n, o, r, s, e, folder)) for name, option, read in forms]
        for title, check in cases:
            if ".parquet" in title and not os.environ.get("MATLOOM_DUCKDB"):
                continue
            try:
                problem = check()
            except Exception as e:  # a reader that refuses our file is a finding like any other
                problem = f"{type(e).__name__}: {e}"
            failed += problem is not None
            if problem:
                print(f"{title}: {problem}")
    print(f"interop: {len(cases) - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
