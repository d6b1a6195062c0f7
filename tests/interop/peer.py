"""A peer of pyzmq.  tests/interop/README.md says what the arguments mean."""

import os
import signal
import sys
import threading
import time
from urllib.parse import unquote_to_bytes

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

LIMIT = 10000


def part(word, last):
    if word == "@":
        return last[0]
    if word.startswith("#"):
        size = int(word[1:])
        cycle = b"".join(bytes((i + k) % 256 for i in range(256)) for k in range(256))
        return (cycle * (size // len(cycle) + 1))[:size]
    return unquote_to_bytes(word)


def give_up(*words):
    print(*words, flush=True)
    os._exit(1)


def short(parts):
    return [p if len(p) < 40 else "%d bytes" % len(p) for p in parts]


def expect(words, parts):
    same = len(words) == len(parts) and all(
        w == "*" or part(w, parts) == p for w, p in zip(words, parts))
    if not same:
        give_up("wanted", words, "got", short(parts))


def receive(socket):
    try:
        return socket.recv_multipart()
    except zmq.Again:
        give_up("nothing came")


def set_option(socket, name, value):
    number = getattr(zmq, name.upper().replace("-", "_"))
    if name.startswith(("curve-", "plain-", "routing-", "zap-", "connect-routing",
                        "subscribe")) and not name.endswith("-server"):
        socket.setsockopt(number, unquote_to_bytes(value))
    else:
        socket.setsockopt(number, int(value))


def authenticate(context, name, value):
    """auth-plain=NAME:PASSWORD, auth-curve=any or a folder, auth-deny=ADDRESS"""
    global authenticator
    if authenticator is None:
        authenticator = ThreadAuthenticator(context)
        authenticator.start()
    if name == "auth-plain":
        user, password = value.split(":")
        authenticator.configure_plain(domain="*", passwords={user: password})
    elif name == "auth-curve":
        authenticator.configure_curve(
            domain="*", location=zmq.auth.CURVE_ALLOW_ANY if value == "any" else value)
    elif name == "auth-deny":
        authenticator.deny(value)


def certificate(socket, name, value):
    """certificate=FILE: own keys; server-certificate=FILE: the server's"""
    public, secret = zmq.auth.load_certificate(value)
    if name == "certificate":
        socket.curve_publickey, socket.curve_secretkey = public, secret
    else:
        socket.curve_serverkey = public


def main(kind, where, endpoint, *words):
    if kind == "certificate":           # certificate FOLDER NAME
        zmq.auth.create_certificates(where, endpoint)
        return
    context = zmq.Context()
    socket = context.socket(getattr(zmq, kind.upper()))
    socket.rcvtimeo = socket.sndtimeo = socket.linger = LIMIT
    last = []
    steps = [w for w in words if ":" in w.split("=")[0] or w == "stay"]
    for word in words:
        if word in steps:
            continue
        name, value = word.split("=", 1)
        if name.startswith("auth-"):
            authenticate(context, name, value)
        elif name.endswith("certificate"):
            certificate(socket, name, value)
        else:
            set_option(socket, name, value)
    getattr(socket, where)(endpoint)
    if where == "bind":
        print(socket.last_endpoint.decode(), flush=True)
    for step in steps:
        verb, _, rest = step.partition(":")
        if verb == "send":
            socket.send_multipart([part(w, last) for w in rest.split("|")])
        elif verb == "get":
            last = receive(socket)
            expect(rest.split("|"), last)
        elif verb == "echo":
            for _ in range(int(rest)):
                socket.send_multipart(receive(socket))
        elif verb == "repeat":
            while True:
                socket.send_multipart([part(w, last) for w in rest.split("|")])
                time.sleep(0.01)
        elif verb == "none":            # nothing may come for so many milliseconds
            if socket.poll(int(rest)):
                give_up("got", short(socket.recv_multipart()))
        elif verb == "stay":
            while True:
                signal.pause()
    if authenticator is not None:
        # pyzmq's authenticator does not always stop while a client tries to get in.
        sys.stdout.flush()
        os._exit(0)
    socket.close()
    context.term()


authenticator = None


def end_on_term():
    signal.sigwait({signal.SIGTERM})
    os._exit(0)


# A handler would run only once the main thread comes back from libzmq, and a signal that arrives
# just before libzmq waits does not end that wait.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
threading.Thread(target=end_on_term, daemon=True).start()
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(40)
main(*sys.argv[1:])
