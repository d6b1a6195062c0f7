"""Attacks a server (server.scm) with what is no ZMTP: truncated, oversized, out-of-order and slow
handshakes and frames.  An honest peer in a process of its own measures how long it is served.

    attack.py ATTACKS HALF_OPEN SEED

Exits with 1 if the server ends, stops serving, or keeps more memory than SECURITY.md says.
"""

import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GREETING = b"\xff" + b"\0" * 8 + b"\x7f"

# Bytes that the server may keep for each connection that an attacker holds.
PER_CONNECTION = 200 * 1024
AT_FIRST = 40 * 1024 * 1024


def greeting(rng, major, minor, mechanism):
    as_server = rng.choice([b"\0", b"\1"])
    return GREETING + bytes([major, minor]) + mechanism.ljust(20, b"\0") + as_server + b"\0" * 31


def frame(flags, body):
    if len(body) > 255:
        return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def prop(name, value):
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


def command(name, body=b""):
    return frame(4, bytes([len(name)]) + name + body)


TYPES = [b"PUSH", b"PULL", b"PUB", b"SUB", b"REQ", b"REP", b"DEALER", b"ROUTER", b"PAIR",
         b"XPUB", b"XSUB", b"STREAM", b"", b"X" * 300]


def ready(rng):
    kind = rng.choice(TYPES)
    body = prop(b"Socket-Type", kind) if len(kind) < 256 else b"\x0bSocket-Type" + kind
    if rng.random() < 0.5:
        body += prop(b"Identity", rng.randbytes(rng.choice([0, 1, 5, 255, 256])))
    return command(b"READY", body)


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        at = rng.randrange(len(data))
        choice = rng.random()
        if choice < 0.5:
            data[at] = rng.randrange(256)
        elif choice < 0.75:
            del data[at:at + rng.randint(1, 8)]
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 8))
    return bytes(data)


def handshake(rng):
    mechanism = rng.choice([b"NULL", b"PLAIN", b"CURVE", b"GSSAPI", b"?", rng.randbytes(20)])
    version = rng.choice([(3, 0), (3, 1), (2, 0), (1, 0), (0, 0), (255, 255)])
    data = greeting(rng, *version, mechanism)
    step = rng.choice(["ready", "hello", "welcome", "initiate", "error", "ping", "nothing"])
    if step == "ready":
        data += ready(rng)
    elif step == "hello" and mechanism == b"PLAIN":
        data += command(b"HELLO", b"\5admin\6secret")
    elif step == "hello":
        data += command(b"HELLO", rng.randbytes(rng.choice([0, 194, 193, 1000])))
    elif step == "welcome":
        data += command(b"WELCOME", rng.randbytes(160))
    elif step == "initiate":
        data += command(b"INITIATE", rng.randbytes(rng.choice([8, 250, 400])))
    elif step == "error":
        data += command(b"ERROR", rng.randbytes(3))
    elif step == "ping":
        data += command(b"PING", rng.randbytes(rng.choice([0, 2, 30])))
    return data


def frames(rng):
    """A handshake that may succeed, and what a peer must not send after it."""
    data = greeting(rng, 3, 0, b"NULL")[:64] + ready(rng)
    for _ in range(rng.randint(1, 6)):
        choice = rng.randrange(7)
        if choice == 0:
            data += frame(rng.choice([0, 1]), rng.randbytes(rng.randint(0, 400)))
        elif choice == 1:   # a subscription, long or taken back
            data += frame(0, rng.choice([b"\1", b"\0"]) + b"s" * rng.choice([0, 10, 60000]))
        elif choice == 2:   # more than maxmsgsize, announced only
            data += bytes([2]) + struct.pack(">Q", rng.choice([65537, 2**31, 2**63, 2**64 - 1]))
        elif choice == 3:
            data += bytes([rng.randrange(256)]) + rng.randbytes(9)
        elif choice == 4:
            data += command(rng.choice([b"PING", b"SUBSCRIBE", b"CANCEL", b"READY", b"NONSENSE"]),
                            rng.randbytes(rng.randint(0, 60)))
        elif choice == 5:   # parts without an end
            data += frame(1, b"part") * rng.randint(1, 50)
        else:
            data += frame(0, b"")
    return data


