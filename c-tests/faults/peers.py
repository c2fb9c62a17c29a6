"""What a client of the fault matrix talks to: scripted servers, real ones, a relay, and a counting
subscriber."""

import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

INFO = b'INFO {"server_id":"MOCK","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n'
RESET = struct.pack("ii", 1, 0)


def listen(receive_buffer=0):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    return sock


def thread(body, *args):
    started = threading.Thread(target=body, args=args, daemon=True)
    started.start()
    return started


class Frames:
    """Splits a stream into lines and messages; remembers the numbers the messages begin with."""

    HEAD = re.compile(rb"(?:PUB|MSG) \S+ (?:\S+ )?(\d+)$")

    def __init__(self, numbers):
        self.pending = b""
        self.numbers = numbers

    def feed(self, data):
        """The protocol lines that are not messages."""
        self.pending += data
        lines, at = [], 0
        while (end := self.pending.find(b"\r\n", at)) >= 0:
            line = self.pending[at:end]
            message = self.HEAD.match(line)
            if not message:
                lines.append(line)
                at = end + 2
                continue
            body, size = end + 2, int(message.group(1))
            if len(self.pending) < body + size + 2:
                break
            number = self.pending[body : body + 16]
            if number.isdigit():
                self.numbers.add(int(number))
            at = body + size + 2
        self.pending = self.pending[at:]
        return lines


class Mock:
    """A scripted server. A fault meets the connections of that moment; new ones are served well."""

    def __init__(self, receive_buffer=0):
        self.numbers = set()
        self.conns = []
        self.listener = listen(receive_buffer)
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        thread(self.accept)

    def accept(self):
        while True:
            try:
                conn = Conn(self, self.listener.accept()[0])
            except OSError:
                return
            self.conns.append(conn)
            thread(conn.serve)

    def fault(self, mode):
        for conn in self.conns:
            conn.enter(mode)

    def close(self):
        self.listener.close()
        for conn in self.conns:
            conn.end()


class Conn:
    def __init__(self, mock, sock):
        self.mock, self.sock, self.mode, self.thawed = mock, sock, "well", threading.Event()
        self.thawed.set()
        self.frames = Frames(mock.numbers)

    def serve(self):
        try:
            self.sock.sendall(INFO)
            while data := self.sock.recv(65536):
                self.thawed.wait()
                for line in self.frames.feed(data):
                    if line == b"PING" and self.mode == "well":
                        self.sock.sendall(b"PONG\r\n")
        except OSError:
            pass

    def enter(self, mode):
        self.mode = mode
        if mode == "frozen":
            self.thawed.clear()
        elif mode == "chatty":
            thread(self.repeat, b"+OK\r\n", 0.02)
        elif mode == "drip":
            thread(self.repeat, b"M", 0.05, b"MSG faults.in 1 1000000\r\n")
        elif mode == "fin":
            self.quietly(lambda: self.sock.shutdown(socket.SHUT_WR))
        elif mode == "rst":
            self.end()
        elif mode == "stale":
            self.quietly(lambda: self.sock.sendall(b"-ERR 'Stale Connection'\r\n"))

    def repeat(self, data, every, first=b""):
        try:
            self.sock.sendall(first)
            while True:
                self.sock.sendall(data)
                time.sleep(every)
        except OSError:
            pass

    def end(self):
        self.quietly(lambda: self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET))
        self.quietly(lambda: self.sock.shutdown(socket.SHUT_RD))
        self.quietly(self.sock.close)
        self.thawed.set()

    def quietly(self, action):
        try:
            action()
        except OSError:
            pass


class Subscriber:
    """Counts what a real server delivers. Comes back by itself when the server does."""

    def __init__(self, host, port, inside=lambda body: body()):
        self.numbers = set()
        self.address, self.inside, self.over, self.sock = (host, port), inside, False, None
        self.ready = threading.Event()
        thread(self.run)
        if not self.ready.wait(10):
            raise RuntimeError("the subscriber got no connection")

    def run(self):
        while not self.over:
            try:
                self.inside(self.connect)
                frames = Frames(self.numbers)
                while data := self.sock.recv(262144):
                    for line in frames.feed(data):
                        if line == b"PING":
                            self.sock.sendall(b"PONG\r\n")
                        elif line == b"PONG":
                            self.ready.set()
            except OSError:
                pass
            time.sleep(0.02)

    def connect(self):
        self.sock = socket.create_connection(self.address)
        self.sock.sendall(b'CONNECT {"verbose":false}\r\nSUB faults 1\r\nPING\r\n')

    def close(self):
        self.over = True
        if self.sock:
            self.sock.close()


class Server:
    """A real nats-server."""

    def __init__(self, binary, config="", host="127.0.0.1", prefix=(), port=None):
        self.host, self.port = host, port or free_port()
        self.directory = tempfile.TemporaryDirectory()
        path = os.path.join(self.directory.name, "server.conf")
        with open(path, "w") as file:
            file.write(f'host: {host}\nport: {self.port}\nwrite_deadline: "10s"\n{config}\n')
        self.command = [*prefix, binary, "-c", path]
        self.url = f"nats://{host}:{self.port}"
        self.process = None
        self.start()

    def start(self, wait=True):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if wait and self.host == "127.0.0.1":
            wait_for_port(self.port)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self, clean):
        if clean:
            self.process.terminate()
            self.process.wait()
        else:
            self.kill()
        self.start()

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.kill()
        self.directory.cleanup()


class Relay:
    """Between client and server; drops the client's PONGs when told so."""

    def __init__(self, port):
        self.port, self.drop_pongs = port, False
        self.listener = listen()
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        thread(self.accept)

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            thread(self.copy, client, server, self.drop_pongs, True)
            thread(self.copy, server, client, False, False)

    def copy(self, source, target, spared, upwards):
        """`spared`: a connection made during the fault is not meddled with."""
        try:
            while data := source.recv(65536):
                if upwards and self.drop_pongs and not spared:
                    data = data.replace(b"PONG\r\n", b"")
                target.sendall(data)
        except OSError:
            pass
        for sock in (source, target):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def free_port():
    sock = listen()
    port = sock.getsockname()[1]
    sock.close()
    return port


def wait_for_port(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")
