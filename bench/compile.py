"""Compile time of generated scripts: 1,000 lines with 50 functions, and its growth with the number of lines.

The time is that of parsing, optimizing and planning, plans made while the script runs included.  Lines are what scripts are made of: cell-wise arithmetic, products, aggregates, indexing, branches, loops, calls of the
script's own functions, one function to 20 lines.  Shapes are right, so that everything is compiled as far as it goes.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PER_FUNCTION = 8   # lines of a function's body
PER_LINES = 20     # one function to so many lines of the script


def expression(rng, names):
    """An n x m matrix out of n x m matrices."""
    a, b, c = (rng.choice(names) for _ in range(3))
    return rng.choice([
        f"{a} + {b} * {c}", f"{a} * 2 - {b} / 3", f"exp(-abs({a})) * {b}", f"({a} - colMeans({a})) / (1 + colSds({b}))",
        f"{a} %*% (t({b}) %*% {c})", f"ifelse({a} > 0, {b}, {c})", f"max({a}, {b}) - min({a}, 0)",
        f"1 / (1 + exp(-{a}))", f"{a} * rowSums({b}) + sum({c} ^ 2)", f"rbind({a}[2:nrow({a}),], {b}[1,])",
        f"{a} / (sqrt(sum({b} * {c})) + 1)", f"cumsum({a}) * ({b} != 0)"])


def statements(rng, names, count, functions, indent=""):
    """So many lines; names grows by the variables they define."""
    lines = []
    while len(lines) < count:
        new = f"v{len(names)}"
        kind = rng.random()
        left = count - len(lines)
        if kind < 0.08 and left >= 5 and len(indent) < 4:
            a = rng.choice(names)
            lines += [f"{indent}if(sum({a}) > {rng.randint(0, 9)}) {{"] + [
                f"{indent}  {a} = {expression(rng, names)}", f"{indent}}} else {{",
                f"{indent}  {a} = {a} * 0.5", f"{indent}}}"]
        elif kind < 0.14 and left >= 4 and len(indent) < 4:
            a = rng.choice(names)
            lines += [f"{indent}for(i in 1:3) {{", f"{indent}  {a} = {expression(rng, names)}",
                      f"{indent}  {a}[i,] = {rng.choice(names)}[1,] * i", f"{indent}}}"]
        elif kind < 0.24 and functions:
            lines.append(f"{indent}{new} = {rng.choice(functions)}({rng.choice(names)}, {rng.choice(names)})")
            names.append(new)
        else:
            lines.append(f"{indent}{new} = {expression(rng, names[-12:])}")
            names.append(new)
    return lines


def script(lines, seed=1):
    rng = random.Random(seed)
    functions, text = [], []
    for k in range(lines // PER_LINES):
        names = ["X", "Y"]
        body = statements(rng, names, PER_FUNCTION, [], "  ")
        text += [f"f{k} = function(matrix[double] X, matrix[double] Y) return (matrix[double] Z) {{"] + body
        text += [f"  Z = {names[-1]} + X", "}"]
        functions.append(f"f{k}")
    names = ["A", "B", "C"]
    text += [f"{n} = rand(rows=8, cols=5, min=-1, max=1, seed={k})" for k, n in enumerate(names, 1)]
    text += statements(rng, names, lines - len(text) - 1, functions)
    text.append(f"print(sum({' + '.join(names[-3:])}))")
    return "\n".join(text) + "\n"


def compile_ms(o, path):
    out = subprocess.run([o.matloom, "-f", path, "-stats", "-threads", "1"], capture_output=True, text=True)
    found = re.search(r"Compile:\s*([0-9.]+) ms, then ([0-9.]+) ms", out.stdout)
    if out.returncode != 0 or not found:
        sys.exit(f"{path}: {out.stdout}{out.stderr}")
    return float(found.group(1)) + float(found.group(2))


def main():
    p = argparse.ArgumentParser(description="Compile time of generated scripts.")
    p.add_argument("lines", nargs="*", type=int, default=[1000, 2000, 4000, 8000], help="lines of the scripts")
    p.add_argument("-r", "--repeats", type=int, default=7, help="runs of each, the least counts (default 7)")
    p.add_argument("--matloom", default=os.environ.get("MATLOOM", f"{HERE}/../build/release/matloom"))
    p.add_argument("--keep", help="write the scripts to this folder")
    o = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="matloom-bench-") as scratch:
        for lines in o.lines:
            path = f"{o.keep or scratch}/compile_{lines}.dml"
            with open(path, "w") as f:
                f.write(script(lines))
            ms = min(compile_ms(o, path) for _ in range(o.repeats))
            print(f"{lines:6d} lines, {lines // PER_LINES:4d} functions: {ms:8.2f} ms, {ms / lines * 1e3:6.2f} us a line", flush=True)


if __name__ == "__main__":
    main()
