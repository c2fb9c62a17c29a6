#!/bin/bash
# instructions.sh LIBDIR [--write]: instructions per message of the hot paths, counted by callgrind; about two
# minutes. LIBDIR holds a release libnats.so. --write puts the table into docs/benchmarks.md. Exit 3: no
# valgrind here.
#
# Two runs of different length are subtracted, so that start and end do not count. The benchmark program is
# part of what is counted: 10 to 30 instructions for each message. Figures repeat within a few per cent. (The
# released client is not counted: a thread of it spins while it waits, which makes its figures arbitrary.)
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
command -v valgrind >/dev/null || { echo "instructions: needs valgrind" >&2; exit 3; }
[ $# -ge 1 ] || { echo "usage: instructions.sh LIBDIR [--write]" >&2; exit 2; }
libdir=$(cd "$1" && pwd)
if [ "${2:-}" = --write ]; then "$project/c-tests/bench/document.py" --check; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$libdir/libnats.so" "$work/libnats.so.3.14"
gcc -std=gnu11 -O2 -I"$project/include" "$project"/c-tests/bench/*.c -o "$work/bench" \
    "$work/libnats.so.3.14" -lssl -lcrypto -pthread

# counted COUNT SCENARIO: "INSTRUCTIONS MESSAGES" of one run
counted() {
    LD_LIBRARY_PATH="$work" valgrind --tool=callgrind --fair-sched=yes --callgrind-out-file=/dev/null \
        "$work/bench" --count "$1" "$2" >"$work/json" 2>"$work/log" || { head -40 "$work/log" >&2; return 1; }
    local messages collected
    messages=$(sed 's/.*"count": \([0-9]*\).*/\1/' "$work/json")
    collected=$(sed -n 's/^==[0-9]*== Collected : \([0-9]*\).*/\1/p' "$work/log" | tail -1)
    echo "$collected $messages"
}

# row SCENARIO COUNT
row() {
    local low high
    low=$(counted "$2" "$1")
    high=$(counted $(($2 * 4)) "$1")
    awk -v name="$1" -v low="$low" -v high="$high" \
        'BEGIN { split(low, a); split(high, b)
                 printf "| %s | %.0f |\n", name, (b[1] - a[1]) / (b[2] - a[2]) }'
}

{
    echo "| work | instructions per message |"
    echo "|---|---|"
    row "publish 16 B" 100000
    row "publish 128 B with headers" 100000
    row "receive 16 B" 100000
    row "receive 128 B with headers" 50000
    row "receive 16 B, 1000 subs" 100000
    row "receive 16 B, NextMsg" 100000
    # A caller alone looks for its reply, which makes its figure arbitrary.
    row "request, bare responder, 16 threads" 3200
} | tee "$work/table"
if [ "${2:-}" = --write ]; then "$project/c-tests/bench/document.py" instructions < "$work/table"; fi
