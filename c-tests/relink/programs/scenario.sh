#!/bin/bash
# scenario.sh BIN URL [RUNNER...]: plays the programs in BIN against the server at URL and prints what they
# printed, in an order that does not depend on chance. Each program is started as RUNNER... PROGRAM.
set -uo pipefail
bin=$1 url=$2
shift 2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

run() { timeout 30 "$@"; }

# start NAME COMMAND...: runs in the background and returns when it says "ready".
start() {
    local name=$1 tries=0
    shift
    timeout 40 "$@" > "$out/$name" 2>&1 &
    until grep -qs '^ready$' "$out/$name"; do
        tries=$((tries + 1))
        if [ $tries -gt 400 ]; then echo "$name never got ready:"; cat "$out/$name"; exit 1; fi
        sleep 0.05
    done
}
status() { echo "exit $?"; }
show() { echo "-- $1"; cat "$out/$1"; }

start subscriber "$@" "$bin/subscriber" "$url" 'news.*' 5; subscriber=$!
run "$@" "$bin/publisher" "$url" news.local 5; status
wait $subscriber; status
show subscriber

start member1 "$@" "$bin/queue" "$url" work group; member1=$!
start member2 "$@" "$bin/queue" "$url" work group; member2=$!
run "$@" "$bin/publisher" "$url" work 200; status
run "$@" "$bin/publisher" "$url" work.end 1; status
wait $member1; status
wait $member2; status
cat "$out/member1" "$out/member2" |
    awk '/^took/ { n += $2 } /^Error/ { print } END { print "the group took " n }'

run "$@" "$bin/requestor" "$url" capitals 'is anybody there?'; status
start replier "$@" "$bin/replier" "$url" capitals 2; replier=$!
run "$@" "$bin/requestor" "$url" capitals 'hello'; status
run "$@" "$bin/requestor" "$url" capitals 'and again'; status
wait $replier; status
show replier

run "$@" "$bin/headers" "$url"; status
run "$@" "$bin/drain" "$url"; status
