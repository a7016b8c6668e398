"""Run scripts on matloom and SystemDS and compare: compare.py MATLOOM SYSDS_HOME [-record] [NAME...]

NAME is a script of this folder, or `builtins` for the calls of builtins.tsv, which peer_builtins runs and compares on
random inputs of the seed in the environment variable SEED, 1 by default.

Two outputs agree when they have the same words and their numbers agree to 1e-9, relatively for large ones: the engines
sum in different orders. What SystemDS adds at its end (statistics) is cut off, and so is what its functions print unasked
when the script marks its own lines by "> ". Each run has a fresh copy of this folder
as its working directory. Lines that differ on purpose are rows of differences.tsv. With -record nothing is compared:
SystemDS' answers are written to expected/.
"""
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.abspath(f"{HERE}/../../data")
TOLERANCE = 1e-9


def run(command):
    with tempfile.TemporaryDirectory() as scratch:
        folder = shutil.copytree(HERE, f"{scratch}/peer")
        os.symlink(DATA, f"{folder}/data")
        return subprocess.run(command + ["-nvargs", "data=data"], cwd=folder, capture_output=True, text=True)


def run_matloom(program, name):
    p = run([program, "-f", f"{name}.dml"])
    return p.stdout if p.returncode == 0 else None, p.stderr


def java(home):
    return ["java", "-Xmx2g", "--add-modules=jdk.incubator.vector", "-cp", f"{home}/lib/*:{home}/*"]


def run_peer(home, name):
    p = run(java(home) + ["org.apache.sysds.api.DMLScript", "-exec", "singlenode", "-f", f"{name}.dml"])
    out = p.stdout.split("SystemDS Statistics:")[0]
    failed = p.returncode != 0 or "An Error Occurred" in out
    marked = [line for line in out.split("\n") if line.startswith("> ")]
    out = "\n".join(marked) if marked else out
    return None if failed else out.rstrip("\n") + "\n", p.stdout + p.stderr


def own_lines():
    """What matloom prints instead: {(script, line number): text}."""
    with open(f"{HERE}/differences.tsv", encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    return {(script, int(line)): matloom for script, line, peer, matloom, reason in rows}


def same_number(a, b):
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return x == y or (x != x and y != y) or abs(x - y) <= TOLERANCE * max(1.0, abs(x), abs(y))


def same_line(a, b):
    words = [re.split(r"([\s,;:=|\[\]()]+)", line) for line in (a, b)]
    return len(words[0]) == len(words[1]) and all(x == y or same_number(x, y) for x, y in zip(*words))


def differences(name, ours, theirs):
    """A diff as lines, without those lines that differ in rounding only or on purpose."""
    own = own_lines()
    a, b = ours.rstrip("\n").split("\n"), theirs.rstrip("\n").split("\n")
    b = [own.get((name, i), line) for i, line in enumerate(b, 1)]
    if len(a) == len(b):
        a = [y if same_line(x, y) else x for x, y in zip(a, b)]
    return list(difflib.unified_diff(b, a, "systemds", "matloom", lineterm=""))


def compare(program, home, name):
    ours, our_log = run_matloom(program, name)
    theirs, their_log = run_peer(home, name)
    if ours is None or theirs is None:
        return [our_log if ours is None else their_log]
    return differences(name, ours, theirs)


def record(home, name):
    theirs, log = run_peer(home, name)
    if theirs is None:
        return [log]
    with open(f"{HERE}/expected/{name}.txt", "w", encoding="utf-8") as f:
        f.write(theirs)
    return []


def builtins(program, home, recording):
    """All calls in one virtual machine; prints what fails, returns whether something did."""
    tool, seed = [f"{os.path.dirname(program)}/test/peer_builtins", HERE], os.environ.get("SEED", "1")
    with tempfile.TemporaryDirectory() as scratch:
        folder = shutil.copytree(HERE, f"{scratch}/peer")
        scripts, raw, answers = (f"{scratch}/{name}" for name in ("scripts", "raw", "answers"))
        with open(scripts, "w", encoding="utf-8") as f:
            subprocess.run(tool + ["scripts", seed], stdout=f, check=True)
        subprocess.run(java(home) + ["org.codehaus.janino.SimpleCompiler", "Many.java", "Many", scripts, raw],
                       cwd=folder, capture_output=True, check=True)
        with open(f"{HERE}/expected/builtins.tsv" if recording else answers, "w", encoding="utf-8") as f:
            subprocess.run(tool + ["record", raw], stdout=f, check=True)
        return not recording and subprocess.run(tool + ["check", answers, seed]).returncode != 0


def main():
    program, home, names = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
    recording = "-record" in names
    names = [n for n in names if n != "-record"]
    names = names or sorted(f[:-4] for f in os.listdir(HERE) if f.endswith(".dml")) + ["builtins"]
    failed = 0
    for name in names:
        if name == "builtins":
            failed += builtins(program, home, recording)
            continue
        report = record(home, name) if recording else compare(program, home, name)
        failed += bool(report)
        if report:
            print(f"FAILED {name}", *report, sep="\n")
    print(f"peer: {len(names) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
