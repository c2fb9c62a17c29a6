#!/bin/bash
# Builds the library, installs it under a temporary prefix, compiles demo.c as any user would and plays it
# against a real server. `make demo` calls this after scripts/setup.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
server=$(scripts/get-server.sh)
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$(mktemp -d)
server_pid=

# A stopped process keeps a signal pending, so the server is woken before it is ended.
finish() {
    if [ -n "$server_pid" ]; then kill -CONT "$server_pid"; kill "$server_pid"; fi 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

echo "Building and installing the library (the first time takes a minute or two) ..."
package() {
    cmake -S cmake -B "$target/demo-package" -DNATS_CARGO_TARGET_DIR="$target" -DCMAKE_INSTALL_LIBDIR=lib &&
        cmake --build "$target/demo-package" &&
        cmake --install "$target/demo-package" --prefix "$work/prefix"
}
package > "$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }
export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig"
read -ra flags <<< "$(pkg-config --cflags --libs libnats)"
cc -std=c11 -O2 -Wall -Wextra demo/demo.c -o "$work/demo" "${flags[@]}" -Wl,-rpath,"$work/prefix/lib" -pthread

"$server" -a 127.0.0.1 -p -1 --ports_file_dir "$work" > "$work/server.log" 2>&1 &
server_pid=$!
for _ in $(seq 200); do
    url=$(grep -oh 'nats://[0-9.:]*' "$work"/*.ports 2>/dev/null | head -1) && [ -n "$url" ] && break
    sleep 0.05
done
[ -n "${url:-}" ] || { echo "demo: the server did not start:"; cat "$work/server.log"; exit 1; }

"$work/demo" "$url" "$server_pid"
