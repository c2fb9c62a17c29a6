#!/bin/bash
# tsan.sh [TEST ...]: builds the library and the C tests with ThreadSanitizer and runs the stress test and
# others under it.
#
# Needs a nightly toolchain and clang. With nightly's rust-src the standard library is instrumented too;
# without it the few reports about the standard library's own reference counting are suppressed
# (scripts/tsan.suppressions). Exit status 3: cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/checked.sh
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/tsan"

cargo +nightly --version >/dev/null 2>&1 || { echo "no nightly toolchain"; exit 3; }
need clang clang

std=
flags=
if [ -d "$(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library" ]; then
    std=-Zbuild-std
else
    flags=-Cunsafe-allow-abi-mismatch=sanitizer
fi
export RUSTFLAGS="-Zsanitizer=thread $flags -Cforce-frame-pointers=yes"
cargo +nightly build --lib $std --target $target
libs="$CARGO_TARGET_DIR/$target/debug"
ln -sf libnats.so "$libs/libnats.so.3.14"

# clang's own runtime may be older than the one nightly's code expects.
runtime=$(echo "$(rustc +nightly --print sysroot)/lib/rustlib/$target/lib/"librustc*rt.tsan.a)

export TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.suppressions ${TSAN_OPTIONS:-}"
link="-fno-sanitize-link-runtime -Wl,--whole-archive $runtime -Wl,--no-whole-archive -ldl -lm -lrt"
build_with_tsan clang "$libs" "$CARGO_TARGET_DIR/c-tests" "-DCMAKE_EXE_LINKER_FLAGS=$link"
check_tests "$CARGO_TARGET_DIR/c-tests" ${*:-stress delivery subscription request drain publish subscribe}
summary
