#!/usr/bin/env python3
"""Runs every parity program on the reference library and on ours and compares what they print, byte for byte.

    run.py PEER_DIR OUR_LIB_DIR PROGRAM_DIR [--jobs N] [--only REGEX] [--timeout SECONDS] [--peer-twice]
           [--rounds N] [--load N]

PEER_DIR holds `run` (a loader: run LIBDIR PROGRAM ARGS...) and `peerlib` (the reference libnats). Both sides
go through that loader, so libnats is all that differs. Without PEER_DIR every program counts as skipped.

stdout is compared, stderr is only for humans. Lines that match allowed.txt are left out on both sides.
--peer-twice compares the reference with itself: a difference then is a fault of the program.

Programs whose source calls trace_timing run after the others. A busy machine makes them late, the reference
as well as ours. So one that differs beside another program is compared again by itself. When it differs then,
the reference is asked once more: as long as it differs from itself, or one of the runs tells that this
machine woke it up too late ("lateness-ms: N tick-ms: T" on stderr, N of T/4 or more), the comparison says
nothing and is made again, a few times at most.

--rounds N repeats everything, --load N keeps that many processes busy meanwhile: with --peer-twice this finds
what a program compares although it races in the reference.
"""

import argparse
import concurrent.futures
import contextlib
import difflib
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MAX_TRIES = 6


class Run:
    """What one program printed with one library."""

    def __init__(self, command, timeout):
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
            self.code, self.out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as hung:
            self.code, self.out, err = "timeout", hung.stdout or b"", hung.stderr or b""
        self.err = err.decode(errors="replace")

    def lines(self):
        lines = self.out.decode(errors="backslashreplace").splitlines()
        return lines if self.code == 0 else lines + [f"(ended with {self.code})"]

    def late(self):
        found = re.search(r"^lateness-ms: (\d+) tick-ms: (\d+)$", self.err, re.M)
        return bool(found) and int(found[1]) * 4 >= int(found[2])

    def skipped(self):
        found = re.search(r"^skip [^:]*: (.*)$", self.out.decode(errors="replace"), re.M)
        return found[1] if found and self.code == 0 else None


def read_allowed(path):
    rules = []
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.strip() and not line.startswith("#"):
            rule, _, reason = line.partition(" # ")
            program, _, regex = rule.strip().partition(" ")
            if not reason or not regex:
                sys.exit(f"{path.name}: not 'program regex # reason': {line}")
            rules.append((program, re.compile(regex.strip())))
    return rules


def leave_out(lines, rules, program):
    mine = [regex for name, regex in rules if name in (program, "*")]
    return [line for line in lines if not any(regex.fullmatch(line) for regex in mine)]


def is_timing(program):
    return any("trace_timing(" in source.read_text() for source in HERE.rglob(f"{program}.c"))


class Comparison:
    def __init__(self, args, rules):
        self.args, self.rules = args, rules
        self.ours = args.peer / "peerlib" if args.peer_twice else args.ours

    def one(self, libs, program):
        return Run([self.args.peer / "run", libs, self.args.programs / program], self.args.timeout)

    def both(self, program):
        peer, ours = self.one(self.args.peer / "peerlib", program), self.one(self.ours, program)
        left = leave_out(peer.lines(), self.rules, program)
        right = leave_out(ours.lines(), self.rules, program)
        return peer, ours, list(difflib.unified_diff(left, right, "reference", "ours", lineterm=""))

    def says_nothing(self, program, peer, ours):
        """Whether the machine may be to blame: the reference does not agree with itself either."""
        again = self.one(self.args.peer / "peerlib", program)
        return peer.late() or ours.late() or again.late() or again.lines() != peer.lines()

    def beside_others(self, program):
        """The verdict, or None for a difference that another program may have caused."""
        peer, ours, diff = self.both(program)
        return None if diff else self.judged(peer, diff, 1)

    def verdict(self, program):
        """('ok' | 'FAIL' | 'skip', explanation)."""
        peer, ours, diff = self.both(program)
        tries = 1
        while diff and is_timing(program) and tries < MAX_TRIES and self.says_nothing(program, peer, ours):
            peer, ours, diff = self.both(program)
            tries += 1
        return self.judged(peer, diff, tries)

    @staticmethod
    def judged(peer, diff, tries):
        again = f" ({tries} runs: the machine was late)" if tries > 1 else ""
        if not diff and peer.skipped():
            return "skip", peer.skipped()
        if not diff and not peer.out:
            return "FAIL", "printed nothing"
        if not diff and peer.code != 0:
            return "FAIL", f"ends with {peer.code} on both\n" + "\n".join(peer.lines()[-5:])
        if diff:
            return "FAIL", "different" + again + "\n" + "\n".join(diff)
        return "ok", again.strip()


@contextlib.contextmanager
def load(processes):
    """Keeps that many processes busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", type=lambda p: pathlib.Path(p).absolute(), metavar="PEER_DIR")
    parser.add_argument("ours", type=lambda p: pathlib.Path(p).absolute(), metavar="OUR_LIB_DIR")
    parser.add_argument("programs", type=lambda p: pathlib.Path(p).absolute(), metavar="PROGRAM_DIR")
    parser.add_argument("--jobs", type=int, default=2, help="programs without timing run that many at a time")
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="programs whose name matches")
    parser.add_argument("--timeout", type=float, default=180, help="seconds for one run of one program")
    parser.add_argument("--peer-twice", action="store_true", help="the reference against itself")
    parser.add_argument("--rounds", type=int, default=1, help="how often to do it all")
    parser.add_argument("--load", type=int, default=0, help="processes that keep the machine busy meanwhile")
    args = parser.parse_args()

    programs = sorted(p.name for p in args.programs.iterdir() if p.is_file() and args.only.search(p.name))
    if not (args.peer / "run").exists():
        print(f"no reference library in {args.peer}: nothing to compare with")
        print(f"0 passed, 0 failed, {len(programs)} skipped")
        return 0
    comparison = Comparison(args, read_allowed(HERE / "allowed.txt"))
    count = {"ok": 0, "FAIL": 0, "skip": 0}

    def tell(program, result):
        kind, why = result
        count[kind] += 1
        print(f"{kind} {program}" + (f": {why}" if why else ""), flush=True)

    harmless = [p for p in programs if not is_timing(p)]
    with load(args.load):
        for _ in range(args.rounds):
            with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
                for program, result in zip(harmless, pool.map(comparison.verdict, harmless)):
                    tell(program, result)
                timed = [p for p in programs if p not in harmless]
                for program, result in zip(timed, list(pool.map(comparison.beside_others, timed))):
                    tell(program, result or comparison.verdict(program))
    print(f"{count['ok']} passed, {count['FAIL']} failed, {count['skip']} skipped")
    return 1 if count["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
