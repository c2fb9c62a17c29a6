#!/bin/bash
# guest-tsan.sh LIBDIR [TEST ...]: C tests with ThreadSanitizer, on the library as it is installed: not instrumented.
# A correct program must look correct, without suppressions. Exit status 3: cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."
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
cxx=g++
[ "$compiler" = gcc ] || cxx=clang++

CC=$compiler CXX=$cxx cmake -S c-tests -B "$build" -DNATS_LIB_DIR="$libdir" -DNATS_INCLUDE_DIR="$PWD/include" \
    -DCMAKE_C_FLAGS=-fsanitize=thread -DCMAKE_CXX_FLAGS=-fsanitize=thread >/dev/null
export TSAN_OPTIONS="exitcode=66 report_thread_leaks=0 ${TSAN_OPTIONS:-}"
export NATS_STRESS_SANITIZED=1
failed=0
for test in ${*:-handover request}; do
    cmake --build "$build" --target "test_$test" >/dev/null
    "$build/bin/$test" || failed=1
done

# A race of the program's own is still found.
found=
for _ in 1 2 3 4 5 6 7 8; do # a lock of the library may order the two by chance
    report=$(NATS_HANDOVER_RACE=1 "$build/bin/handover" closure_and_reply 2>&1 || true)
    if grep -q 'WARNING: ThreadSanitizer: data race' <<<"$report"; then
        found=yes
        break
    fi
done
if [ -n "$found" ]; then
    echo "ok a race is found"
else
    echo "FAIL a race is not found"
    echo "$report"
    failed=1
fi
exit $failed
