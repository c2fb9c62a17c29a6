#!/bin/bash
# Installs what building and testing need and the machine lacks. Running it again costs milliseconds. Uses the
# system's package manager where it may (Debian family; root or passwordless sudo); elsewhere it prints what
# to install and exits 1. clang and the formatters are optional: a failure to get them is no error.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin

missing=()
need_command() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need_header() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1 || missing+=("$2"); }

need_command cc build-essential
need_command c++ build-essential
need_command make build-essential
need_command cmake cmake
need_command pkg-config pkg-config
need_command valgrind valgrind
need_command python3 python3
need_header openssl/ssl.h libssl-dev
need_header uv.h libuv1-dev
need_header event2/event.h libevent-dev

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
can_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true >/dev/null 2>&1
}
apt_install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}

if [ "${#missing[@]}" -gt 0 ]; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    if ! can_install; then
        echo "setup: please install (Debian names): ${missing[*]}" >&2
        echo "setup: e.g. sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "setup: installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get -qq update >&2
    apt_install "${missing[@]}" || { echo "setup: could not install: ${missing[*]}" >&2; exit 1; }
fi

# Asked for once, never insisted on: clang only adds a second compiler to the header checks, clang-format
# checks style.
for optional in clang clang-format; do
    if ! command -v "$optional" >/dev/null 2>&1 && [ ! -e ".deps/no-$optional" ] && can_install; then
        apt_install "$optional" >/dev/null 2>&1 || { mkdir -p .deps && touch ".deps/no-$optional"; }
    fi
done

# The formatter of the Python scripts, in a place of its own; without it the check of their format is skipped.
ruff=$(cat scripts/ruff.version)
ruff_found=$(.deps/python/bin/ruff --version 2>/dev/null || true)
if [ "$ruff_found" != "ruff $ruff" ] && [ ! -e ".deps/no-ruff-$ruff" ]; then
    mkdir -p .deps
    # Debian keeps the module that venv needs in a package of its own.
    if ! python3 -c 'import ensurepip' 2>/dev/null && can_install; then
        apt_install python3-venv >/dev/null 2>&1 || true
    fi
    install_ruff() { python3 -m venv --clear .deps/python && .deps/python/bin/pip -q install "ruff==$ruff"; }
    install_ruff >/dev/null 2>&1 || touch ".deps/no-ruff-$ruff"
fi

# The Rust toolchain is the developer's own choice of installer, so it is checked and not installed.
rust_wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)
rust_found=$(rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p')
older=$(printf '%s\n' "$rust_wanted" "$rust_found" | sort -V | head -1)
if [ -z "$rust_found" ] || [ "$older" != "$rust_wanted" ]; then
    echo "setup: Rust $rust_wanted or newer is needed (found: ${rust_found:-none}); see https://rustup.rs" >&2
    exit 1
fi
