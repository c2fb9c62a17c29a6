#!/usr/bin/env python3
"""document.py SECTION < TEXT: puts TEXT between the marks of a generated section of docs/benchmarks.md."""

import pathlib
import re
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def replace_section(section, text):
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    old = DOCUMENT.read_text()
    new, found = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n{text.strip()}\n{end}", old, flags=re.S)
    if found != 1:
        sys.exit(f"{DOCUMENT}: no section {section}")
    DOCUMENT.write_text(new)


if __name__ == "__main__":
    replace_section(sys.argv[1], sys.stdin.read())
