#!/usr/bin/env python3
"""document.py SECTION < TEXT: puts TEXT between the marks of a generated section of docs/benchmarks.md, below
the commit that was measured. Refuses when there is none: what was changed after the last commit is nobody's
to look up.

document.py --check: only says whether it would refuse."""

import pathlib
import re
import subprocess
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def commit():
    """The commit whose sources these are; ends the program when they were changed since. The document may."""
    root = DOCUMENT.parents[1]
    status = [
        "git",
        "-C",
        root,
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ":!docs/benchmarks.md",
    ]
    changed = subprocess.run(status, capture_output=True, text=True)
    if changed.returncode or changed.stdout:
        found = changed.stdout or changed.stderr
        sys.exit(f"benchmarks are written for a commit only, and there are changes:\n{found}")
    head = ["git", "-C", root, "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()


def replace_section(section, text):
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    old = DOCUMENT.read_text()
    new, found = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n{text.strip()}\n{end}", old, flags=re.S)
    if found != 1:
        sys.exit(f"{DOCUMENT}: no section {section}")
    DOCUMENT.write_text(new)


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        commit()
    else:
        replace_section(sys.argv[1], f"- Commit {commit()}\n\n{sys.stdin.read()}")
