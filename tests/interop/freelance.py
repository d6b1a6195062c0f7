"""Roles of freelance after RFC 10, written without the egg.

freelance.py server ENDPOINT NAME            replies NAME and the body until it is killed
freelance.py client ENDPOINT,... PART...     calls the first server that answers, and prints
"""

import sys
import time

import zmq


def require(so, *what):
    if not so:
        sys.exit("not by the RFC: %r" % (what,))


def server(context, endpoint, name):
    router = context.socket(zmq.ROUTER)
    router.routing_id = endpoint.encode()
    router.bind(endpoint)
    while True:
        client, control, *body = router.recv_multipart()
        if control == b"PING" and not body:
            router.send_multipart([client, b"PONG"])
        else:
            require(body, control)
            router.send_multipart([client, control, name] + body)


def client(context, endpoints, *parts):
    router = context.socket(zmq.ROUTER)
    router.router_mandatory = 1
    names = [e.encode() for e in endpoints.split(",")]
    for e in endpoints.split(","):
        router.connect(e)
    end, alive, number = time.monotonic() + 20, None, b"1"
    while alive is None:
        require(time.monotonic() < end, "no PONG")
        for name in names:
            try:
                router.send_multipart([name, b"PING"])
            except zmq.ZMQError:
                pass                    # it has not connected yet
        if router.poll(100):
            m = router.recv_multipart()
            require(m[0] in names and m[1:] == [b"PONG"], m)
            alive = m[0]
    router.send_multipart([alive, number] + list(parts))
    while True:
        require(router.poll(20000), "no reply")
        m = router.recv_multipart()
        if m[1:] != [b"PONG"]:
            break
    require(m[:2] == [alive, number] and len(m) > 2, m)
    print(b" ".join(m[2:]).decode(), flush=True)


role, endpoint, *rest = sys.argv[1:]
{"client": client, "server": server}[role](
    zmq.Context(), endpoint, *[r.encode() for r in rest])
