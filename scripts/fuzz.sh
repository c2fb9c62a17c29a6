#!/bin/bash
# Builds the fuzz targets and runs them one after another, one job each:
#
#   scripts/fuzz.sh SECONDS [TARGET ...]
#
# Needs a nightly toolchain; exit status 3: cannot run here. New inputs go to target/fuzz/found/TARGET, an
# input that breaks a promise to target/fuzz/broken: mend what it shows and add it to fuzz/corpus/TARGET.
# Logs, with the number of executions, are in target/fuzz/logs. docs/fuzzing.md keeps the record.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,4s/^# \?//p' "$0" >&2; exit 2; }
seconds=$1
shift
out="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
host=$(rustc +nightly -vV 2>/dev/null | sed -n 's/^host: //p') || { echo "no nightly toolchain"; exit 3; }

# What cargo-fuzz passes, without a sanitizer: the code under test has no unsafe of its own.
coverage="-Cpasses=sancov-module"
for option in level=4 trace-compares inline-8bit-counters pc-table; do
    coverage="$coverage -Cllvm-args=-sanitizer-coverage-$option"
done
RUSTFLAGS="$coverage --cfg fuzzing -Ccodegen-units=1" CARGO_TARGET_DIR="$out" \
    cargo +nightly build --manifest-path fuzz/Cargo.toml --release --target "$host"

failed=0
mkdir -p "$out/broken" "$out/logs"
for target in ${*:-$(cd fuzz/targets && ls -1 | sed 's/\.rs$//')}; do
    mkdir -p "$out/found/$target"
    "$out/$host/release/$target" "$out/found/$target" "fuzz/corpus/$target" -max_total_time="$seconds" \
        -max_len=4096 -timeout=10 -print_final_stats=1 -artifact_prefix="$out/broken/$target-" \
        2>"$out/logs/$target" || { failed=1; echo "$target: FAILED, see $out/logs/$target"; }
    sed -n "s/^Done \(.*\)$/$target: \1/p" "$out/logs/$target"
done
exit $failed
