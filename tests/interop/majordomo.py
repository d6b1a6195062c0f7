"""Roles of majordomo after RFC 7, written without the egg.

majordomo.py worker ENDPOINT SERVICE   answers with the service and the request
majordomo.py client ENDPOINT SERVICE PART...   prints the reply
majordomo.py broker ENDPOINT           prints the endpoint it has bound
"""

import sys
import time

import zmq

HEARTBEAT = 0.1
LIVENESS = 5
READY, REQUEST, REPLY, BEAT, DISCONNECT = b"\1", b"\2", b"\3", b"\4", b"\5"


def require(so, *what):
    if not so:
        sys.exit("not by the RFC: %r" % (what,))


def worker(context, endpoint, service):
    while True:
        s = context.socket(zmq.DEALER)
        s.linger = 0
        s.connect(endpoint)
        s.send_multipart([b"", b"MDPW01", READY, service])
        heard = time.monotonic()
        while time.monotonic() < heard + LIVENESS * HEARTBEAT:
            if not s.poll(1000 * HEARTBEAT):
                s.send_multipart([b"", b"MDPW01", BEAT])
                continue
            m = s.recv_multipart()
            heard = time.monotonic()
            require(len(m) >= 3 and m[:2] == [b"", b"MDPW01"], m)
            if m[2] == REQUEST:
                require(len(m) >= 6 and m[3] and m[4] == b"", m)
                s.send_multipart([b"", b"MDPW01", REPLY, m[3], b"", service] + m[5:])
            elif m[2] == DISCONNECT:
                require(len(m) == 3, m)
                break
            else:
                require(m[2] == BEAT and len(m) == 3, m)
        s.close()


def client(context, endpoint, service, *body):
    for _ in range(10):
        s = context.socket(zmq.REQ)
        s.linger = 0
        s.connect(endpoint)
        s.send_multipart([b"MDPC01", service, *body])
        if s.poll(2000):
            m = s.recv_multipart()
            require(len(m) >= 3 and m[:2] == [b"MDPC01", service], m)
            print(b" ".join(m[2:]).decode(), flush=True)
            return
        s.close()
    sys.exit("no reply")


def broker(context, endpoint):
    s = context.socket(zmq.ROUTER)
    s.bind(endpoint)
    print(s.last_endpoint.decode(), flush=True)
    services, workers, waiting, beat = {}, {}, {}, time.monotonic()
    while True:
        if s.poll(1000 * HEARTBEAT):
            m = s.recv_multipart()
            require(len(m) >= 4 and m[1] == b"", m)
            peer, protocol, rest = m[0], m[2], m[3:]
            if protocol == b"MDPC01":
                require(len(rest) >= 2, m)
                waiting.setdefault(rest[0], []).append([peer, b""] + rest[1:])
            else:
                require(protocol == b"MDPW01", m)
                command = rest[0]
                if command == READY:
                    require(len(rest) == 2 and peer not in workers, m)
                    workers[peer] = rest[1]
                    services.setdefault(rest[1], []).append(peer)
                elif command == DISCONNECT:
                    require(len(rest) == 1, m)
                    workers.pop(peer, None)
                elif peer not in workers:
                    s.send_multipart([peer, b"", b"MDPW01", DISCONNECT])
                elif command == REPLY:
                    require(len(rest) >= 4 and rest[2] == b"", m)
                    s.send_multipart([rest[1], b"", b"MDPC01", workers[peer]] + rest[3:])
                    services[workers[peer]].append(peer)
                else:
                    require(command == BEAT and len(rest) == 1, m)
        for name, requests in waiting.items():
            idle = services.setdefault(name, [])
            while requests and idle:
                peer = idle.pop(0)
                if peer in workers:
                    s.send_multipart([peer, b"", b"MDPW01", REQUEST] + requests.pop(0))
        if time.monotonic() > beat + HEARTBEAT:
            beat = time.monotonic()
            for peer in workers:
                s.send_multipart([peer, b"", b"MDPW01", BEAT])


role, endpoint, *rest = sys.argv[1:]
{"worker": worker, "client": client, "broker": broker}[role](
    zmq.Context(), endpoint, *[r.encode() for r in rest])
