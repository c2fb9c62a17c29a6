#!/bin/bash
# helgrind.sh BINDIR: the C test of hand-overs under helgrind, and again looking for what is left at the end. BINDIR holds the
# C tests. A correct program must look correct. Exit status 3: cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 1 ] || { echo "usage: helgrind.sh BINDIR" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "no valgrind"; exit 3; }
common="-q --error-exitcode=99 --fair-sched=yes"
helgrind="valgrind --tool=helgrind $common --suppressions=share/nats/valgrind.supp --suppressions=c-tests/support/valgrind.supp"
memcheck="valgrind $common --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all"

failed=0
$helgrind "$1/handover" || failed=1
found=
for _ in 1 2 3 4 5 6 7 8; do # a lock of the library may order the two by chance
    report=$(NATS_HANDOVER_RACE=1 $helgrind "$1/handover" closure_and_reply 2>&1 || true)
    if grep -q 'Possible data race' <<<"$report"; then
        found=yes
        break
    fi
done
if [ -n "$found" ]; then
    echo "ok a race is found"
else
    echo "FAIL a race is not found"
    echo "$report"
    failed=1
fi
$memcheck "$1/handover" || failed=1
exit $failed
