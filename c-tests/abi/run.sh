#!/bin/sh
# All checks of the binary interface: run.sh [--complete] LIB, where LIB is the built libnats.so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../include
export PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
skipped=0
trap 'rm -rf "$work"' EXIT

installed() {
    command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; skipped=$((skipped + 1)); return 1; }
}

# compiles COMPILER STANDARD LANGUAGE HEADER
compiles() {
    printf '#include <%s>\nextern int nothing;\n' "$4" >"$work/header"
    "$1" -std="$2" -x "$3" -Wall -Wextra -pedantic -Werror -I "$include" -fsyntax-only "$work/header" \
        >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: <$4> with $1 -std=$2"; exit 1; }
}

# Those of the adapters only where their libraries are.
adapters=
! [ -e /usr/include/uv.h ] || adapters=nats/adapters/libuv.h
! [ -e /usr/include/event.h ] || adapters="$adapters nats/adapters/libevent.h"

for header in nats/nats.h nats/status.h nats/version.h nats.h $adapters; do
    for compiler in gcc clang; do
        installed $compiler || continue
        for standard in c99 c11; do compiles $compiler $standard c $header; done
    done
    for compiler in g++ clang++; do
        installed $compiler || continue
        for standard in c++11 c++20; do compiles $compiler $standard c++ $header; done
    done
done
echo "ok: the headers compile without warnings"

python3 "$here/generate.py" >"$work/abi.c"
for compiler in gcc clang; do
    installed $compiler || continue
    for choice in "" -DNATS_CONN_STATUS_NO_PREFIX; do
        $compiler -std=gnu11 -Wall -Wextra -Werror $choice -I "$include" "$work/abi.c" -o "$work/abi"
        "$work/abi"
    done
done
echo "ok: types, values and prototypes are those of the reference"

python3 "$here/exports.py" "$@"
echo "ok: exported symbols and SONAME"
echo "3 passed, 0 failed, $skipped skipped"
