#!/bin/sh
# Builds the library and the C tests with ThreadSanitizer and runs the stress test and others under it:
#
#   scripts/tsan.sh [TEST ...]
#
# Needs a nightly toolchain and clang. With nightly's rust-src the standard library is instrumented too; without it the
# few reports about the standard library's own reference counting are suppressed (scripts/tsan.suppressions).
# Exit status 3: cannot run here.
set -eu
cd "$(dirname "$0")/.."
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/tsan"
build="$CARGO_TARGET_DIR/c-tests"

cargo +nightly --version >/dev/null 2>&1 || { echo "no nightly toolchain"; exit 3; }
command -v clang >/dev/null || { echo "no clang"; exit 3; }

std=
flags=
if [ -d "$(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library" ]; then
    std=-Zbuild-std
else
    flags=-Cunsafe-allow-abi-mismatch=sanitizer
fi
RUSTFLAGS="-Zsanitizer=thread $flags -Cforce-frame-pointers=yes" cargo +nightly build --lib $std --target $target
libs="$CARGO_TARGET_DIR/$target/debug"
ln -sf libnats.so "$libs/libnats.so.3.14"

# clang's own runtime may be older than the one nightly's code expects.
runtime=$(echo "$(rustc +nightly --print sysroot)/lib/rustlib/$target/lib/"librustc*rt.tsan.a)

CC=clang CXX=clang++ cmake -S c-tests -B "$build" -DNATS_LIB_DIR="$libs" -DNATS_INCLUDE_DIR="$PWD/include" \
    -DCMAKE_C_FLAGS=-fsanitize=thread -DCMAKE_CXX_FLAGS=-fsanitize=thread \
    -DCMAKE_EXE_LINKER_FLAGS="-fno-sanitize-link-runtime -Wl,--whole-archive $runtime -Wl,--no-whole-archive -ldl -lm -lrt" \
    >/dev/null

# Threads that have ended are joined later, or by the process's end.
export TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.suppressions report_thread_leaks=0 exitcode=66 ${TSAN_OPTIONS:-}"
export NATS_STRESS_SANITIZED=1
failed=0
for test in ${*:-stress delivery subscription request drain publish subscribe}; do
    cmake --build "$build" --target "test_$test" >/dev/null
    # Every test is a process of its own: its reports make it fail.
    "$build/bin/$test" || failed=1
done
exit $failed
