"""What the C interface has to be (the inventory of the reference) and what our headers declare."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"


def inventory():
    """The inventory of the reference's interface."""
    return json.loads((HERE / "cnats-3.14.0.json").read_text())


def symbols(inventory):
    """All functions and variables that the reference exports, also those its header does not declare."""
    return inventory["functions"] + inventory["variables"] + inventory["undeclared"]


def extensions():
    """Names of functions and variables that only our library has."""
    lines = (HERE / "extensions.txt").read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def declared():
    """Names of the functions and variables our headers declare."""
    text = "".join((INCLUDE / "nats" / name).read_text() for name in ("status.h", "nats.h"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^\s*#.*(\\\n.*)*$", "", text, flags=re.M)
    return set(re.findall(r"\bNATS_EXTERN\b[^;(]*?\b(\w+)\s*[;(]", text))
