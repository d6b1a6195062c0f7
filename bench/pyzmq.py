"""The same works as raw.c, through pyzmq: pair, stream and latency."""

import os
import resource
import sys
import time

import zmq


def pin(processor):
    there = os.cpu_count()
    os.sched_setaffinity(0, {(there - 1 - processor) % there if there > 1 else 0})


def cpu():
    use = [resource.getrusage(who)
           for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in use)


def report(count, elapsed, used, times=()):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = ["%d %.9f %.6f %d" % (count, elapsed, used, peak)]
    ordered = sorted(times)
    for share in (0.5, 0.99, 0.999) if ordered else ():
        figures.append("%.9f" % ordered[int(share * (len(ordered) - 1))])
    print(" ".join(figures))


def pair(size, count):
    pin(0)
    context = zmq.Context()
    a, b = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    a.bind("inproc://pair")
    b.connect("inproc://pair")
    data = b"x" * size
    used, start = cpu(), time.perf_counter()
    for _ in range(count):
        b.send(data)
        if len(a.recv()) != size:
            raise SystemExit("not what was sent")
    report(count, time.perf_counter() - start, cpu() - used)


def split(second):
    """Runs `second` in another process: its end of a pipe is the argument."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        pin(1)
        second(os.fdopen(reader))
        os._exit(0)
    os.close(reader)
    pin(0)
    return child, os.fdopen(writer, "w")


def tell(writer, socket):
    writer.write(socket.getsockopt(zmq.LAST_ENDPOINT).decode().strip("\0") + "\n")
    writer.flush()


def stream(endpoint, size, count):
    def push(reader):
        out = zmq.Context().socket(zmq.PUSH)
        out.connect(reader.readline().strip())
        data = b"x" * size
        for _ in range(count + 1):
            out.send(data)
        reader.read()

    child, writer = split(push)
    socket = zmq.Context().socket(zmq.PULL)
    socket.bind(endpoint)
    tell(writer, socket)
    socket.recv()
    used, start = cpu(), time.perf_counter()
    for _ in range(count):
        if len(socket.recv()) != size:
            raise SystemExit("not what was sent")
    elapsed = time.perf_counter() - start
    writer.close()
    os.waitpid(child, 0)
    report(count, elapsed, cpu() - used)


def latency(endpoint, size, count):
    warm = count // 10 + 10

    def serve(reader):
        server = zmq.Context().socket(zmq.REP)
        server.connect(reader.readline().strip())
        for _ in range(count + warm):
            server.send(server.recv())
        reader.read()

    child, writer = split(serve)
    client = zmq.Context().socket(zmq.REQ)
    client.bind(endpoint)
    tell(writer, client)
    data, times = b"x" * size, []
    for i in range(count + warm):
        if i == warm:
            used = cpu()
        start = time.perf_counter()
        client.send(data)
        if len(client.recv()) != size:
            raise SystemExit("not what was sent")
        if i >= warm:
            times.append(time.perf_counter() - start)
    writer.close()
    os.waitpid(child, 0)
    report(count, sum(times), cpu() - used, times)


works = {"pair": pair, "stream": stream, "latency": latency}
works[sys.argv[1]](*[int(x) if x.isdigit() else x for x in sys.argv[2:]])
