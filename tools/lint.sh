#!/bin/sh
# Check the house rules that a compiler cannot: format, layers, lengths, banned names, committed files, folder pages.
# Prints one line a finding and ends with status 1 when there is any. The awk is POSIX.

set -u

# Folders of src/, lowest first: a folder includes only itself and folders before it.
layers="base task data op kernel io lang hop plan lineage backend run api cli"
# And besides: these never include those.
apart="lang:kernel lang:io hop:kernel hop:io plan:kernel plan:io"
max_function=100 max_file=1000

findings=$(mktemp)
trap 'rm -f "$findings"' EXIT
sources=$(git ls-files --cached --others --exclude-standard '*.c' '*.h')
house=$(echo "$sources" | grep -E '^(src|include)/')

check_format() {
    echo "$sources" | xargs clang-format-14 --dry-run 2>&1 |
        sed -n 's/^\([^:]*:[0-9]*\):.*clang-format-violations.*/\1: not formatted (make format)/p' | sort -u -t: -k1,1
}

# Every include of another folder obeys the layers; backends register in api alone; cli sees the public API alone.
check_layers() {
    grep -nE '^#include "[a-z]+/' $house | awk -F: -v layers="$layers" -v apart="$apart" '
        BEGIN {
            n = split(layers, l, " "); for (i = 1; i <= n; i++) rank[l[i]] = i
            n = split(apart, a, " "); for (i = 1; i <= n; i++) forbidden[a[i]] = 1
        }
        $1 ~ /^src\// {
            split($1, path, "/"); from = path[2]
            split($3, quoted, "\""); split(quoted[2], target, "/"); to = target[1]
            if (to == "matloom" || from == to) next
            bad = ""
            if (!(from in rank)) bad = "folder " from " is not in the list of layers"
            else if (!(to in rank)) bad = "folder " to " is not in the list of layers"
            else if (to == "backend" && from != "api") bad = "only api includes backend"
            else if (from == "cli") bad = "cli uses the public API only"
            else if (rank[to] > rank[from]) bad = from " is below " to
            else if ((from ":" to) in forbidden) bad = from " never includes " to
            if (bad) print $1 ":" $2 ": includes " quoted[2] ": " bad
        }'
}

check_lengths() {
    awk -v limit=$max_function -v whole=$max_file '
        function done() { if (name && FNR_last > whole && name !~ /\.def$/) print name ":1: " FNR_last " lines, limit " whole }
        FNR == 1 { done(); name = FILENAME; start = 0 }
        { FNR_last = FNR }
        /^\{/ { start = FNR; head = previous }
        /^\}/ {
            if (start && FNR - start > limit) print FILENAME ":" start ": function of " FNR - start " lines, limit " limit
            start = 0
        }
        { previous = $0 }
        END { done() }' $sources
}

# The sources without comments and string literals, each line as FILE:LINE:text.
bare() {
    awk '
        FNR == 1 { comment = 0 }
        {
            line = $0; out = ""
            while (line != "") {
                if (comment) {
                    end = index(line, "*/")
                    if (!end) break
                    line = substr(line, end + 2); comment = 0
                } else if (match(line, /"([^"\\]|\\.)*"|\/\*|\/\/|\047([^\047\\]|\\.)*\047/)) {
                    token = substr(line, RSTART, RLENGTH)
                    out = out substr(line, 1, RSTART - 1)
                    line = substr(line, RSTART + RLENGTH)
                    if (token == "//") break
                    if (token == "/*") comment = 1; else out = out "\"\""
                } else { out = out line; break }
            }
            if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
        }' "$@"
}

# ban MESSAGE NAMES EXCEPT: calls of NAMES in the house outside the files that match EXCEPT.
ban() {
    grep -E "(^|[^A-Za-z0-9_.>])($2)[[:space:]]*\(" "$bare_house" | grep -vE "^($3)" | grep -vE ':#' |
        sed -E "s@^([^:]*:[0-9]*):.*[^A-Za-z0-9_.>]($2)[[:space:]]*\(.*@\1: \2: $1@"
}

check_banned() {
    bare_house=$(mktemp)
    bare $house >"$bare_house"
    ban "banned function" 'strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok|alloca|scanf|sscanf|fscanf' '-'
    ban "memory comes from base or the pool" 'malloc|calloc|realloc|aligned_alloc|posix_memalign|free' \
        'src/base/|src/data/pool|src/cli/'
    ban "the library never ends the process" 'abort|exit|_exit|quick_exit|longjmp|setjmp' \
        'src/cli/|src/io/isolate' # a child that it made ends itself
    ban "the library never prints" 'printf|vprintf|puts|putchar|perror' 'src/cli/'
    ban "threads are created in src/task only" 'pthread_create|thrd_create' 'src/task/'
    rm -f "$bare_house"
    grep -nE '\b(TODO|FIXME|XXX)\b' $sources | sed -E 's/^([^:]*:[0-9]*):.*/\1: unfinished/'
}

# What the build makes is not committed, and nothing names a place outside the repository.
check_files() {
    git ls-files | grep -E '(^|/)(build[^/]*/|\.venv|__pycache__/)|\.(o|a|so|pyc)$' | sed 's/$/:1: a built file is committed/'
    git grep -nIE '(^|[^A-Za-z0-9_.])/(work|home|root)/' -- . ':!tools/lint.sh' |
        sed -E 's/^([^:]*:[0-9]*):.*/\1: a path of one machine/'
    for folder in $(echo "$house" | sed -nE 's|^(src/[^/]+)/.*|\1|p' | sort -u); do
        [ -f "$folder/README.md" ] || echo "$folder:1: has no README.md"
    done
}

# The manual page knows every option of the list.
check_manual() {
    sed -nE 's/^ML_OPTION\([^"]*"[^"]*", *"-([a-z]+).*/\1/p' src/base/options.def | while read -r option; do
        grep -q "\\\\-$option" docs/matloom.1 || echo "docs/matloom.1:1: option -$option is missing"
    done
}

for check in check_format check_layers check_lengths check_banned check_files check_manual; do
    $check >>"$findings"
done
cat "$findings"
count=$(wc -l <"$findings")
echo "lint: $count findings"
[ "$count" -eq 0 ]
