"""A peer of the soak, on pyzmq.  peers.py says what the arguments and lines mean."""

import os
import signal
import sys
import time

import zmq

PATTERN = bytes((i * 7 + (i >> 8)) & 255 for i in range(65536))
quiet = False


def payload(incarnation, number, scale):
    """The parts that follow the header of a message."""
    size = 40000 if number % 97 == 0 else (number * 37 + incarnation * 11) % 1500 * scale
    start = (incarnation * 131 + number * 17) % 4096
    return [PATTERN[start + p * 29:start + p * 29 + size] for p in range(number % 3)]


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Role:
    def __init__(self, words):
        options = dict(word.split("=", 1) for word in words.split(";"))
        self.channel = int(options["channel"])
        self.incarnation = int(options["incarnation"])
        self.scale = int(options["scale"])
        self.pause = 1 / int(options["rate"])
        self.kind = options["type"]
        self.socket = zmq.Context.instance().socket(getattr(zmq, self.kind.upper()))
        self.socket.linger = 1000
        self.socket.sndhwm = self.socket.rcvhwm = int(options["hwm"])
        self.socket.reconnect_ivl = 50
        if self.kind == "router":
            self.socket.router_mandatory = True
        if self.kind == "sub":
            self.socket.subscribe = b"c%d." % self.channel
        if "secret" in options:
            self.socket.curve_secretkey = options["secret"].encode()
            self.socket.curve_publickey = options["public"].encode()
            if "server" in options:
                self.socket.curve_serverkey = options["server"].encode()
            else:
                self.socket.curve_server = True
        getattr(self.socket, options["where"])(options["endpoint"])
        say(self.channel, "up", self.socket.last_endpoint.decode())

    def check(self, parts):
        """Reads a message; returns the header."""
        channel, incarnation, number = map(int, parts[0][1:].split(b"."))
        if channel != self.channel or parts[1:] != payload(incarnation, number, self.scale):
            say(self.channel, "b", parts[0].decode(errors="replace"))
        say(self.channel, "r", incarnation, number)
        return parts[0]

    def receive(self):
        while True:
            if self.kind != "router":
                self.check(self.socket.recv_multipart())
                continue
            peer, *parts = self.socket.recv_multipart()
            header = self.check(parts)
            try:
                self.socket.send_multipart([peer, b"%d" % self.incarnation, header])
            except zmq.ZMQError as e:
                if e.errno != zmq.EHOSTUNREACH:
                    raise
                say(self.channel, "u")

    def acknowledged(self):
        while True:
            try:
                answerer, header = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            _, incarnation, number = header[1:].decode().split(".")
            say(self.channel, "a", answerer.decode(), incarnation, number)

    def send(self):
        number, due, told = 0, time.monotonic(), False
        reads = self.kind == "dealer"
        while True:
            if quiet and not told:
                say(self.channel, "q")
                told = True
            if reads:
                self.acknowledged()
            wait = due - time.monotonic()
            if wait > 0 or quiet:
                wait = int(max(wait, 0.05) * 1000)
                if reads:
                    self.socket.poll(wait, zmq.POLLIN)
                else:
                    time.sleep(wait / 1000)
                continue
            header = b"c%d.%d.%d" % (self.channel, self.incarnation, number)
            parts = [header] + payload(self.incarnation, number, self.scale)
            try:
                self.socket.send_multipart(parts, zmq.NOBLOCK)
            except zmq.Again:
                self.socket.poll(100, zmq.POLLIN | zmq.POLLOUT if reads else zmq.POLLOUT)
                continue
            say(self.channel, "s", number)
            number += 1
            due = max(due + self.pause, time.monotonic())


def be_quiet(*_):
    global quiet
    quiet = True


signal.signal(signal.SIGUSR1, be_quiet)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
role = Role(sys.argv[1])
if role.kind in ("push", "dealer", "pub"):
    role.send()
else:
    role.receive()
