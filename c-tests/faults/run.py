#!/usr/bin/env python3
"""The fault matrix: what becomes of a connection when its peer or its network fails.

    run.py --client PROG --ours DIR [--peer DIR] [--server BIN] [--json FILE] [NAME...]

Each scenario runs with our library and, given --peer (as scripts/get-peer.sh makes it), with the released
one: two connections, of which one meets the fault. Printed per run:

    detected   milliseconds from the fault to the disconnected callback
    callback   milliseconds from the moment the status shows the loss to the callback
    status     the longest a call of natsConnection_Status() took
    healthy    the longest round trip of the second connection, which is not concerned
    published, flushed (confirmed by a Flush), received, and lost: flushed but not received

Exit status 1 when ours found a fault too late or not at all, or lost what was flushed. Scenarios the machine
does not permit are skipped with a line."""

import argparse
import dataclasses
import json
import queue
import random
import signal
import subprocess
import sys
import threading
import time
import typing

import peers
import wire

INTERVAL, MAX_OUT = 200, 2
BOUND = (MAX_OUT + 1) * INTERVAL
# A tick, and what a busy machine may take.
SLACK = INTERVAL + 150
REASONS = (
    "",
    "max pings",
    "pong timeout",
    "server stale",
    "server error",
    "server closed",
    "io error",
    "tcp timeout",
    "write deadline",
    "protocol error",
    "auth",
    "forced",
    "closed by user",
)


@dataclasses.dataclass
class Scenario:
    name: str
    family: str  # mock, server, relay, cluster, wire
    fault: typing.Callable
    load: str = "idle"
    heal: typing.Callable = lambda peer: None
    found: bool = True  # whether the fault is to end the connection
    bound: int = BOUND
    interval: int = INTERVAL
    size: int = 4096
    rate: int = 2000
    wait: int = 100
    watch: float = 3.0  # seconds the fault lasts at most
    config: str = ""


def mock(mode):
    return lambda peer: peer.fault(mode)


def losing(client, server):
    def fault(peer):
        peer.loss.update(c=client, s=server)

    return fault


def delaying(delay_ms, jitter_ms):
    def fault(peer):
        peer.delay_ms, peer.jitter_ms = delay_ms, jitter_ms

    return fault


def healed(peer):
    peer.loss.update(c=0.0, s=0.0)
    peer.delay_ms = peer.jitter_ms = 0


def lame_duck(peer):
    peer.servers[0].signal(signal.SIGUSR2)


SCENARIOS = [
    Scenario("mute", "mock", mock("mute")),
    Scenario("mute-publishing", "mock", mock("mute"), "publish"),
    Scenario("frozen", "mock", mock("frozen")),
    Scenario("frozen-publishing", "mock", mock("frozen"), "publish", watch=5),
    Scenario("chatty", "mock", mock("chatty"), "subscribe"),
    Scenario("drip", "mock", mock("drip"), "subscribe"),
    Scenario("half-close", "mock", mock("fin"), "publish", bound=0),
    Scenario("reset", "mock", mock("rst"), "publish", bound=0),
    Scenario("stale-error", "mock", mock("stale"), "publish", bound=0),
    Scenario(
        "sigstop", "server", lambda s: s.signal(signal.SIGSTOP), heal=lambda s: s.signal(signal.SIGCONT)
    ),
    Scenario(
        "sigstop-publishing",
        "server",
        lambda s: s.signal(signal.SIGSTOP),
        "publish",
        heal=lambda s: s.signal(signal.SIGCONT),
        watch=5,
    ),
    Scenario("kill", "server", lambda s: s.restart(clean=False), "publish", bound=0, wait=1000),
    Scenario("restart", "server", lambda s: s.restart(clean=True), "publish", bound=0, wait=1000),
    Scenario(
        "withheld-pongs",
        "relay",
        lambda r: setattr(r, "drop_pongs", True),
        bound=1000,
        interval=120000,
        config='ping_interval: "200ms"\nping_max: 2\n',
    ),
    Scenario("node-loss", "cluster", lambda c: c.servers[0].kill(), "publish", bound=0),
    Scenario(
        "lame-duck",
        "cluster",
        lame_duck,
        "publish",
        bound=4000,
        watch=8,
        config='lame_duck_grace_period: "1s"\nlame_duck_duration: "30s"\n',
    ),
    Scenario("drop-both", "wire", losing(1, 1), heal=healed),
    Scenario(
        "drop-both-publishing", "wire", losing(1, 1), "publish", heal=healed, size=256, rate=500, watch=5
    ),
    Scenario(
        "drop-sent-publishing", "wire", losing(1, 0), "publish", heal=healed, size=256, rate=500, watch=5
    ),
    Scenario(
        "drop-received-publishing", "wire", losing(0, 1), "publish", heal=healed, size=256, rate=500, watch=5
    ),
    *(
        Scenario(
            f"loss-{percent}%",
            "wire",
            losing(percent / 100, percent / 100),
            "publish",
            heal=healed,
            found=False,
            interval=1000,
            size=256,
            rate=500,
            watch=4,
        )
        for percent in (1, 5, 30)
    ),
    Scenario(
        "delay-reorder",
        "wire",
        delaying(40, 30),
        "publish",
        heal=healed,
        found=False,
        interval=1000,
        size=256,
        rate=500,
        watch=4,
    ),
]


