"""A hostile peer that speaks TCP itself:  raw.py ROLE ENDPOINT [NUMBER]

It ends with code 0 if the other side did what the role says it must.
"""

import os
import random
import signal
import socket
import struct
import sys
import time

LIMIT = 20


def connect(endpoint):
    host, port = endpoint[len("tcp://"):].split(":")
    s = socket.create_connection((host, int(port)), LIMIT)
    s.settimeout(LIMIT)
    return s


def greeting(mechanism=b"NULL", minor=0):
    return (b"\xff" + bytes(7) + b"\x01\x7f\x03" + bytes([minor]) +
            mechanism.ljust(20, b"\0") + bytes(32))


def frame(body, flags=0):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


def command(name, body):
    return frame(bytes([len(name)]) + name + body, 4)


def ready(kind):
    return command(b"READY", b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind)


def take(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError("closed")
        data += more
    return data


def take_frame(s):
    flags, size = take(s, 2)
    if flags & 2:
        size = struct.unpack(">Q", bytes([size]) + take(s, 7))[0]
    return take(s, size)


def shake_hands(endpoint, kind):
    s = connect(endpoint)
    s.sendall(greeting())
    take(s, 64)
    s.sendall(ready(kind))
    take_frame(s)
    return s


def wait_for_end(s):
    """The other side must close the connection."""
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass


def send_what_goes(s, data):
    try:
        s.sendall(data)
    except (ConnectionError, socket.timeout):
        pass


def garbage(endpoint, count):
    """Random bytes, alone, after a greeting, and after a handshake."""
    r = random.Random(count)
    for i in range(count):
        data = bytes(r.getrandbits(8) for _ in range(r.randrange(1, 300)))
        s = connect(endpoint)
        if i % 3 == 1:
            send_what_goes(s, greeting(b"NULL", r.randrange(2)))
        if i % 3 == 2:
            send_what_goes(s, greeting() + ready(b"DEALER"))
        send_what_goes(s, data)
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()


def protocols(endpoint, _):
    """Others' protocols, and greetings that are nearly right."""
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
                 b"SSH-2.0-OpenSSH_9.2\r\n",
                 greeting(b"CURVE"), greeting(b"PLAIN"), greeting(b"NOSUCH"),
                 greeting(b"\xff" * 20),
                 greeting() + ready(b"NOSUCHTYPE"), greeting() + ready(b""),
                 greeting() + command(b"ERROR", b"\xff"),
                 greeting() + command(b"ERROR", b"\x03why"),
                 greeting() + command(b"", b""),
                 greeting() + command(b"READY", b"\xffName" + bytes(4)),
                 greeting() + command(b"READY", b"\x01a\xff\xff\xff\xff"),
                 greeting() + ready(b"DEALER") + command(b"PING", b""),
                 greeting() + ready(b"DEALER") + command(b"SUBSCRIBE", b"x"),
                 greeting() + ready(b"DEALER") + b"\xfe\x00",
                 greeting() + ready(b"DEALER") * 100):
        s = connect(endpoint)
        send_what_goes(s, data)
        try:
            s.settimeout(0.05)
            s.recv(65536)
        except (ConnectionError, socket.timeout):
            pass
        s.close()


def slow(endpoint, count):
    """Handshakes that do not go on must be given up."""
    sockets = [connect(endpoint) for _ in range(count)]
    for i, s in enumerate(sockets):
        send_what_goes(s, greeting()[:i % 64])
    for s in sockets:
        wait_for_end(s)


def oversized(endpoint, size):
    """A frame that claims to be so large must end the connection."""
    s = shake_hands(endpoint, b"DEALER")
    send_what_goes(s, b"\x02" + struct.pack(">Q", size) + b"x" * 1000)
    wait_for_end(s)


def flood(endpoint, count):
    """Subscriptions: many, and one that is very long."""
    s = shake_hands(endpoint, b"SUB")
    for i in range(0, count, 1000):
        s.sendall(b"".join(frame(b"\x01topic %d" % k) for k in range(i, i + 1000)))
    s.sendall(frame(b"\x01" + b"x" * 3000000))
    s.sendall(frame(b"\x01end"))
    while take_frame(s) != b"end":
        pass
    s.close()


def half(endpoint, size):
    """A message whose last part never comes."""
    s = shake_hands(endpoint, b"DEALER")
    s.sendall(frame(b"head", 1) + frame(b"x" * size, 1)[:-10])
    time.sleep(0.2)


def http(endpoint, _):
    """A request, and an answer as long as it says."""
    s = connect(endpoint)
    s.sendall(b"GET /path HTTP/1.0\r\n\r\n")
    data = b""
    while True:
        more = s.recv(4096)
        if not more:
            break
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.0 200"), data
    assert b"/path" in body, data


def upper(_, __):
    """A server that answers five bytes, in capitals, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    print("tcp://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    s, _ = listener.accept()
    s.sendall(take(s, 5).upper())
    s.close()


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(60)
globals()[sys.argv[1]](sys.argv[2], int((sys.argv + ["0"])[3]))
