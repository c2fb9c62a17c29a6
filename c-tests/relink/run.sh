#!/bin/bash
# run.sh PREFIX: proves that programs written for libnats build and run with the package installed in PREFIX.
# - a CMake project and a pkg-config project, in C and C++, shared and static; - programs/: ordinary client
# programs, played against a server, output compared with programs/expected.txt; - with a released library
# unpacked in $NATS_PEER (scripts/get-peer.sh): the same programs compiled against its header
#     and linked with it must print the same with either library behind them.
# Needs a nats-server in $NATS_SERVER or on PATH. Ends with "N passed, N failed, N skipped".
set -uo pipefail
prefix=$(cd "${1:?usage: run.sh PREFIX}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
server=${NATS_SERVER:-nats-server}
lib=$(dirname "$(find "$prefix" -name libnats.so.3.14 | head -1)")
work=$(mktemp -d)
passed=0 failed=0 skipped=0
server_pid=

finish() {
    [ -z "$server_pid" ] || kill "$server_pid"
    rm -rf "$work"
}
trap finish EXIT

# check NAME COMMAND...: one test; its output is shown only when it fails.
check() {
    local name=$1
    shift
    if "$@" > "$work/log" 2>&1; then
        passed=$((passed + 1)); echo "ok      $name"
    else
        failed=$((failed + 1)); echo "FAILED  $name"; sed 's/^/        /' "$work/log"
    fi
}
needs_shared() { readelf -d "$1" | grep -q 'NEEDED.*\[libnats.so.3.14\]'; }
needs_no_libnats() { readelf -d "$1" > "$work/dynamic" && ! grep -q libnats "$work/dynamic"; }
says_hello() { [ "$(timeout 30 "$1" "$url")" = "hello, world / at your service / 3.14.0" ]; }

start_server() {
    local tries=0
    "$server" -a 127.0.0.1 -p -1 --ports_file_dir "$work" > "$work/server.log" 2>&1 &
    server_pid=$!
    until url=$(grep -oh 'nats://[0-9.:]*' "$work"/*.ports 2>/dev/null | head -1) && [ -n "$url" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ]; then echo "the server did not start:"; cat "$work/server.log"; exit 1; fi
        sleep 0.05
    done
}

foreign_projects() {
    check "CMake project configures" \
        cmake -S "$here/cmake-project" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix"
    check "CMake project builds" cmake --build "$work/cmake"
    mkdir "$work/pc"
    check "pkg-config project builds" \
        env PKG_CONFIG_PATH="$lib/pkgconfig" make -C "$here/pkgconfig-project" OUT="$work/pc"
    local kind program
    for kind in cmake pc; do
        for program in hello_c hello_cpp hello_c_static hello_cpp_static; do
            check "$kind $program runs" says_hello "$work/$kind/$program"
        done
    done
    check "shared programs need libnats.so.3.14" needs_shared "$work/cmake/hello_c"
    check "static programs need no libnats.so" needs_no_libnats "$work/cmake/hello_c_static"
}

# build_programs OUT COMPILER-ARGS...
build_programs() {
    local out=$1 source
    shift
    mkdir -p "$out"
    for source in "$here"/programs/*.c; do
        "${CC:-cc}" -std=c11 -Wall -Wextra -Werror "$source" -o "$out/$(basename "$source" .c)" "$@" ||
            return 1
    done
}
same_output() { diff -u "$1" "$2"; }

programs() {
    check "programs build with the package" \
        build_programs "$work/ours" -I"$prefix/include" "-Wl,-rpath,$lib" -L"$lib" -lnats -pthread
    "$here/programs/scenario.sh" "$work/ours" "$url" > "$work/ours.txt" 2>&1
    check "programs print what is expected" same_output "$here/programs/expected.txt" "$work/ours.txt"
}

# The program that README.md shows, as it stands there.
readme_program() {
    sed -n '/^#include <nats\/nats.h>/,/^```/p' "$here/../../README.md" | sed '/^```/d' > "$work/readme.c"
    sed -i "s#NATS_DEFAULT_URL#\"$url\"#" "$work/readme.c" # the server is not where everybody's is
    "${CC:-cc}" -Wall -Wextra -Werror "$work/readme.c" -o "$work/readme" \
        -I"$prefix/include" "-Wl,-rpath,$lib" -L"$lib" -lnats &&
        [ "$(timeout 30 "$work/readme")" = "greet: hello" ]
}

drop_in() {
    if [ -z "${NATS_PEER:-}" ]; then
        skipped=$((skipped + 1)); echo "skipped drop-in: no released library in NATS_PEER"
        return
    fi
    check "programs build with the released library" \
        build_programs "$work/theirs" -I"$NATS_PEER/usr/include" "$NATS_PEER/peerlib/libnats.so" \
        -Wl,--allow-shlib-undefined -pthread
    "$here/programs/scenario.sh" "$work/theirs" "$url" "$NATS_PEER/run" "$NATS_PEER/peerlib" \
        > "$work/peer.txt" 2>&1
    check "the released library prints what is expected" \
        same_output "$here/programs/expected.txt" "$work/peer.txt"
    "$here/programs/scenario.sh" "$work/theirs" "$url" "$NATS_PEER/run" "$lib" > "$work/dropin.txt" 2>&1
    check "the same binaries print the same with ours behind them" \
        same_output "$work/peer.txt" "$work/dropin.txt"
}

start_server
foreign_projects
programs
check "README's program runs" readme_program
drop_in
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
