"""What the optimizing compiler gains: each script as written (-opt 0) and optimized, in turns.

A script is a method as a textbook has it, after the line "# data", which makes its input, and "# method".  Its time is
that of the whole process less that of its data part alone, medians of -r runs; what it prints must agree to 1e-6.  The
last line is the geometric mean of the gains.  --json has the form of bench/run.py, with "written" and "optimized" for
engines.
"""
import argparse
import glob
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LEAST = 1e-3  # seconds: less cannot be told from the noise of the data part
WAYS = {"data": "0", "written": "0", "optimized": "2"}


def parse_options():
    p = argparse.ArgumentParser(description="Textbook scripts as written and optimized, side by side.")
    p.add_argument("names", nargs="*", help="scripts, all when none is named")
    p.add_argument("-r", "--repeats", type=int, default=5, help="runs of each, the median counts (default 5)")
    p.add_argument("--matloom", default=os.environ.get("MATLOOM", f"{HERE}/../../build/release/matloom"))
    p.add_argument("--threads", default="0", help="compute threads (default all)")
    p.add_argument("--cpu", action="store_true", help="processor time on one thread, for a machine that is not quiet")
    p.add_argument("--json", help="write all figures to this file")
    p.add_argument("--limit", type=float, help="end with status 1 when a script gains less than this, e.g. 0.95")
    return p.parse_args()


def run_once(o, script, level):
    """Seconds, peak bytes and output of one run."""
    cmd = [os.path.abspath(o.matloom), "-f", script, "-opt", level, "-threads", "1" if o.cpu else o.threads]
    with tempfile.TemporaryFile() as out:
        begin = time.perf_counter()
        child = subprocess.Popen(cmd, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if child.returncode != 0:
        sys.exit(f"{script} -opt {level}: {text}")
    if o.cpu:
        seconds = usage.ru_utime + usage.ru_stime
    return seconds, usage.ru_maxrss * 1024, text


def close(a, b):
    x, y = float(a), float(b)
    return abs(x - y) <= 1e-6 * max(abs(x), abs(y))


def measure(o, name, scratch):
    """For each way its median, its runs and peak bytes; the data part alone counts as a way."""
    script = f"{HERE}/{name}.dml"
    data = f"{scratch}/{name}.dml"
    with open(script) as f, open(data, "w") as g:
        g.write(f.read().split("# method")[0])
    runs = {w: [] for w in WAYS}
    for _ in range(o.repeats):
        for w, level in WAYS.items():
            runs[w].append(run_once(o, data if w == "data" else script, level))
    written, optimized = runs["written"][0][2], runs["optimized"][0][2]
    if not close(written, optimized):
        sys.exit(f"{name}: written prints {written.strip()}, optimized {optimized.strip()}")
    setup = statistics.median(r[0] for r in runs["data"])
    return {w: {"seconds": max(statistics.median(r[0] for r in runs[w]) - (setup if w != "data" else 0), LEAST),
                "runs": [r[0] for r in runs[w]], "peak_bytes": max(r[1] for r in runs[w])} for w in WAYS}


def main():
    o = parse_options()
    known = sorted(os.path.basename(p)[:-4] for p in glob.glob(f"{HERE}/*.dml"))
    unknown = set(o.names) - set(known)
    if unknown:
        sys.exit(f"run.py: no script {' '.join(sorted(unknown))}")
    print(f"{'script':26s}{'data':>10s}{'written':>10s}{'optimized':>10s}{'gain':>9s}{'peak':>16s}")
    results, gains = {}, {}
    with tempfile.TemporaryDirectory(prefix="matloom-bench-") as scratch:
        for name in o.names or known:
            r = results[name] = measure(o, name, scratch)
            gains[name] = r["written"]["seconds"] / r["optimized"]["seconds"]
            times = "".join(f"{r[w]['seconds'] * 1e3:7.0f} ms" for w in WAYS)
            peaks = " / ".join(f"{r[w]['peak_bytes'] / 2**20:.0f}" for w in ("written", "optimized"))
            print(f"{name:26s}{times}{gains[name]:8.2f}x{peaks + ' MiB':>16s}", flush=True)
    mean = math.exp(statistics.mean(math.log(g) for g in gains.values()))
    print(f"geometric mean of {len(gains)} gains: {mean:.2f}x; least: "
          + ", ".join(f"{n} {gains[n]:.2f}x" for n in sorted(gains, key=gains.get)[:3]))
    if o.json:
        with open(o.json, "w") as f:
            json.dump(results, f, indent=1)
    slow = [n for n in gains if o.limit and gains[n] < o.limit]
    if slow:
        sys.exit("gain less than the limit: " + ", ".join(slow))


if __name__ == "__main__":
    main()
