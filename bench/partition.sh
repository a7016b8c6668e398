#!/bin/sh
# Partitioning schemes side by side: bench/partition.sh [MATLOOM] [ROUNDS]
#
# Runs work of three kinds with every scheme, in turns, and prints for each the least time of the rounds, the tasks and
# the imbalance of the threads (1: all busy to the end).
#   even     a product of dense matrices: tiles of equal work
#   uneven   rows of a sparse matrix times a dense one, most nonzeros in the last rows
#   calls    many small operators: what a parallel call costs
# The first line of a kind, without a scheme, is one thread.
set -eu
matloom=${1:-build/release/matloom}
rounds=${2:-5}

even='X = rand(rows=2000, cols=1000, seed=1); for (i in 1:4) { X = X %*% rand(rows=1000, cols=1000, seed=i) }'
uneven='d = 1 / (20001 - seq(1, 20000)) ^ 0.7
X = (rand(rows=20000, cols=2000, seed=1) < d) * 1
for (i in 1:10) { Z = X %*% rand(rows=2000, cols=20, seed=i); print(sum(Z)) }'
calls='X = rand(rows=600, cols=300, seed=1); for (i in 1:5000) { X = X + i }'

schemes=$("$matloom" --help partition | awk '/^  / { print $1 }')

# One run: seconds, tasks and imbalance.
measure() {
    "$matloom" -stats -s "$2" $1 | awk -F'[\t/ ]+' '/^Total execution/ { time = $4 }
        /^Tasks/ { tasks = $4; sub(/\.$/, "", $6); imbalance = $6 } END { print time, tasks, imbalance }'
}

for kind in even uneven calls; do
    eval "script=\$$kind"
    for round in $(seq "$rounds"); do
        echo "one-thread $(measure '-threads 1' "$script; print(sum(X))")"
        for scheme in $schemes; do
            echo "$scheme $(measure "-partition $scheme" "$script; print(sum(X))")"
        done
    done | awk -v kind=$kind '
        !($1 in best) { order[++n] = $1 }
        !($1 in best) || $2 < best[$1] { best[$1] = $2; rest[$1] = sprintf("%10s %10s", $3, $4) }
        END {
            printf "%-8s %-12s %8s %10s %10s\n", kind, "scheme", "seconds", "tasks", "imbalance"
            for (k = 1; k <= n; k++) printf "%-8s %-12s %8.3f %s\n", "", order[k], best[order[k]], rest[order[k]]
        }'
done
