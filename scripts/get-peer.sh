#!/bin/bash
# get-peer.sh [DIR]: puts the released C client (libnats 3.14) beside the system, for comparisons. It is
# unpacked, not installed, together with the C runtime it was built for. Afterwards DIR (default: .deps/peer)
# has usr/include/nats/nats.h      its public header peerlib/libnats.so.3.14      its library, alone in a
# directory run LIBDIR PROGRAM [ARGS]    starts PROGRAM under that C runtime with libnats taken from LIBDIR
# Both sides of a comparison go through `run`, so that only libnats differs. Exit 3: cannot be had here.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$project/.deps/peer}
packages=(libnats3.14 libnats-dev libc6 libssl3t64 libprotobuf-c1 libsodium26 libzstd1 zlib1g libgcc-s1)

unavailable() { echo "get-peer: $1" >&2; exit 3; }

if [ -n "${NATS_PEER:-}" ] && [ -x "$NATS_PEER/run" ]; then echo "$NATS_PEER"; exit 0; fi
if [ -x "$dir/run" ] && [ -e "$dir/peerlib/libnats.so.3.14" ]; then (cd "$dir" && pwd); exit 0; fi
if [ -e "$dir.unavailable" ]; then
    unavailable "$(cat "$dir.unavailable") (remembered; delete $dir.unavailable to try again)"
fi

[ "$(uname -m)" = x86_64 ] || unavailable "only known for x86_64"
command -v apt-get >/dev/null 2>&1 || unavailable "needs apt-get of a Debian system"
mirror=$(apt-get indextargets --no-release-info --format '$(SITE)' 2>/dev/null | grep -v security | head -1)
[ -n "$mirror" ] || unavailable "no Debian mirror is configured"

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/deb"
touch "$work/apt/status"
echo "deb $mirror sid main" > "$work/apt/sources.list"
apt=(apt-get -qq
    -o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State=$work/apt/state" -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt/cache"
    -o APT::Sandbox::User=root)

"${apt[@]}" update >"$work/log" 2>&1 || unavailable "the package list of the unstable suite cannot be fetched"
if ! (cd "$work/deb" && "${apt[@]}" download "${packages[@]}") >>"$work/log" 2>&1; then
    echo "the unstable suite has no libnats 3.14 packages" > "$dir.unavailable"
    unavailable "$(cat "$dir.unavailable")"
fi
version=$(dpkg-deb -f "$work"/deb/libnats-dev_*.deb Version)
case $version in
    3.14.*) ;;
    *)  echo "the unstable suite has libnats $version, not 3.14" > "$dir.unavailable"
        unavailable "$(cat "$dir.unavailable")" ;;
esac

root=$work/root
mkdir -p "$root/peerlib"
for package in "$work"/deb/*.deb; do dpkg -x "$package" "$root"; done
lib=usr/lib/x86_64-linux-gnu
cp -a "$root/$lib"/libnats.so.3.14* "$root/peerlib/"
ln -sf libnats.so.3.14 "$root/peerlib/libnats.so"
rm -f "$root/$lib"/libnats.so*
cat > "$root/run" <<'RUN'
#!/bin/bash
# run LIBDIR PROGRAM [ARGS]
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/usr/lib/x86_64-linux-gnu
libdir=$1
shift
exec "$here/ld-linux-x86-64.so.2" --library-path "$libdir:$here" "$@"
RUN
chmod +x "$root/run"
rm -rf "$dir"
mv "$root" "$dir"
(cd "$dir" && pwd)
