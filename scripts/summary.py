#!/usr/bin/env python3
"""summary.py KIND COMMAND...: runs the command, passes its output on and ends it with "N passed, N failed, N
skipped".

KIND says where the numbers are: `cargo` (cargo test), `ctest` (ctest -V over programs that print such a line
each), `sum` (lines like that one, added up), `one` (the command is one test). The exit status is the
command's, or 1 when a test failed or a program did not print its line. Exit status 3 of the command means:
cannot run here.
"""

import re
import subprocess
import sys

LINE = r"(\d+) passed, (\d+) failed, (\d+) skipped$"


def added(numbers):
    return [sum(column) for column in zip(*numbers)] if numbers else [0, 0, 0]


def cargo(lines, code):
    found = [
        re.match(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", line) for line in lines
    ]
    return added([[int(n) for n in match.groups()] for match in found if match])


def ctest(lines, code):
    """A program that died before it could count is one failure."""
    found = [re.match(rf"\d+: {LINE}", line) for line in lines]
    passed, failed, skipped = added([[int(n) for n in match.groups()] for match in found if match])
    ends = [re.match(r"\d+% tests passed, (\d+) tests failed out of (\d+)", line) for line in lines]
    bad, programs = next((map(int, end.groups()) for end in ends if end), (1, 0))
    silent = programs - sum(match is not None for match in found)
    return passed, max(failed, bad, silent), skipped


def sum_of(lines, code):
    found = [re.match(LINE, line) for line in lines]
    return added([[int(n) for n in match.groups()] for match in found if match])


def one(lines, code):
    return code in (0, 3), code not in (0, 3), code == 3


KINDS = {"cargo": cargo, "ctest": ctest, "sum": sum_of, "one": one}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    lines = []
    with subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    code = process.returncode
    passed, failed, skipped = map(int, KINDS[sys.argv[1]](lines, code))
    if code not in (0, 3) and not failed or not (passed or failed or skipped):
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return code if code else int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
