#!/bin/sh
# Cost of loops that update or grow a matrix: bench/growth.sh [MATLOOM] [N]
#
# Runs each loop over N and over 10 N rounds and prints the times and megabytes of buffers taken, and their ratios: 10 is
# a loop that pays for what it changes, 100 one that pays for the matrix.
set -eu
matloom=${1:-build/release/matloom}
n=${2:-3000}

assign='X = matrix(0, rows=$n, cols=200); for (i in 1:$n) { X[i, ] = matrix(i, rows=1, cols=200) }; print(sum(X))'
column='X = matrix(0, rows=50, cols=$n); for (i in 1:$n) { X[, i] = matrix(i, rows=50, cols=1) }; print(sum(X))'
cbind='X = matrix(0, rows=200, cols=0); for (i in 1:$n) { X = cbind(X, seq(i, i + 199)) }; print(sum(X))'
lanczos='X = matrix(1, rows=200, cols=1); for (i in 1:$n) { X = cbind(X, X[, i] * 0.999) }; print(sum(X))'
edit='X = rand(rows=1e5, cols=1e4, sparsity=1e-4, seed=1); for (i in 1:$n) { X[(i * 7919) %% 100000 + 1, i %% 10000 + 1] = i }; print(sum(X))'
rows='X = matrix(0, rows=1e5, cols=1e4); v = rand(rows=1, cols=1e4, sparsity=0.005, seed=1); for (i in 1:$n) { X[(i * 7919) %% 100000 + 1, ] = v }; print(sum(X))'
rbind='X = matrix(0, rows=0, cols=200); for (i in 1:$n) { X = rbind(X, matrix(i, rows=1, cols=200)) }; print(sum(X))'

# Seconds and megabytes.
measure() {
    "$matloom" -stats -s "$1" -nvargs n="$2" | awk -F'\t+' '/^Total execution/ { split($2, t, " ") }
        /^Buffers/ { sub(/.*, /, "", $2); split($2, b, " ") } END { print t[1], b[1] }'
}

printf "%-8s %10s %10s %7s %10s %10s %7s\n" loop "s ($n)" "s ($((10 * n)))" ratio "MB ($n)" "MB ($((10 * n)))" ratio
for loop in assign column rbind cbind lanczos edit rows; do
    eval "script=\$$loop"
    few=$(measure "$script" "$n")
    many=$(measure "$script" $((10 * n)))
    echo "$loop $few $many" | awk '{ printf "%-8s %10.3f %10.3f %7.1f %10.2f %10.2f %7.1f\n", $1, $2, $4, $4 / $2, $3, $5, $5 / $3 }'
done
