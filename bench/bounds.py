"""What a workload must reach, whether it does, and README's table of it.

The bounds of a workload (workloads.json) are an object; each names what matloom's time is held against:

    numpy, scipy, torch, joblib, pandas, sklearn
                         at least so many times the speed of the peer; `avx512` is NumPy whose OpenBLAS is forced to its
                         AVX-512 kernels
    one                  at least so many times the speed of matloom on one thread
    growth               at most so many times the time that a tenth of the rows takes: argument n
    read, write, triad, stream, fma64, fma32
                         [share, work]: at least this share of that limit of the machine, all threads together (limits.c),
                         where a round moves so many bytes or takes so many operations: an expression in the arguments;
                         the median of the shares that turns reach of the limit at that moment
    memory               [times, bytes]: a peak of at most so many times these bytes
    at_most, at_least    so many times the peer's figure, the number printed last: an objective, or an accuracy

`what` says in the table what the workload is.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = {"numpy": ("numpy", "NumPy"), "scipy": ("numpy", "SciPy"), "torch": ("numpy", "PyTorch"), "joblib": ("numpy", "joblib"),
         "pandas": ("numpy", "pandas"), "sklearn": ("numpy", "scikit-learn"),
         "pyarrow": ("numpy", "PyArrow"),
         "avx512": ("avx512", "NumPy, AVX-512 forced"), "one": ("one", "one thread")}
LIMITS = {"read": "read bandwidth", "write": "write bandwidth", "triad": "triad bandwidth",
          "stream": "triad bandwidth, streaming", "fma64": "FP64 peak", "fma32": "FP32 peak"}
BEGIN, END = "<!-- performance: bench/bounds.py -->\n", "<!-- /performance -->\n"


def engines(extras):
    """The engines beyond matloom that a workload's bounds need."""
    of = {**{name: engine for name, (engine, _) in PEERS.items()}, "growth": "tenth"}
    return list(dict.fromkeys(of[name] for name in extras.get("bounds", {}) if name in of))


def limits(extras):
    return [name for name in extras.get("bounds", {}) if name in LIMITS]


def measure_limit(program, name):
    """The value of a limit on all threads, None when it cannot be measured."""
    try:
        lines = subprocess.run([program, "-o", name], capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    return float(lines[-1].split()[2]) if lines else None


def show_limits(program, names):
    for name in LIMITS:
        if name in names:
            value = measure_limit(program, name)
            print(f"{LIMITS[name]:28s}" + (f"{value / 1e9:7.1f} G{'flop' if 'fma' in name else 'B'}/s" if value else " failed"))


def outcome(name, bound, args, records):
    """One bound: (text of what was reached, text of what is asked, met), None when something of it failed."""
    own = records["matloom"]
    if name in PEERS:
        peer, title = records.get(PEERS[name][0]), PEERS[name][1]
        times = peer and peer["seconds"] / own["seconds"]
        return peer and (f"{times:.2f}× {title}", f"≥ {bound}×", times >= bound)
    if name == "growth":
        tenth = records.get("tenth")
        times = tenth and own["seconds"] / tenth["seconds"]
        return tenth and (f"{times:.1f}× time for 10× rows", f"≤ {bound}×", times <= bound)
    if name in ("at_most", "at_least"):
        peer = (records.get("numpy") or {}).get("printed")
        times = peer and own["printed"] is not None and own["printed"] / peer
        kind = "objective" if name == "at_most" else "accuracy"
        return times and (f"{times:.4f}× the peer's {kind}", f"{'≤' if name == 'at_most' else '≥'} {bound}×",
                          times <= bound if name == "at_most" else times >= bound)
    amount = eval(bound[1], {}, dict(args))  # an expression of our own file
    if name == "memory":
        times = own["peak_bytes"] / amount
        return f"{times:.2f}× the bytes of data", f"≤ {bound[0]}×", times <= bound[0]
    limit = records.get("limits", {}).get(name)
    share = limit and statistics.median(amount / max(s, 1e-9) / most for s, most in zip(own["each"], limit))
    return limit and (f"{100 * share:.0f} % of {LIMITS[name]}", f"≥ {100 * bound[0]:.0f} %", share >= bound[0])


def check(workload, records):
    """All bounds of a workload as a list of objects for the result file."""
    args, extras = workload[0], (workload + [{}])[2]
    found = []
    for name, bound in extras.get("bounds", {}).items():
        got = outcome(name, bound, args, records) if records.get("matloom") else None
        reached, asked, met = got or ("failed", name, False)
        found.append({"reached": reached, "asked": asked, "met": met})
    return found


def show(found):
    for one in found:
        print(f"{'':18s}  {'met ' if one['met'] else 'MISS'}  {one['reached']}  ({one['asked']})", flush=True)


def table(results):
    lines = ["| workload | reached | asked | met |", "|---|---|---|---|"]
    for row in results:
        for k, one in enumerate(row["bounds"]):
            lines.append(f"| {'' if k else row['what']} | {one['reached']} | {one['asked']} | {'yes' if one['met'] else 'no'} |")
    return "\n".join(lines) + "\n"


def update_results(path, measured, workloads):
    """Put what was measured, {name: bounds}, into a result file, in the order of the workloads."""
    rows = {}
    if os.path.exists(path):
        with open(path) as f:
            rows = {row["name"]: row for row in json.load(f)}
    for name, found in measured.items():
        rows[name] = {"name": name, "what": (workloads[name] + [{}])[2].get("what", name), "bounds": found}
    with open(path, "w") as f:
        json.dump([rows[name] for name in workloads if name in rows], f, indent=1, ensure_ascii=False)
        f.write("\n")


def main():
    p = argparse.ArgumentParser(description="README's table of performance from bench/results.json.")
    p.add_argument("action", choices=["write", "check"], help="write the table, or say whether README has it")
    o = p.parse_args()
    path = f"{HERE}/../README.md"
    with open(f"{HERE}/results.json") as f:
        wanted = BEGIN + table(json.load(f)) + END
    with open(path) as f:
        text = f.read()
    made = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: wanted, text, flags=re.S)
    if wanted not in made:
        sys.exit("bounds.py: README.md has no place for the table")
    if o.action == "check" and made != text:
        sys.exit("bounds.py: README.md is not what bench/results.json says; run bench/bounds.py write")
    if o.action == "write":
        with open(path, "w") as f:
            f.write(made)


if __name__ == "__main__":
    main()
