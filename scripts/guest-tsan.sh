#!/bin/bash
# guest-tsan.sh LIBDIR [TEST ...]: C tests with ThreadSanitizer, on the library as it is installed: not
# instrumented. A correct program must look correct, without suppressions. Exit status 3: cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/checked.sh
[ $# -ge 1 ] || { echo "usage: guest-tsan.sh LIBDIR [TEST ...]" >&2; exit 2; }
libdir=$(cd "$1" && pwd)
shift
build=${CARGO_TARGET_DIR:-$PWD/target}/guest-tsan

compiler=
for cc in gcc clang; do
    if echo 'int main(void) { return 0; }' | "$cc" -fsanitize=thread -x c - -o /dev/null 2>/dev/null; then
        compiler=$cc
        break
    fi
done
[ -n "$compiler" ] || { echo "no compiler with ThreadSanitizer"; exit 3; }

build_with_tsan "$compiler" "$libdir" "$build"
check_tests "$build" ${*:-handover request}
check "a race is found" race_is_found 'WARNING: ThreadSanitizer: data race' "$build/bin/handover"
summary
