"""Roles of clone after RFC 12, written without the egg.

clone.py client ENDPOINT KEY=VALUE...   joins, sets these, and prints the table it then has
clone.py server ENDPOINT                serves until it is killed
"""

import os
import struct
import sys
import time

import zmq

HUGZ = 0.1


def require(so, *what):
    if not so:
        sys.exit("not by the RFC: %r" % (what,))


def number(frame):
    require(len(frame) == 8, frame)
    return struct.unpack("!q", frame)[0]


def at(endpoint, i):
    before, port = endpoint.rsplit(":", 1)
    return "%s:%d" % (before, int(port) + i)


def client(context, endpoint, *sets):
    subscriber, publisher = context.socket(zmq.SUB), context.socket(zmq.PUB)
    snapshot = context.socket(zmq.DEALER)
    subscriber.subscribe(b"")
    subscriber.connect(at(endpoint, 1))
    publisher.connect(at(endpoint, 2))
    snapshot.connect(endpoint)
    require(subscriber.poll(10000), "no HUGZ")
    snapshot.send_multipart([b"ICANHAZ?", b""])
    table, highest = {}, 0
    while True:
        require(snapshot.poll(10000), "no snapshot")
        m = snapshot.recv_multipart()
        require(len(m) == 5 and m[2:4] == [b"", b""], m)
        if m[0] == b"KTHXBAI":
            require(m[4] == b"" and number(m[1]) >= highest, m)
            break
        highest = max(highest, number(m[1]))
        table[m[0]] = m[4]
    sequence = number(m[1])
    wanted = dict(s.split(b"=") for s in sets)
    end = time.monotonic() + 20
    while any(table.get(k) != v for k, v in wanted.items()) and time.monotonic() < end:
        for k, v in wanted.items():
            if table.get(k) != v:
                publisher.send_multipart([k, bytes(8), os.urandom(16), b"", v])
        while subscriber.poll(500):
            m = subscriber.recv_multipart()
            require(len(m) == 5, m)
            if m[0] == b"HUGZ":
                require(m == [b"HUGZ", bytes(8), b"", b"", b""], m)
                break
            if number(m[1]) <= sequence:
                continue
            require(len(m[2]) in (0, 16), m)
            require(all(b"=" in line for line in m[3].split(b"\n")[:-1]), m)
            sequence = number(m[1])
            if m[4]:
                table[m[0]] = m[4]
            else:
                table.pop(m[0], None)
    print(b" ".join(b"%s=%s" % kv for kv in sorted(table.items())).decode(), flush=True)


def server(context, endpoint):
    snapshot, publisher = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
    collector = context.socket(zmq.SUB)
    collector.subscribe(b"")
    for i, s in enumerate((snapshot, publisher, collector)):
        s.bind(at(endpoint, i))
    poller = zmq.Poller()
    poller.register(snapshot, zmq.POLLIN)
    poller.register(collector, zmq.POLLIN)
    table, sequence, hugz = {}, 0, time.monotonic()
    while True:
        ready = dict(poller.poll(1000 * HUGZ))
        if collector in ready:
            m = collector.recv_multipart()
            require(len(m) == 5 and len(m[1]) == 8 and len(m[2]) in (0, 16), m)
            sequence += 1
            if m[4]:
                table[m[0]] = (sequence, m[4])
            else:
                table.pop(m[0], None)
            publisher.send_multipart([m[0], struct.pack("!q", sequence)] + m[2:])
        if snapshot in ready:
            m = snapshot.recv_multipart()
            require(len(m) == 3 and m[1] == b"ICANHAZ?", m)
            require(m[2] == b"" or m[2][:1] == m[2][-1:] == b"/", m)
            highest = 0                     # as the RFC has it, of those that are sent
            for k, (n, v) in table.items():
                if k.startswith(m[2]):
                    highest = max(highest, n)
                    snapshot.send_multipart([m[0], k, struct.pack("!q", n), b"", b"", v])
            snapshot.send_multipart(
                [m[0], b"KTHXBAI", struct.pack("!q", highest), b"", b"", m[2]])
        if time.monotonic() > hugz + HUGZ:
            hugz = time.monotonic()
            publisher.send_multipart([b"HUGZ", bytes(8), b"", b"", b""])


role, endpoint, *rest = sys.argv[1:]
{"client": client, "server": server}[role](
    zmq.Context(), endpoint, *[r.encode() for r in rest])