# ---- the peers of one run; each has url, fault target, numbers received, prefix of the client's command ----


class Setup:
    def __init__(self, scenario, binary):
        self.parts, self.prefix, self.healthy = [], [], None
        getattr(self, scenario.family)(scenario, binary)
        self.healthy = self.healthy or self.add(peers.Server(binary) if binary else peers.Mock())

    def add(self, part):
        self.parts.append(part)
        return part

    def mock(self, scenario, _):
        self.target = self.counter = self.add(peers.Mock(16384))
        self.url = self.target.url

    def server(self, scenario, binary):
        self.target = self.add(peers.Server(binary, scenario.config))
        self.counter = self.add(peers.Subscriber("127.0.0.1", self.target.port))
        self.url = self.target.url

    def relay(self, scenario, binary):
        behind = self.add(peers.Server(binary, scenario.config))
        self.counter = self.add(peers.Subscriber("127.0.0.1", behind.port))
        self.target = self.add(peers.Relay(behind.port))
        self.url = self.target.url

    def cluster(self, scenario, binary):
        routes = [peers.free_port() for _ in range(3)]
        urls = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        self.servers = [
            self.add(
                peers.Server(
                    binary,
                    f"{scenario.config}server_name: n{port}\n"
                    f"cluster {{ name: c, host: 127.0.0.1, port: {port}, routes: [{urls}] }}",
                )
            )
            for port in routes
        ]
        self.counter = self.add(peers.Subscriber("127.0.0.1", self.servers[2].port))
        time.sleep(1)  # until the nodes know each other, the client and what is subscribed
        self.target = self
        self.url = self.servers[0].url

    def wire(self, scenario, binary):
        self.target = self.add(wire.Wire())
        host = wire.ADDRESSES["s"]
        server = self.add(peers.Server(binary, "", host, self.target.prefix("s"), 4222))
        self.prefix = self.target.prefix("c")
        self.healthy = self.add(peers.Server(binary, "", "127.0.0.2", self.prefix, 4222))
        self.counter = self.add(peers.Subscriber(host, 4222, lambda body: self.target.within("s", body)))
        self.url = server.url

    def close(self):
        for part in reversed(self.parts):
            part.close()


class Client:
    def __init__(self, command, scenario, setup):
        arguments = [
            setup.url,
            setup.healthy.url,
            scenario.interval,
            MAX_OUT,
            scenario.load,
            scenario.size,
            scenario.rate,
            scenario.wait,
        ]
        self.process = subprocess.Popen(
            [*setup.prefix, *command, *map(str, arguments)],
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.lines, self.seen, self.result, self.flushed = queue.Queue(), [], {}, []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.split(" ", 1))
        self.lines.put(("ended", ""))

    def wait(self, name, seconds):
        """(time, number) of the first event of that name; None when it does not come."""
        end = time.monotonic() + seconds
        while True:
            for seen, at, number in self.seen:
                if seen == name:
                    return at, number
            try:
                what, rest = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return None
            if what in ("ended", "failed:"):
                self.lines.put(("ended", ""))
                return None
            if what == "result":
                self.result = json.loads(rest)
                self.seen.append(("result", 0, 0))
            elif what == "flushed":
                first, last = map(int, rest.split())
                self.flushed += range(first, last + 1)
            else:
                at, number = rest.split()
                self.seen.append((what, float(at), int(number)))

    def count(self, name):
        return sum(1 for seen, _, _ in self.seen if seen == name)

    def stop(self):
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()
        self.wait("result", 8)

    def close(self):
        self.process.kill()
        self.process.wait()


