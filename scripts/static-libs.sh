#!/bin/bash
# Fails when the system libraries that a program linking libnats_static.a needs (asked from rustc) are not
# those that cmake/CMakeLists.txt hands to its users.
set -euo pipefail
cd "$(dirname "$0")/.."

# cargo repeats the note of an earlier run when nothing changed, so this costs one debug build of the crate at
# most.
output=$(cargo rustc --lib --crate-type staticlib --color never -- --print native-static-libs 2>&1) ||
    { echo "$output"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
printed=$(sed -n 's/^note: native-static-libs: //p' <<< "$output")
declared=$(sed -n 's/^set(NATS_STATIC_SYSTEM_LIBS \(.*\))$/\1/p' cmake/CMakeLists.txt)
[ -n "$printed" ] ||
    { echo "rustc printed no native-static-libs"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

# OpenSSL comes in by find_package and Requires.private, not by this list.
tidy() { tr ' ' '\n' | sed 's/^-l//' | grep -vxE '|ssl|crypto' | sort -u; }
if diff <(echo "$printed" | tidy) <(echo "$declared" | tidy); then
    echo "1 passed, 0 failed, 0 skipped"
else
    echo "static libraries: < by rustc, > in cmake/CMakeLists.txt"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
