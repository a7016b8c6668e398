"""Run scripts on matloom and SystemDS and compare their output: compare.py MATLOOM SYSDS_HOME [NAME...]

Two outputs agree when they have the same words and their numbers agree to 1e-9, relatively for large ones: the engines
sum in different orders. What SystemDS adds at its end (statistics) is cut off.
"""
import difflib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 1e-9


def run_matloom(program, script, data):
    p = subprocess.run([program, "-f", script, "-nvargs", f"data={data}"], capture_output=True, text=True)
    return p.stdout if p.returncode == 0 else None, p.stderr


def run_peer(home, script, data):
    p = subprocess.run(["java", "-Xmx2g", "--add-modules=jdk.incubator.vector", "-cp", f"{home}/lib/*:{home}/*",
                        "org.apache.sysds.api.DMLScript", "-f", script, "-exec", "singlenode",
                        "-nvargs", f"data={data}"], capture_output=True, text=True)
    out = p.stdout.split("SystemDS Statistics:")[0]
    return None if "An Error Occurred" in out else out, p.stdout + p.stderr


def same_number(a, b):
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return x == y or (x != x and y != y) or abs(x - y) <= TOLERANCE * max(1.0, abs(x), abs(y))


def same_line(a, b):
    words = [re.split(r"([\s,;:=\[\]()]+)", line) for line in (a, b)]
    return len(words[0]) == len(words[1]) and all(x == y or same_number(x, y) for x, y in zip(*words))


def differences(ours, theirs):
    """A diff as lines, without those lines that differ in rounding only."""
    a, b = ours.rstrip("\n").split("\n"), theirs.rstrip("\n").split("\n")
    if len(a) == len(b):
        a = [y if same_line(x, y) else x for x, y in zip(a, b)]
    return list(difflib.unified_diff(b, a, "systemds", "matloom", lineterm=""))


def main():
    program, home, data = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), f"{HERE}/../../data"
    names = sys.argv[3:] or sorted(f[:-4] for f in os.listdir(HERE) if f.endswith(".dml"))
    failed = 0
    for name in names:
        script = f"{HERE}/{name}.dml"
        ours, our_log = run_matloom(program, script, data)
        theirs, their_log = run_peer(home, script, data)
        if ours is None or theirs is None:
            report = [our_log if ours is None else their_log]
        else:
            report = differences(ours, theirs)
        failed += bool(report)
        if report:
            print(f"FAILED {name}", *report, sep="\n")
    print(f"peer: {len(names) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