def upgrade(rng):
    lines = [b"GET / HTTP/1.1", b"Host: x", b"Upgrade: websocket", b"Connection: Upgrade",
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13",
             b"Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0"]
    if rng.random() < 0.5:
        rng.shuffle(lines)
    data = b"\r\n".join(lines) + rng.choice([b"\r\n\r\n", b"\r\n", b"x" * 5000])
    return data + rng.choice([b"", rng.randbytes(40), b"\x82\xff" + rng.randbytes(20)])


ATTACKS = [
    lambda rng: rng.randbytes(rng.choice([1, 9, 10, 64, 65, 5000])),
    handshake, handshake, frames, frames, upgrade,
    lambda rng: mutate(rng, handshake(rng)),
    lambda rng: mutate(rng, frames(rng)),
    lambda rng: handshake(rng)[:rng.randint(0, 80)],
]


def attack(rng, port):
    data = rng.choice(ATTACKS)(rng)
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        s.setblocking(False)
        while data:
            step = rng.choice([len(data), 1, 13])
            try:
                sent = s.send(data[:step])
            except BlockingIOError:
                if not select.select([], [s], [], 1)[1]:
                    break
                continue
            data = data[sent:]
        if rng.random() < 0.3:
            select.select([s], [], [], 0.005)
        if rng.random() < 0.3:  # a reset instead of an end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    finally:
        s.close()


def half_open(rng, port):
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        s.sendall(greeting(rng, 3, 0, b"NULL")[:rng.randint(0, 63)])
    except OSError:
        pass
    return s


def resident(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def honest(port):
    """Asks until standard input ends; prints how long the answers took, in ms."""
    import zmq
    s = zmq.Context().socket(zmq.REQ)
    s.setsockopt(zmq.RCVTIMEO, 30000)
    s.setsockopt(zmq.LINGER, 0)
    s.connect("tcp://127.0.0.1:%d" % port)
    s.send(b"x")
    s.recv()
    print("ready", flush=True)
    times = []
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        begun = time.monotonic()
        s.send(b"x")
        s.recv()
        times.append((time.monotonic() - begun) * 1000)
    times.sort()
    print(len(times), times[len(times) // 2], times[len(times) * 99 // 100], times[-1])


def main(count, held, seed):
    rng = random.Random(seed)
    csi = os.environ.get("CSI", "csi")
    server = subprocess.Popen([csi, "-s", os.path.join(HERE, "server.scm")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ports = {}
    for line in server.stdout:
        if line == "ready\n":
            break
        name, port = line.split()
        ports[name] = int(port)
    honest_port = ports.pop("honest")
    peer = subprocess.Popen(["/usr/bin/python3", os.path.abspath(__file__), "honest",
                             str(honest_port)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if peer.stdout.readline() != "ready\n":
        sys.exit("the honest peer is not served")
    targets = list(ports.values()) + [honest_port]
    before = resident(server.pid)
    most = before
    kept = [half_open(rng, rng.choice(targets)) for _ in range(held)]
    for i in range(count):
        attack(rng, rng.choice(targets))
        if i % 100 == 0:
            most = max(most, resident(server.pid))
            if server.poll() is not None:
                sys.exit("the server ended with %d after %d attacks, seed %d"
                         % (server.returncode, i, seed))
    most = max(most, resident(server.pid))
    peer.stdin.close()
    asked, middle, late, latest = peer.stdout.read().split()
    for s in kept:
        s.close()
    time.sleep(0.1)
    if server.poll() is not None:
        sys.exit("the server ended with %d" % server.returncode)
    server.stdin.close()
    if server.wait(30) != 0:
        sys.exit("the server ended with %d" % server.returncode)
    print("%d attacks on %d sockets, %d connections half open: %s answers, in %.1f ms (median), "
          "%.1f ms (99 %%), %.1f ms (most); %d kB at first, %d kB at most"
          % (count, len(targets), held, asked, float(middle), float(late), float(latest),
             before // 1024, most // 1024))
    if most > before + AT_FIRST + PER_CONNECTION * held:
        sys.exit("the server kept more memory than it may")


if __name__ == "__main__":
    if sys.argv[1] == "honest":
        honest(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
