"""A bad network: two network namespaces with a tunnel device each, and in between a thread that carries the
packets, loses, delays and reorders them. Needs root and /dev/net/tun, nothing else from the kernel."""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
ADDRESSES = {"c": "10.77.0.1", "s": "10.77.0.2"}
libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    pass


class Wire:
    """`loss` and `delay` are by direction: "c" what the client sends, "s" what the server sends."""

    def __init__(self):
        self.loss = {"c": 0.0, "s": 0.0}
        self.delay_ms, self.jitter_ms = 0, 0
        self.carried = self.lost = 0
        self.over = False
        self.names = {end: f"nats-faults-{os.getpid()}-{end}" for end in ADDRESSES}
        self.fds = {}
        try:
            for end, address in ADDRESSES.items():
                ip("netns", "add", self.names[end])
                self.within(end, lambda end=end: self.open_tunnel(end))
                self.ip(end, "addr", "add", f"{address}/24", "dev", "tun0")
                self.ip(end, "link", "set", "tun0", "up")
                self.ip(end, "link", "set", "lo", "up")
        except (OSError, subprocess.CalledProcessError) as error:
            self.close()
            raise Unavailable(error) from error
        self.carrier = threading.Thread(target=self.carry, daemon=True)
        self.carrier.start()

    def prefix(self, end):
        return ["ip", "netns", "exec", self.names[end]]

    def ip(self, end, *args):
        ip("-n", self.names[end], *args)

    def within(self, end, body):
        """Runs `body` in a thread that lives in the namespace: sockets made there belong to it."""
        failure = []

        def run():
            try:
                fd = os.open(f"/run/netns/{self.names[end]}", os.O_RDONLY)
                if libc.setns(fd, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                os.close(fd)
                body()
            except OSError as error:
                failure.append(error)

        worker = threading.Thread(target=run)
        worker.start()
        worker.join()
        if failure:
            raise failure[0]

    def open_tunnel(self, end):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", b"tun0", IFF_TUN | IFF_NO_PI))
        self.fds[end] = fd

    def carry(self):
        waiting, count = [], 0
        other = {self.fds["c"]: ("c", self.fds["s"]), self.fds["s"]: ("s", self.fds["c"])}
        while not self.over:
            timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.05
            for fd in select.select(list(other), [], [], timeout)[0]:
                end, target = other[fd]
                for packet in packets(fd):
                    if random.random() < self.loss[end]:
                        self.lost += 1
                        continue
                    late = self.delay_ms + random.uniform(0, self.jitter_ms)
                    count += 1
                    heapq.heappush(waiting, (time.monotonic() + late / 1e3, count, target, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(waiting)
                self.carried += 1
                try:
                    os.write(target, packet)
                except OSError:
                    pass

    def close(self):
        self.over = True
        if hasattr(self, "carrier"):
            self.carrier.join()
        for fd in self.fds.values():
            os.close(fd)
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def packets(fd):
    for _ in range(64):
        try:
            yield os.read(fd, 65536)
        except OSError:
            return


def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)