def run(scenario, command, binary):
    setup = Setup(scenario, binary)
    try:
        client = Client(command, scenario, setup)
        try:
            return measure(scenario, setup, client)
        finally:
            client.close()
    finally:
        setup.close()


def measure(scenario, setup, client):
    if not client.wait("ready", 10):
        raise RuntimeError("the client did not connect")
    time.sleep(0.8 + random.uniform(0, INTERVAL / 1e3))
    start = time.monotonic() * 1e3
    scenario.fault(setup.target)
    lost = client.wait("disconnected", scenario.watch)
    seen = client.wait("detected", 0.1) if lost else None
    scenario.heal(setup.target)
    if lost:
        client.wait("reconnected", 5)
    time.sleep(0.5)
    client.stop()
    time.sleep(0.3)
    result, numbers = client.result, setup.counter.numbers
    return {
        "scenario": scenario.name,
        "detected": lost and lost[0] - start,
        "callback": lost and seen and max(0.0, lost[0] - seen[0]),
        "reason": REASONS[lost[1]] if lost else "",
        "disconnects": client.count("disconnected"),
        "status": result.get("status_ms"),
        "healthy": result.get("healthy_ms"),
        "healthy_lost": client.count("healthy-lost"),
        "hanging": result.get("hanging"),
        "published": result.get("published"),
        "flushed": len(client.flushed),
        "received": len(numbers) if scenario.load == "publish" else result.get("received"),
        "lost": sum(1 for n in client.flushed if n not in numbers),
    }


def fails(scenario, row):
    """What is wrong with a run of our library."""
    if row["lost"]:
        return "lost messages that a Flush had confirmed"
    if scenario.found and row["detected"] is None:
        return "not detected"
    if scenario.found and row["detected"] > scenario.bound + SLACK:
        return f"detected too late, bound {scenario.bound} ms"
    if row["hanging"] or row["healthy_lost"]:
        return "calls hang, or the other connection was lost"
    if row["status"] is None or row["status"] > 100:
        return "natsConnection_Status() took too long"
    return None


COLUMNS = (
    "scenario",
    "library",
    "detected",
    "callback",
    "reason",
    "status",
    "healthy",
    "hanging",
    "published",
    "flushed",
    "received",
    "lost",
)
WIDTHS = (25, 8, 9, 9, 14, 8, 8, 8, 10, 9, 9, 5)


def show(values):
    print("".join(f"{str(value):<{width}}" for value, width in zip(values, WIDTHS)), flush=True)


def cell(row, column):
    value = row.get(column)
    if column == "detected" and value is None:
        return "never" if row["found"] else "-"
    if value is None:
        return "-"
    return f"{value:.0f}" if column == "detected" else f"{value:.1f}" if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description="Runs the fault matrix.")
    for name in ("client", "ours"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("peer", "server", "json"):
        parser.add_argument(f"--{name}")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    libraries = {"ours": ["env", f"LD_LIBRARY_PATH={arguments.ours}", arguments.client]}
    if arguments.peer:
        libraries["peer"] = [f"{arguments.peer}/run", f"{arguments.peer}/peerlib", arguments.client]
    rows, failures, unavailable = [], [], None
    print(
        f"ping interval {INTERVAL} ms, max pings out {MAX_OUT}: a dead peer is to be found within {BOUND} ms"
    )
    show(COLUMNS)
    for scenario in SCENARIOS:
        if arguments.names and scenario.name not in arguments.names:
            continue
        if scenario.family != "mock" and not arguments.server:
            print(f"{scenario.name}: skipped, no nats-server")
            continue
        if scenario.family == "wire" and unavailable:
            print(f"{scenario.name}: skipped, {unavailable}")
            continue
        for library, command in libraries.items():
            try:
                row = run(scenario, command, arguments.server)
            except wire.Unavailable as error:
                unavailable = f"no network namespaces or tunnels ({error})"
                print(f"{scenario.name}: skipped, {unavailable}")
                break
            row.update(library=library, found=scenario.found)
            rows.append(row)
            show([cell(row, column) for column in COLUMNS])
            if library == "ours" and (why := fails(scenario, row)):
                failures.append(f"{scenario.name}: {why}")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file, indent=1)
    print(*failures, sep="\n", end="\n" if failures else "")
    sys.exit(1 if failures else 0)


main()
