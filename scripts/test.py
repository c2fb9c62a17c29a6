#!/usr/bin/env python3
"""Runs all suites and ends with one line "N passed, N failed, N skipped": test.py [--list] [SUITE ...]

Without names every suite runs; with names those and what they need. Logs lie in target/test-logs, one file
per suite. To add a suite, add a line to SUITES. Its program ends its output with "N passed, N failed, N
skipped" (scripts/summary.py does that for programs that do not) and exits non-zero when something failed. A
suite without that line has failed. Exit status 3 means: cannot run here, counted as skipped.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
LOGS = TARGET / "test-logs"
PREFIX = TARGET / "test-prefix"
PACKAGE = TARGET / "test-package"
C_TESTS = TARGET / "c-tests"
LIB = PREFIX / "lib"
VALGRIND = (
    "valgrind -q --error-exitcode=99 --fair-sched=yes --leak-check=full --show-leak-kinds=definite"
    " --errors-for-leak-kinds=definite"
)
# Put before a command, they end its output with the line that is demanded.
ONE, CARGO_TEST, CTEST, SUM = (f"scripts/summary.py {kind} " for kind in ("one", "cargo", "ctest", "sum"))


@dataclasses.dataclass
class Suite:
    name: str
    command: str
    needs: tuple = ()  # suites that must have passed before
    alone: bool = False  # measures time or fills the machine: nothing else runs meanwhile
    timeout: int = 900  # seconds


def all_of(*commands):
    """One command that stops at the first that fails."""
    return "bash -c " + shlex.quote(" && ".join(commands))


# Cargo's own commands and builds fill the machine by themselves, hence `alone`. ctest runs two programs at a
# time: most wait most of the time; those that must have the machine for themselves say so in
# c-tests/CMakeLists.txt.
SUITES = [
    Suite("format", "python3 scripts/lint.py rust-format c-format python-format width sleeping", alone=True),
    Suite("clippy", "python3 scripts/lint.py clippy", alone=True),
    Suite("rust", CARGO_TEST + "cargo test --workspace --no-fail-fast", alone=True, timeout=1800),
    Suite(
        "package",
        ONE
        + all_of(
            f"rm -rf {PREFIX}",
            f"cmake -S cmake -B {PACKAGE} -DNATS_CARGO_TARGET_DIR={TARGET} -DCMAKE_INSTALL_LIBDIR=lib",
            f"cmake --build {PACKAGE}",
            f"cmake --install {PACKAGE} --prefix {PREFIX}",
        ),
        alone=True,
        timeout=1800,
    ),
    Suite("static-libs", "scripts/static-libs.sh", alone=True),
    Suite("abi", f"c-tests/abi/run.sh {LIB}/libnats.so", needs=("package",)),
    Suite("compatibility", f"python3 scripts/compatibility.py --check {LIB}/libnats.so", needs=("package",)),
    Suite("relink", f"c-tests/relink/run.sh {PREFIX}", needs=("package",)),
    Suite(
        "c-build",
        ONE
        + all_of(
            f"cmake -S c-tests -B {C_TESTS} -DNATS_LIB_DIR={LIB} -DNATS_INCLUDE_DIR=$PWD/include",
            f"cmake --build {C_TESTS} -j2",
        ),
        needs=("package",),
        alone=True,
    ),
    Suite(
        "c",
        CTEST + f"ctest -V -j2 --no-tests=error --test-dir {C_TESTS} --timeout 300",
        needs=("c-build",),
        alone=True,
    ),
    Suite(
        "no-tls",
        f"export CARGO_TARGET_DIR={TARGET}/no-tls && "
        + SUM
        + all_of(
            CARGO_TEST + "cargo test --no-default-features --lib",
            "cargo build --no-default-features --lib",
            "ln -sf libnats.so $CARGO_TARGET_DIR/debug/libnats.so.3.14",
            f"LD_LIBRARY_PATH=$CARGO_TARGET_DIR/debug {C_TESTS}/bin/no_tls",
        ),
        needs=("c-build",),
        alone=True,
    ),
    Suite(
        "parity",
        f"python3 c-tests/parity/run.py ${{NATS_PEER:-none}} {LIB} {C_TESTS}/parity",
        needs=("c-build",),
        alone=True,
        timeout=1800,
    ),
    Suite(
        "valgrind",
        f"NATS_TESTS_PATIENCE=4 NATS_TESTS_TLS_CONNECTS=60 NATS_LAUNCHER='{VALGRIND}' "
        + CTEST
        # What is timed to the millisecond proves nothing at a twentieth of the speed, nor does memory that
        # valgrind counts in; selftest tests the harness.
        + f"ctest -V -j2 --no-tests=error --test-dir {C_TESTS} -E 'liveness|selftest|resources|bounds|memory'"
        + " --timeout 600",
        needs=("c-build",),
        alone=True,
        timeout=1800,
    ),
    Suite("guest-tsan", f"scripts/guest-tsan.sh {LIB}", needs=("package",), alone=True, timeout=300),
    Suite("helgrind", f"scripts/helgrind.sh {C_TESTS}/bin", needs=("c-build",), alone=True, timeout=300),
    Suite("tsan", "scripts/tsan.sh", alone=True, timeout=1800),
    Suite("demo", ONE + "demo/run.sh", needs=("package",), alone=True, timeout=300),
]


@dataclasses.dataclass
class Result:
    suite: Suite
    passed: int
    failed: int
    skipped: int
    seconds: float
    note: str = ""
    ran: bool = True


def count(text, code):
    """What the last line of a suite says as (passed, failed, skipped), and what is wrong with it."""
    last = text.rstrip().rpartition("\n")[2]
    found = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", last)
    if not found:
        return 0, 1, 0, "printed no summary"
    passed, failed, skipped = map(int, found.groups())
    if (code != 0) != (failed != 0):
        return passed, max(failed, 1), skipped, f"ended with {code}"
    return passed, failed, skipped, ""


def run(suite, environment):
    began = time.monotonic()
    log = LOGS / f"{suite.name}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["bash", "-c", suite.command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code, note = process.wait(suite.timeout), ""
        except subprocess.TimeoutExpired:
            # SIGTERM lets scripts end their servers.
            os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
            code, note = 1, f"took longer than {suite.timeout} s"
    seconds = time.monotonic() - began
    if code == 3:
        return Result(suite, 0, 0, 1, seconds, "cannot run here")
    passed, failed, skipped, wrong = count(log.read_text(errors="replace"), code)
    return Result(suite, passed, failed, skipped, seconds, note or wrong)


def show(result):
    mark = "FAILED" if result.failed else "ok"
    note = f"  ({result.note})" if result.note else ""
    numbers = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
    print(f"{mark:7}{result.suite.name:14}{numbers:40}{result.seconds:7.1f} s{note}", flush=True)
    if result.failed and result.ran:
        log = LOGS / f"{result.suite.name}.log"
        lines = log.read_text(errors="replace").splitlines()
        telling = [line for line in lines[:-40] if re.search(r"\bFAIL|panicked at|^error|\berror:", line)]
        print(*(f"    | {line}" for line in telling[:30] + ["..."] * bool(telling) + lines[-40:]), sep="\n")
        print(f"    the whole of it: {log}", flush=True)


class Driver:
    """Starts each suite when what it needs has passed: two at a time, those marked `alone` by themselves."""

    def __init__(self, suites, environment):
        self.suites, self.environment = suites, environment
        self.done = {}
        self.printing = threading.Lock()

    def step(self, suite):
        bad = [name for name in suite.needs if name in self.done and self.done[name].failed]
        if bad:
            result = Result(suite, 0, 1, 0, 0.0, f"not run: {bad[0]} failed", ran=False)
        else:
            result = run(suite, self.environment)
        with self.printing:
            show(result)
        return result

    def all(self):
        """Consecutive suites that may share the machine form a group."""
        group = []
        for suite in [*self.suites, None]:
            if suite and not suite.alone and not any(s.name in suite.needs for s in group):
                group.append(suite)
                continue
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for result in pool.map(self.step, group):
                    self.done[result.suite.name] = result
            group = []
            if suite and suite.alone:
                self.done[suite.name] = self.step(suite)
            elif suite:
                group = [suite]
        return list(self.done.values())


def prepare():
    """The environment of the suites: where the server and the released library are."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET))
    server = subprocess.run([ROOT / "scripts/get-server.sh"], stdout=subprocess.PIPE, text=True)
    if server.returncode:
        sys.exit("test: no nats-server, nothing can be tested")
    environment["NATS_SERVER"] = server.stdout.strip()
    peer = subprocess.run([ROOT / "scripts/get-peer.sh"], stdout=subprocess.PIPE, text=True)
    if peer.returncode == 0:
        environment["NATS_PEER"] = peer.stdout.strip()
    else:
        environment.pop("NATS_PEER", None)
    return environment


def choose(names):
    known = {suite.name: suite for suite in SUITES}
    wanted = set()

    def want(name):
        if name not in known:
            sys.exit(f"test: no suite {name}; there are {', '.join(known)}")
        wanted.add(name)
        for other in known[name].needs:
            want(other)

    for name in names or known:
        want(name)
    return [suite for suite in SUITES if suite.name in wanted]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="names of the suites")
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    args = parser.parse_args()
    if args.list:
        print(*(suite.name for suite in SUITES), sep="\n")
        return 0
    suites = choose(args.suites)
    LOGS.mkdir(parents=True, exist_ok=True)
    results = Driver(suites, prepare()).all()
    failing = [r.suite.name for r in results if r.failed]
    if failing:
        print(f"failing: {', '.join(failing)}")
    totals = [sum(getattr(r, key) for r in results) for key in ("passed", "failed", "skipped")]
    print("{} passed, {} failed, {} skipped".format(*totals))
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
