#!/usr/bin/env python3
"""Checks the style of all sources: lint.py [--fix] [CHECK ...]; without names every check runs.

--fix formats the Rust, C and Python sources and wraps comments instead of complaining about them. A formatter
of another version than the one that is pinned here formats differently: then, or where it is missing, its
check is skipped and says so. scripts/setup.sh installs the right ones. Ends with "N passed, N failed, N
skipped".
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 110
CLANG_FORMAT = "14"  # major version, of Debian 12
RUFF = (ROOT / "scripts/ruff.version").read_text().strip()

# C of the project's own; include/nats is generated but for the adapters.
C_SOURCES = ["c-tests/**/*.[ch]", "demo/*.c", "include/nats/adapters/*.h"]
PYTHON_SOURCES = ["scripts/*.py", "c-tests/**/*.py"]
RUST_SOURCES = [
    "src/**/*.rs",
    "tests/**/*.rs",
    "tools/**/*.rs",
    "benches/**/*.rs",
    "fuzz/**/*.rs",
    "build.rs",
]
SHELL_SOURCES = ["scripts/*.sh", "c-tests/**/*.sh", "demo/*.sh"]
TEST_BODIES = ["c-tests/core/*.c", "c-tests/liveness/*.c", "c-tests/process/*.c", "c-tests/selftest/*.c"]
TEST_BODIES += ["c-tests/parity/**/*.c"]


class Skipped(Exception):
    pass


def files(patterns):
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(
        str(path.relative_to(ROOT)) for path in found if "target" not in path.relative_to(ROOT).parts
    )


def run(*command):
    return subprocess.run(command, cwd=ROOT).returncode == 0


def version_of(program):
    if not program or not shutil.which(program):
        return None
    printed = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\d+(\.\d+)*", printed)
    return found and found[0]


def rust_format(fix):
    return run(os.environ.get("CARGO", "cargo"), "fmt", "--all", *([] if fix else ["--check"]))


def clippy(fix):
    return run(
        os.environ.get("CARGO", "cargo"), "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"
    )


def c_format(fix):
    for program in (f"clang-format-{CLANG_FORMAT}", "clang-format"):
        found = version_of(program)
        if found and found.split(".")[0] == CLANG_FORMAT:
            return run(program, *(["-i"] if fix else ["--dry-run", "-Werror"]), *files(C_SOURCES))
    raise Skipped(f"no clang-format {CLANG_FORMAT}")


def python_format(fix):
    for program in (str(ROOT / ".deps/python/bin/ruff"), "ruff"):
        if version_of(program) == RUFF:
            arguments = [] if fix else ["--check", "--diff"]
            return run(program, "format", f"--line-length={WIDTH}", *arguments, *files(PYTHON_SOURCES))
    raise Skipped(f"no ruff {RUFF}")


# A line that is nothing but a comment: indentation, mark, text.
COMMENT = re.compile(r"( *)(//[/!]?|#) ?(.*)")
# What starts a paragraph: an item of a list, a row of a table, a heading, a fence, an indented line.
STARTS = re.compile(r"[-*] |\d+\. |\||#|```|<|\[|!|    ")


def wrapped(paragraph):
    """The lines of a comment's paragraph, in lines that are not too wide."""
    indent, mark, first = COMMENT.fullmatch(paragraph[0]).groups()
    text = " ".join([first, *(COMMENT.fullmatch(line)[3].strip() for line in paragraph[1:])])
    item = re.match(r"[-*] |\d+\. ", first)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{indent}{mark} ",
        subsequent_indent=f"{indent}{mark} " + " " * (len(item[0]) if item else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap_comments(lines):
    out, paragraph, fenced = [], [], False

    def end():
        wide = any(len(line) > WIDTH for line in paragraph)
        out.extend(wrapped(paragraph) if wide else paragraph)
        paragraph.clear()

    for line in lines:
        found = COMMENT.fullmatch(line)
        text = found[3] if found else ""
        fence = text.startswith("```")
        same = paragraph and found and COMMENT.fullmatch(paragraph[-1]).groups()[:2] == found.groups()[:2]
        if not same or not text or fenced or fence or STARTS.match(text):
            end()
        fenced ^= fence
        if found and text and not fenced and not fence and not re.match(r"[|#]|```|    |!", text):
            paragraph.append(line)
        else:
            out.append(line)
    end()
    return out


def complain(patterns, wrong):
    """Prints the lines `wrong` has something to say of; true when there are none."""
    clean = True
    for name in files(patterns):
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            if said := wrong(line):
                print(f"{name}:{number}: {said}")
                clean = False
    return clean


def width(fix):
    def too_wide(line):
        return f"{len(line)} characters, {WIDTH} are allowed" if len(line) > WIDTH else None

    sources = RUST_SOURCES + C_SOURCES + PYTHON_SOURCES + SHELL_SOURCES
    for path in (ROOT / name for name in files(sources) if fix):
        lines = path.read_text().split("\n")
        if any(map(too_wide, lines)):
            path.write_text("\n".join(wrap_comments(lines)))
    return complain(sources, too_wide)


def sleeping(fix):
    """Tests wait for conditions; what may sleep says why by its name (c-tests/support/test.h)."""

    def sleeps(line):
        found = re.search(r"\b(sleep|usleep|nanosleep|sleep_ms)\(", line)
        return f"{found[1]} in a test: wait for a condition, or quiet_ms, pace_ms" if found else None

    return complain(TEST_BODIES, sleeps)


CHECKS = {
    "rust-format": rust_format,
    "c-format": c_format,
    "python-format": python_format,
    "width": width,
    "sleeping": sleeping,
    "clippy": clippy,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fix", action="store_true", help="format and wrap instead of complaining")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    args = parser.parse_args()
    if unknown := [name for name in args.checks if name not in CHECKS]:
        sys.exit(f"lint: no check {unknown[0]}; there are {', '.join(CHECKS)}")
    counts = {"ok": 0, "FAIL": 0, "skipped": 0}
    for name in args.checks or CHECKS:
        try:
            result, why = "ok" if CHECKS[name](args.fix) else "FAIL", ""
        except Skipped as skipped:
            result, why = "skipped", f": {skipped}"
        counts[result] += 1
        print(f"{result} {name}{why}", flush=True)
    print("{ok} passed, {FAIL} failed, {skipped} skipped".format(**counts))
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
