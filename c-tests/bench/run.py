#!/usr/bin/env python3
"""Measures the reference library and ours side by side and prints medians and ratios.

    run.py PEER_DIR OUR_LIB_DIR [--fast] [--only REGEX] [-n ROUNDS] [--seconds S] [--json FILE] [--write]

PEER_DIR holds `run` (a loader: run LIBDIR PROGRAM ARGS...) and `peerlib` (the reference libnats); both sides
go through that loader, so libnats is all that differs. Runs alternate between the two, so that a disturbance
of the machine meets both. --write puts the table into docs/benchmarks.md. NATS_SERVER names a nats-server
program for the scenarios that need a real one; without it they are left out.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import document

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

# What ARCHITECTURE.md promises: ratio of ours to the reference's, by scenario and measure.
# "rate" is to be at least this, everything else at most.
GOALS = {
    "publish 16 B": {"rate": 3, "cpu_ns": 0.35},
    "publish 16 B, 4 threads": {"rate": 4},
    "publish 4 KiB": {"rate": 1.2},
    "publish a lone message": {"p50_us": 1.0},
    "receive 16 B": {"rate": 6, "cpu_ns": 0.15},
    "receive 128 B": {"rate": 4},
    "receive 16 B, 100 subs": {"rate": 20},
    "receive 16 B, 1000 subs": {"rate": 60},
    "receive 16 B, NextMsg": {"rate": 5},
    "publish 16 B, TLS": {"rate": 1.2},
    "receive 16 B, TLS": {"rate": 3},
    "request, bare responder": {"p50_us": 0.6},
}
# The same for figures of ours alone.
LIMITS = {
    "idle connections, 300": {"more_threads": 0, "bytes": 15000},
    "idle connections, 5000": {"more_threads": 0, "bytes": 15000},
    "retain 16 B": {"bytes": 16 + 256},
    "retain 128 B": {"bytes": 128 + 256},
}

# Scenarios that show what the machine allows without a library.
CEILING = "ceiling, "


def main():
    args = parse_arguments()
    commit = document.commit() if args.write else None
    with tempfile.TemporaryDirectory(prefix="nats-bench-") as work:
        bench = Bench(args, pathlib.Path(work))
        try:
            results = bench.measure()
        finally:
            bench.stop_server()
    table = render(results)
    print(table)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(results, indent=1))
    if args.write:
        document.replace_section("comparison", f"{describe(args, commit)}\n\n{table}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", type=pathlib.Path)
    parser.add_argument("ours", type=pathlib.Path)
    parser.add_argument("--fast", action="store_true", help="three short rounds")
    parser.add_argument("--only", default="", help="scenarios whose name this regular expression finds")
    parser.add_argument("-n", "--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="duration of one run")
    parser.add_argument("--json", help="file for all results")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    args = parser.parse_args()
    args.rounds = args.rounds or (3 if args.fast else 5)
    args.seconds = args.seconds or (0.25 if args.fast else 1.0)
    return args


class Bench:
    def __init__(self, args, work):
        self.args, self.work, self.server = args, work, None
        self.environment = dict(os.environ)
        self.libraries = {"peer": args.peer / "peerlib", "ours": self.with_soname(args.ours)}
        self.program = self.compile()
        listed = subprocess.run(self.command("peer", "--list"), capture_output=True, text=True, check=True)
        self.scenarios = [name for name in listed.stdout.splitlines() if re.search(args.only, name)]
        if any("nats-server" in name for name in self.scenarios) and not self.start_server():
            print("no nats-server (NATS_SERVER): its scenarios are left out", file=sys.stderr)
            self.scenarios = [name for name in self.scenarios if "nats-server" not in name]

    def with_soname(self, libdir):
        """cargo does not make the link that programs are loaded by."""
        if (libdir / "libnats.so.3.14").exists():
            return libdir
        linked = self.work / "ours"
        linked.mkdir()
        (linked / "libnats.so.3.14").symlink_to((libdir / "libnats.so").resolve())
        return linked

    def compile(self):
        program = self.work / "bench"
        # The library may need a newer libc than this one has: the loader has to know it, not this link.
        subprocess.run(
            ["gcc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", f"-I{PROJECT / 'include'}"]
            + sorted(map(str, HERE.glob("*.c")))
            + [
                "-o",
                program,
                self.libraries["peer"] / "libnats.so.3.14",
                "-pthread",
                "-lssl",
                "-lcrypto",
                "-Wl,--allow-shlib-undefined",
            ],
            check=True,
        )
        return program

    def start_server(self):
        path = self.environment.get("NATS_SERVER")
        if not path:
            return False
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.server = subprocess.Popen([path, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
        self.environment["NATS_URL"] = f"nats://127.0.0.1:{port}"
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            time.sleep(0.05)
        return False

    def stop_server(self):
        if self.server:
            self.server.terminate()
            self.server.wait()

    def command(self, side, *words):
        return [self.args.peer / "run", self.libraries[side], self.program, *words]

    def measure(self):
        results = {}
        for name in self.scenarios:
            rounds = 1 if self.args.fast and name == "idle connections, 5000" else self.args.rounds
            sides = {"peer": [], "ours": []}
            for i in range(rounds):
                for side in self.order(name, i):
                    found = self.run(side, name)
                    if found:
                        sides[side].append(found)
            results[name] = {side: median_of(runs) for side, runs in sides.items()}
            print(f"{name}: {progress(results[name])}", file=sys.stderr)
        return results

    @staticmethod
    def order(name, i):
        if name.startswith(CEILING):
            return ("ours",)  # no library takes part
        return ("peer", "ours") if i % 2 == 0 else ("ours", "peer")

    def run(self, side, name):
        command = self.command(side, "--seconds", str(self.args.seconds), name)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=self.environment)
        except subprocess.TimeoutExpired:
            print(f"{name} ({side}): hangs", file=sys.stderr)
            return None
        if done.returncode != 0:
            print(f"{name} ({side}): ended with {done.returncode}: {done.stderr.strip()}", file=sys.stderr)
            return None
        return json.loads(done.stdout)


def median_of(runs):
    """The median of every figure by itself."""
    if not runs:
        return None
    return {key: statistics.median(run[key] for run in runs) for key in runs[0] if key != "name"}


def measure_of(result):
    """The measure a scenario is about."""
    return next(key for key in ("p50_us", "bytes", "rate") if key in result)


def progress(sides):
    if not (sides["peer"] and sides["ours"]):
        return f"rate {sides['ours']['rate']:.6g}" if sides["ours"] else "failed"
    key = measure_of(sides["peer"])
    peer, ours = sides["peer"], sides["ours"]
    return f"{key} {peer[key]:.6g} -> {ours[key]:.6g}, cpu_ns {peer['cpu_ns']:.4g} -> {ours['cpu_ns']:.4g}"


# ---- table ----


def render(results):
    lines = [
        "| work | libnats | this library | ratio | CPU per operation | ratio | threads | memory | goal |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, sides in results.items():
        peer, ours = sides["peer"], sides["ours"]
        if ours and name.startswith(CEILING):
            lines.append(f"| *{name}* | | {figure(ours)} | | {duration(ours['cpu_ns'])} | | | | |")
            continue
        if not (peer and ours):
            failed = " and ".join(side for side, found in sides.items() if not found)
            lines.append(f"| {name} | failed: {failed} | | | | | | | |")
            continue
        key = measure_of(peer)
        lines.append(
            f"| {name} | {figure(peer)} | {figure(ours)} | {ratio(peer, ours, key)} | "
            f"{duration(peer['cpu_ns'])} / {duration(ours['cpu_ns'])} | {ratio(peer, ours, 'cpu_ns')} | "
            f"{peer['threads']:.0f} / {ours['threads']:.0f} | "
            f"{peer['rss_kb'] / 1024:.1f} / {ours['rss_kb'] / 1024:.1f} MB | {goal(name, peer, ours)} |"
        )
    return "\n".join(lines)


def figure(result):
    key = measure_of(result)
    if key == "p50_us":
        return f"{result['p50_us']:.0f} / {result['p99_us']:.0f} / {result['p999_us']:.0f} us"
    if "seconds" in result:
        return (
            f"{result['bytes'] / 1000:.1f} kB, {result['more_threads'] / result['count']:.0f} threads each, "
            f"{result['seconds']:.2f} s, idle {result['idle_cpu_us']:.0f} us/s"
        )
    if key == "bytes":
        return f"{result['bytes']:.0f} B each"
    rate = result["rate"]
    return f"{rate / 1e6:.2f} M/s" if rate >= 1e6 else f"{rate / 1e3:.1f} k/s"


def duration(ns):
    return f"{ns:.0f} ns" if ns < 10000 else f"{ns / 1000:.0f} us"


def ratio(peer, ours, key):
    return f"{ours[key] / peer[key]:.2f}x" if peer[key] > 0 else "-"


NAMES = {"rate": "rate", "cpu_ns": "CPU", "p50_us": "p50", "bytes": "bytes", "more_threads": "more threads"}


def goal(name, peer, ours):
    words = []
    for key, wanted in GOALS.get(name, {}).items():
        found = ours[key] / peer[key]
        met = found >= wanted if key == "rate" else found <= wanted
        words.append(f"{NAMES[key]} {'≥' if key == 'rate' else '≤'} {wanted}x: {'yes' if met else '**no**'}")
    for key, wanted in LIMITS.get(name, {}).items():
        words.append(f"{NAMES[key]} ≤ {wanted}: {'yes' if ours[key] <= wanted else '**no**'}")
    return ", ".join(words)


def loaded_size(library):
    """Without symbols and line tables."""
    printed = subprocess.run(["size", library], capture_output=True, text=True, check=True).stdout
    return int(printed.splitlines()[1].split()[3])


def describe(args, commit):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    size = loaded_size(args.ours / "libnats.so")
    peer_size = loaded_size(args.peer / "peerlib" / "libnats.so.3.14")
    options = ["--fast"] * args.fast + ["-n", str(args.rounds), "--seconds", f"{args.seconds:g}"]
    options += ["--only", args.only] if args.only else []
    return "\n".join(
        [
            f"- Command: `{shlex.join(['c-tests/bench/run.py', 'PEER_DIR', 'OUR_LIB_DIR', *options])}`",
            f"- Date: {datetime.date.today()}, commit {commit}, medians of {args.rounds} interleaved runs "
            f"of {args.seconds:g} s",
            f"- Machine: {os.cpu_count()} x {model[1] if model else platform.machine()}, "
            f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f}",
            f"- Code and data of the shared library: libnats {peer_size / 1e6:.2f} MB, "
            f"this library {size / 1e6:.2f} MB",
            "- A cell with two figures: libnats / this library. Three times are p50 / p99 / p99.9.",
        ]
    )


if __name__ == "__main__":
    main()
