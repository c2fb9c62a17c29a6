#!/usr/bin/env python3
"""Checks the symbols and the name of a built libnats.so: exports.py [--complete] LIB

Fails when the library exports anything that is neither in the inventory of the reference nor in
extensions.txt, lacks something the headers declare, or has another SONAME. What is still missing is listed,
and with --complete that fails too."""

import re
import subprocess
import sys

import api

SONAME = "libnats.so.3.14"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exported(lib):
    lines = run("nm", "-D", "--defined-only", lib).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def soname(lib):
    found = re.search(r"\(SONAME\).*\[(.*)\]", run("readelf", "-d", lib))
    return found.group(1) if found else None


def main():
    arguments = sys.argv[1:]
    complete = "--complete" in arguments
    [lib] = [a for a in arguments if a != "--complete"]
    inventory = api.inventory()
    reference = {item["name"] for item in api.symbols(inventory)}
    ours = exported(lib)
    missing = sorted(reference - ours)
    if missing:
        print(f"{len(missing)} of {len(reference)} symbols are missing:", *missing, sep="\n  ")
    errors = {
        "exported, but neither of the reference nor an extension": ours - reference - api.extensions(),
        "declared in the headers, but not exported": api.declared() - ours,
        "listed as an extension, but not exported": api.extensions() - ours,
        "missing": missing if complete else (),
        f"SONAME, should be {SONAME}": {soname(lib)} - {SONAME},
    }
    failed = [
        f"{what}: {', '.join(map(str, sorted(names, key=str)))}" for what, names in errors.items() if names
    ]
    print(*failed, sep="\n", end="\n" if failed else "")
    sys.exit(1 if failed else 0)


main()
