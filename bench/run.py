"""Times of the workloads on matloom, NumPy/SciPy and SystemDS, side by side in one run.

A workload (workloads.json) is [arguments, [k1, k2] or null, extras]: dml/NAME.dml and the function NAME of
numpy_suite.py, or of the suite that its extras name, do the same work. With k1 and k2 it is a loop of k rounds, and its
figure is the time of one round: the slope between the median times at k1 and k2, so start-up and data generation drop
out. Without, the figure is the median time of the whole process. The engines take turns in every repeat, so that all
see the same state of the machine.

Extras: engines, those that can do it; script, when not NAME; suite, the Python file when not numpy_suite; family, whose
name stands for all of its workloads, which do not run when none is named; csv_mb, size of a CSV file to make
beforehand, which gives a throughput; table, rows of the one that mixed_table.py makes; prepare,
the function of the suite that makes the argument file beforehand; bytes_of, the file written in each round, which does so too; options, of matloom's
command line; what and bounds, see bounds.py, which also measures the limits of the machine that bounds speak of, right
before and after each of matloom's turns. {scratch} is the folder for files. `bounds` stands for all workloads that have some.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import bounds

HERE = os.path.dirname(os.path.abspath(__file__))


def parse_options():
    p = argparse.ArgumentParser(description="Run workloads side by side; the first engine is compared with the others.")
    p.add_argument("names", nargs="*", help="workloads or families, all outside families when none")
    p.add_argument("-r", "--repeats", type=int, default=5, help="runs of each, the median counts (default 5)")
    p.add_argument("-e", "--engines", default="matloom,numpy", help="of matloom,numpy,systemds (default the first two)")
    p.add_argument("--matloom", default=os.environ.get("MATLOOM", f"{HERE}/../build/release/matloom"))
    p.add_argument("--python", default=os.environ.get("NUMPY_PY", sys.executable), help="one with numpy, scipy, scikit-learn")
    p.add_argument("--systemds", default=os.environ.get("SYSDS_HOME"), help="folder with SystemDS.jar and lib/")
    p.add_argument("--suite", default=HERE, help="another folder with dml/, suites and workloads.json")
    p.add_argument("--limits", default=f"{HERE}/../build/release/limits", help="program that measures the machine")
    p.add_argument("--json", help="write all figures to this file")
    p.add_argument("--results", help="file in which to put how the bounds were met, such as bench/results.json")
    p.add_argument("--limit", type=float, help="end with status 1 when the first engine is slower by more than this")
    return p.parse_args()


def command(engine, script, suite, args, options, o):
    """The command line that runs a workload's script, or the function of this name in a suite, on an engine."""
    if engine == "tenth":
        args = {**args, "n": args["n"] // 10}
    pairs = [f"{k}={v}" for k, v in args.items()]
    dml = f"{o.suite}/dml/{script}.dml"
    if engine in ("numpy", "avx512"):
        kind = ["dtype=float32"] if "single" in options else []
        forced = ["env", "OPENBLAS_CORETYPE=SkylakeX"] if engine == "avx512" else []
        return forced + [o.python, f"{o.suite}/{suite}.py", script] + pairs + kind
    if engine == "systemds":
        return ["java", "-Xmx16g", "-Xms2g", "--add-modules=jdk.incubator.vector", "-cp",
                f"{o.systemds}/lib/*:{o.systemds}/*", "org.apache.sysds.api.DMLScript", "-f", dml,
                "-exec", "singlenode", "-nvargs"] + pairs
    # A workload repeats its work in a loop; computed once before it, there would be nothing to measure.
    options = options + (["-threads", "1"] if engine == "one" else []) + ["-without", "loop_invariants,vectorize_loops"]
    return [os.path.abspath(o.matloom)] + options + ["-f", dml] + (["-nvargs"] + pairs if pairs else [])


def run_once(cmd, scratch):
    """Seconds, peak bytes (never less than this process has) and the last number printed of one run, or None when it
    fails."""
    with tempfile.TemporaryFile() as out:
        begin = time.perf_counter()
        try:
            child = subprocess.Popen(cmd, stdout=out, stderr=subprocess.STDOUT, cwd=scratch)
        except OSError:
            return None
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()[-4000:]
        failed = child.returncode != 0 or b"ERROR" in printed
    numbers = re.findall(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", printed)
    return None if failed else (seconds, usage.ru_maxrss * 1024, float(numbers[-1]) if numbers else None)


def make_csv(path, megabytes):
    """A CSV file of numbers with 50 columns: one random piece, repeated."""
    import random

    if os.path.exists(path) and os.path.getsize(path) >= megabytes << 20:
        return
    rng = random.Random(1)
    piece = "".join(",".join(f"{rng.uniform(-10, 10):.6f}" for _ in range(50)) + "\n" for _ in range(2000)).encode()
    with open(path, "wb") as f:
        for _ in range((megabytes << 20) // len(piece) + 1):
            f.write(piece)


def measure(name, workload, engines, o, scratch):
    """For each engine a record of seconds, all its runs, the seconds of a round in each turn and peak bytes, None where
    it failed; `limits`, when bounds speak of some: in each turn, right before and after matloom, the larger."""
    args, rounds, extras = (workload + [{}])[:3]
    args = {k: v.format(scratch=scratch) if isinstance(v, str) else v for k, v in args.items()}
    engines = [e for e in engines if e in extras.get("engines", engines)]
    engines += [e for e in bounds.engines(extras) if e not in engines]
    limits = {limit: [] for limit in bounds.limits(extras)}

    def rounds_of(engine):
        """A tenth of the rows, ten times as often, so that it takes as long and noise weighs no more."""
        return rounds and [rounds[0], rounds[0] + (10 if engine == "tenth" else 1) * (rounds[1] - rounds[0])]

    def note_limits(of_turn):
        for limit in limits:
            of_turn.append(bounds.measure_limit(o.limits, limit))

    script, suite = extras.get("script", name), extras.get("suite", "numpy_suite")
    if "csv_mb" in extras:
        make_csv(args["csv"], extras["csv_mb"])
    if "table" in extras and not os.path.exists(args["csv"]):
        subprocess.run([o.python, f"{o.suite}/mixed_table.py", args["csv"], str(extras["table"])], check=True)
    if "prepare" in extras and not os.path.exists(args["file"]):
        subprocess.run([o.python, f"{o.suite}/{suite}.py", extras["prepare"]] + [f"{k}={v}" for k, v in args.items()],
                       check=True, stdout=subprocess.DEVNULL)
    runs = {e: [] for e in engines}
    for _ in range(o.repeats):
        for e in engines:
            if None not in runs[e]:
                cmds = [command(e, script, suite, {**args, **({"k": k} if k else {})}, extras.get("options", []), o)
                        for k in rounds_of(e) or [None]]
                before, after = [], []
                if e == "matloom":
                    note_limits(before)
                once = [run_once(cmd, scratch) for cmd in cmds]
                runs[e].append(None if None in once else once)
                if e == "matloom":
                    note_limits(after)
                    for values, pair in zip(limits.values(), zip(before, after)):
                        values.append(None if None in pair else max(pair))
    records = {}
    for e in engines:
        if None in runs[e]:
            records[e] = None
            continue
        medians = [statistics.median(times) for times in zip(*([once[0] for once in r] for r in runs[e]))]
        count = rounds and rounds_of(e)[1] - rounds[0]
        seconds = max(medians[1] - medians[0], 1e-9) / count if rounds else medians[0]
        records[e] = {"seconds": seconds, "runs": [[once[0] for once in r] for r in runs[e]],
                      "each": [(r[1][0] - r[0][0]) / count if rounds else r[0][0] for r in runs[e]],
                      "peak_bytes": max(once[1] for r in runs[e] for once in r),
                      "printed": runs[e][0][-1][2]}
        sized = extras.get("bytes_of", args.get("csv", "")).format(scratch=scratch)
        if sized and os.path.isfile(sized):
            records[e]["bytes_per_second"] = os.path.getsize(sized) / seconds
    if limits:
        records["limits"] = {k: None if None in v or not v else v for k, v in limits.items()}
    return records


def show_time(record):
    if record is None:
        return "failed"
    for unit, scale in ("s", 1), ("ms", 1e3), ("us", 1e6):
        if record["seconds"] * scale >= 1:
            return f"{record['seconds'] * scale:.2f} {unit}"
    return f"{record['seconds'] * 1e9:.1f} ns"


def show_row(name, records, engines):
    cells = [show_time(records[e]) if e in records else "-" for e in engines]
    first = records.get(engines[0])
    ratios = [f"{records[e]['seconds'] / first['seconds']:.2f}x" if first and records.get(e) else "-"
              for e in engines[1:]]
    notes = f"{first['peak_bytes'] / 2**20:.0f} MiB" if first else ""
    if first and "bytes_per_second" in first:
        notes += f", {first['bytes_per_second'] / 1e9:.2f} GB/s"
    print(f"{name:18s}" + "".join(f"{c:>13s}" for c in cells) + "".join(f"{r:>11s}" for r in ratios) + "   " + notes,
          flush=True)


def chosen(names, workloads):
    """The names of workloads that names of workloads and families stand for."""
    families = {}
    for name, workload in workloads.items():
        extras = (workload + [{}])[2]
        families.setdefault(extras.get("family"), []).append(name)
        if "bounds" in extras:
            families.setdefault("bounds", []).append(name)
    unknown = set(names) - set(workloads) - set(families)
    if unknown:
        sys.exit(f"run.py: no workload or family {' '.join(sorted(unknown))}")
    return [one for name in names for one in families.get(name, [name])] or families[None]


def main():
    o = parse_options()
    o.suite = os.path.abspath(o.suite)
    engines = o.engines.split(",")
    with open(f"{o.suite}/workloads.json") as f:
        workloads = json.load(f)
    names = chosen(o.names, workloads)
    bounds.show_limits(o.limits, [limit for name in names for limit in bounds.limits((workloads[name] + [{}])[2])])
    print(f"{'workload':18s}" + "".join(f"{e:>13s}" for e in engines) +
          "".join(f"{e + '/' + engines[0][:1]:>11s}" for e in engines[1:]) + f"   {engines[0]}: peak, throughput")
    results, slow = {}, []
    with tempfile.TemporaryDirectory(prefix="matloom-bench-") as scratch:
        for name in names:
            records = results[name] = measure(name, workloads[name], engines, o, scratch)
            show_row(name, records, engines)
            found = bounds.check(workloads[name], records)
            bounds.show(found)
            if found and o.results:  # at once: what is measured stays when the run is stopped
                bounds.update_results(o.results, {name: found}, workloads)
            first = records.get(engines[0])
            slow += [f"{name} ({e})" for e in engines[1:] if o.limit and records.get(e) and
                     (not first or first["seconds"] > o.limit * records[e]["seconds"])]
    if o.json:
        with open(o.json, "w") as f:
            json.dump(results, f, indent=1)
    if slow:
        sys.exit("slower than the limit allows: " + ", ".join(slow))


if __name__ == "__main__":
    main()
