#!/bin/bash
# helgrind.sh BINDIR: the C test of hand-overs under helgrind, and again looking for what is left at the end.
# BINDIR holds the C tests. A correct program must look correct. Exit status 3: cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/checked.sh
[ $# -eq 1 ] || { echo "usage: helgrind.sh BINDIR" >&2; exit 2; }
need valgrind valgrind
common=(-q --error-exitcode=99 --fair-sched=yes)
helgrind=(valgrind --tool=helgrind "${common[@]}" --suppressions=share/nats/valgrind.supp
          --suppressions=c-tests/support/valgrind.supp)
memcheck=(valgrind "${common[@]}" --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all)

check "handover under helgrind" "${helgrind[@]}" "$1/handover"
check "a race is found" race_is_found 'Possible data race' "${helgrind[@]}" "$1/handover"
check "nothing is left" "${memcheck[@]}" "$1/handover"
summary
