#!/usr/bin/python3 -I
"""Soak with peers: messages between processes that are killed, stopped and restarted.

    peers.py PROGRAM [HOURS [SEED]]      PROGRAM is peer.scm, compiled

Twelve groups: push/pull, dealer/router and pub/sub, each with and without swap, over tcp and ipc;
half of them use CURVE.  A group has one process that lives to the end, the survivor, on the
module.  It sends to one peer and receives from another; these two are of pyzmq or of the module,
and are killed and restarted.  All are stopped with SIGSTOP at times.  Each of the 24 connections is
a channel.

A peer gets one argument for each role (NAME=VALUE;...) and writes lines to stdout:

    CHANNEL up ENDPOINT        its socket is open
    CHANNEL s NUMBER           the message was accepted
    CHANNEL r SENDER NUMBER    it received that message of that incarnation of the sender
    CHANNEL b HEADER           the content is wrong
    CHANNEL a ROUTER SENDER NUMBER   a dealer received the answer to that message
    CHANNEL u                  a router could not answer, because the peer was gone
    CHANNEL w PEAK DROPPED LOST      counts of the swap
    CHANNEL q                  after SIGUSR1: it sends nothing more

While both ends of a channel live, nothing may be lost, repeated or reordered, but for what a
publisher without swap drops at the high-water mark while a process is stopped.  When an end is
killed, only what was in flight there may be lost: at most IN_FLIGHT messages, and what waits in the
swap of a sender that is killed.  Survivors may not grow, and no channel may stand still.

A line is printed each minute, and a table at the end, also after SIGTERM.  Exit code 1 is a
violation.
"""

import ctypes
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import zmq

IN_FLIGHT = 600         # two high-water marks, and the buffers of the system
STALL = 60              # seconds without a message while both ends run
GRACE = 30              # seconds in which what a stopped subscriber missed may show
HWM = 20
RATE = 15               # messages a second on each channel
SWAP = 64 << 20
MEMORY = 4096           # kB that a survivor may grow after the first third of an hour or more
YOUNG = 12288           # the same in a shorter run: CHICKEN's heap still finds its size
HERE = os.path.dirname(os.path.abspath(__file__))
PATTERNS = [("push", "pull"), ("dealer", "router"), ("pub", "sub")]

libc = ctypes.CDLL(None)


def die_with_parent():
    libc.prctl(1, signal.SIGKILL)


class Peer:
    """A process, and what it has written."""

    def __init__(self, soak, command, roles, ends):
        self.soak, self.ends, self.rest, self.waits = soak, ends, b"", len(roles)
        self.stopped_until, self.born = None, time.monotonic()
        self.process = subprocess.Popen(
            command + roles, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=soak.errors, env=soak.environment, cwd=soak.directory,
            preexec_fn=die_with_parent)
        self.pid, self.out = self.process.pid, self.process.stdout.fileno()
        os.set_blocking(self.out, False)
        soak.poll.register(self.out, select.POLLIN)
        soak.peers[self.out] = self

    def read(self):
        """Takes the lines that are there; False at the end."""
        try:
            data = os.read(self.out, 65536)
        except BlockingIOError:
            return True
        if not data:
            return False
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            words = line.decode(errors="replace").split(" ")
            if words[1] == "up":
                self.waits -= 1
            self.soak.channels[int(words[0])].line(self, words[1], words[2:])
        return True

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self, seconds):
        self.signal(signal.SIGSTOP)
        self.stopped_until = time.monotonic() + seconds
        for channel in self.ends:
            channel.stops += 1

    def resume(self):
        self.signal(signal.SIGCONT)
        self.stopped_until = None
        for channel in self.ends:
            channel.quiet_since = channel.resumed = time.monotonic()

    def forget(self):
        while self.read():
            pass
        self.soak.poll.unregister(self.out)
        del self.soak.peers[self.out]
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.forget()

    def usage(self):
        """kB of memory, descriptors."""
        with open("/proc/%d/statm" % self.pid) as f:
            pages = int(f.read().split()[1])
        return pages * resource.getpagesize() // 1024, len(os.listdir("/proc/%d/fd" % self.pid))


class Channel:
    def __init__(self, soak, number, pattern, swap, name):
        self.soak, self.number, self.name = soak, number, name
        self.pattern, self.swap = pattern, swap
        self.ends = [None, None]            # the peers that send and receive
        self.incarnations = [0, 0]
        self.accepted = {}                  # by incarnation of the sender: the last number
        self.last = {}                      # the last received, and by which incarnation
        self.answered = {}
        self.sent = self.received = self.answers = self.lost = self.dropped = 0
        self.kills = self.stops = self.peak = 0
        self.quiet = False
        self.resumed, self.quiet_since = float("-inf"), time.monotonic()

    def violation(self, *words):
        self.soak.violation(self.name, *words)

    def begin(self, side):
        """A new incarnation of one end; returns its number."""
        self.incarnations[side] += 1
        new = self.incarnations[side]
        if side == 0:
            self.accepted[new] = -1
            self.last[new] = (-1, self.incarnations[1])
            self.answered[new] = (-1, (self.incarnations[1], new))
        return new

    def line(self, peer, what, words):
        if what == "s":
            self.accepted[self.incarnations[0]] = int(words[0])
            self.sent += 1
        elif what == "r":
            self.received += 1
            self.quiet_since = time.monotonic()
            self.step("message", self.last, self.incarnations[1], int(words[0]), int(words[1]))
        elif what == "a":
            # A new dealer can receive what was queued for the one before.
            router, sender, number = map(int, words)
            self.answers += 1
            self.step("answer", self.answered, (router, self.incarnations[0]), sender, number)
        elif what == "w":
            peak, dropped, lost = map(int, words)
            self.peak = max(self.peak, peak)
            if dropped or lost:
                self.violation("the swap dropped", dropped, "and lost", lost)
        elif what == "b":
            self.violation("wrong content:", *words)
        elif what == "q":
            self.quiet = True
        elif what == "up":
            self.endpoint = words[0]
            self.quiet_since = time.monotonic()

    def step(self, what, last, reader, sender, number):
        before, by = last.get(sender, (-1, 0))
        last[sender] = number, reader
        gap = number - before - 1
        if gap < 0:
            self.violation(what, number, "of", sender, "after", before)
        elif gap == 0:
            return
        elif self.pattern == "pub":
            if before < 0 or by != reader:
                return                      # a subscriber that joined late
            if not self.swap and self.was_stopped():
                self.dropped += gap
            else:
                self.violation("lost", gap, "before", number, "of", sender)
        elif by == reader or gap > IN_FLIGHT:
            self.violation(what, "lost:", gap, "before", number, "of", sender, "by", reader)
        else:
            self.lost += gap

    def was_stopped(self):
        return (time.monotonic() - self.resumed < GRACE
                or any(end and end.stopped_until for end in self.ends))

    def check_progress(self, now):
        if (all(self.ends) and not any(end.stopped_until for end in self.ends)
                and now - self.quiet_since > STALL):
            self.violation("no message for", STALL, "seconds")
            self.quiet_since = now

    def drained(self):
        newest = self.incarnations[0]
        return (self.quiet and self.last[newest][0] == self.accepted[newest]
                and (self.pattern != "dealer" or self.answered[newest][0] == self.accepted[newest]))

    def finish(self):
        newest = self.incarnations[0]
        if not self.drained():
            self.violation("accepted up to", self.accepted[newest], "received up to",
                           self.last[newest][0], "answered up to", self.answered[newest][0])
        for sender, accepted in self.accepted.items():
            tail = accepted - self.last[sender][0]
            if tail < -1:
                self.violation("received", self.last[sender][0], "of", sender, "sent", accepted)
            if sender == newest or self.pattern == "pub":
                continue
            self.lost += max(tail, 0)
            if tail > IN_FLIGHT and not self.swap:
                self.violation("lost", tail, "at the end of", sender)


class Soak:
    def __init__(self, program, hours, seed, directory):
        self.program, self.directory = program, directory
        self.random, self.seed = random.Random(seed), seed
        self.length = hours * 3600
        self.environment = dict(os.environ, ZMQ_SWAP_DIR=directory)
        self.errors = open(os.path.join(directory, "errors"), "ab")
        self.poll, self.peers = select.poll(), {}
        self.channels, self.survivors, self.victims = [], [], []
        self.samples, self.events, self.violations = [], [], 0
        self.ended = False
        self.keys = [[key.decode() for key in zmq.curve_keypair()] for _ in range(2)]
        self.start = time.monotonic()

    def violation(self, *words):
        self.violations += 1
        print("%7.0f VIOLATION" % (time.monotonic() - self.start), *words, flush=True)

    # ------------------------------------------------------- processes --

    def set_up(self):
        for group in range(12):
            pattern, swap, transport = group // 4, group // 2 % 2, group % 2
            for side in (0, 1):
                self.add_channel(group, side, pattern, swap, transport)
        for group in range(12):
            self.survivors.append(self.spawn(self.channels[2 * group:2 * group + 2], (0, 1)))
        for channel in self.channels:
            survivor = self.survivors[channel.number // 2]
            channel.ends[channel.number % 2] = survivor
        if not self.wait_for(lambda: not any(peer.waits for peer in self.survivors), 60):
            raise SystemExit("the survivors do not start")
        for channel in self.channels:
            if channel.where[channel.number % 2] == "bind":
                channel.address = channel.endpoint
            self.victims.append(channel)
            self.restart(channel)

    def add_channel(self, group, side, pattern, swap, transport):
        number = 2 * group + side
        curve = (pattern + swap + transport) % 2
        name = "%s %s %s%s %s" % (PATTERNS[pattern][0], ("tcp", "ipc")[transport],
                                  ("-", "curve")[curve], (" -", " swap")[swap],
                                  ("out", "in")[side])
        channel = Channel(self, number, PATTERNS[pattern][0], swap, name)
        channel.types, channel.curve = PATTERNS[pattern], curve
        # The survivor binds one of its channels, and connects the other.
        survivor_binds = (pattern + swap + side) % 2 == 0
        channel.where = ["connect", "connect"]
        channel.where[side if survivor_binds else 1 - side] = "bind"
        if transport:
            channel.address = "ipc://%s/%d" % (self.directory, number)
        elif survivor_binds:
            channel.address = "tcp://127.0.0.1:*"
        else:
            # An address of its own, and a port that the system gives to nobody.
            channel.address = "tcp://127.%d.%d.%d:21777" % (
                100 + os.getpid() % 100, 1 + os.getpid() // 100 % 250, 1 + number)
        self.channels.append(channel)

    def role(self, channel, side):
        words = ["channel=%d" % channel.number, "type=" + channel.types[side],
                 "where=" + channel.where[side], "endpoint=" + channel.address,
                 "incarnation=%d" % channel.begin(side), "rate=%d" % RATE, "hwm=%d" % HWM,
                 "scale=%d" % (8 if channel.swap else 1),
                 "swap=%d" % (SWAP if channel.swap and side == 0 else 0)]
        if channel.curve:
            (public, secret) = self.keys[side]
            words += ["public=" + public, "secret=" + secret]
            if side == 0:
                words.append("server=" + self.keys[1][0])
        return ";".join(words)

    def spawn(self, channels, sides, python=False):
        roles = [self.role(channel, side) for channel, side in zip(channels, sides)]
        command = ([sys.executable, "-I", os.path.join(HERE, "peer.py")] if python
                   else [self.program])
        return Peer(self, command, roles, channels)

    def restart(self, channel):
        side = 1 - channel.number % 2
        ours = (channel.swap and side == 0) or self.random.random() < 0.5
        channel.ends[side] = self.spawn([channel], [side], python=not ours)
        channel.quiet_since = time.monotonic()
        self.later(self.random.uniform(10, 60), self.disturb, channel)

    # ------------------------------------------------------ disturbing --

    def later(self, seconds, do, *arguments):
        self.events.append((time.monotonic() + seconds, do, arguments))

    def disturb(self, channel):
        """Kills or stops the victim of the channel."""
        victim, chance = channel.ends[1 - channel.number % 2], self.random.random()
        if chance < 0.3:
            self.kill(channel)
        elif chance < 0.5:
            self.stop(victim, 30)       # killed with messages that it has not read
            self.later(self.random.uniform(0.2, 10), self.kill, channel)
        else:
            self.stop(victim, self.random.choice((0.2, 2, 12, 20)))
            self.later(self.random.uniform(25, 60), self.disturb, channel)

    def kill(self, channel):
        side = 1 - channel.number % 2
        channel.kills += 1
        channel.ends[side].kill()
        channel.ends[side] = None
        self.later(self.random.uniform(0, 3), self.restart, channel)

    def disturb_survivor(self):
        self.stop(self.random.choice(self.survivors), self.random.uniform(0.1, 4))
        self.later(self.random.uniform(5, 15), self.disturb_survivor)

    def stop(self, peer, seconds):
        if peer.stopped_until is None:
            peer.stop(seconds)
            self.later(seconds, self.resume, peer)

    def resume(self, peer):
        if peer.process.poll() is None and peer.stopped_until:
            peer.resume()

    # -------------------------------------------------------- the loop --

    def turn(self, milliseconds=200):
        for fd, _ in self.poll.poll(milliseconds):
            peer = self.peers.get(fd)
            if peer is not None and not peer.read():
                code = peer.process.wait()
                peer.forget()
                self.violation("a process of", peer.ends[0].name, "ended by itself:", code)
                self.ended = True

    def wait_for(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end and not self.ended:
            self.turn()
        return condition()

    def run(self):
        minute = 60
        self.start = time.monotonic()
        self.later(5, self.disturb_survivor)
        while not self.ended:
            self.turn()
            now = time.monotonic()
            due = [event for event in self.events if event[0] <= now]
            self.events = [event for event in self.events if event[0] > now]
            for _, do, arguments in due:
                do(*arguments)
            if now - self.start >= minute:
                self.sample(minute // 60)
                minute += 60
            if now - self.start >= self.length:
                break

    def sample(self, minute):
        now = time.monotonic()
        for channel in self.channels:
            channel.check_progress(now)
        self.samples.append([peer.usage() for peer in self.survivors])
        total = lambda name: sum(getattr(channel, name) for channel in self.channels)
        print("%4d min: %d received, %d answers, %d kills, %d stops, %d lost at kills, "
              "%d dropped; survivors %d kB, %d descriptors; %d violations"
              % (minute, total("received"), total("answers"), total("kills"), total("stops"),
                 total("lost"), total("dropped"), sum(m for m, _ in self.samples[-1]),
                 sum(d for _, d in self.samples[-1]), self.violations), flush=True)

    def end(self):
        """Lets everything arrive, then ends all processes."""
        for peer in list(self.peers.values()):
            if peer.stopped_until:
                peer.resume()
        for channel in self.channels:
            if None in channel.ends:
                self.restart(channel)
        self.wait_for(lambda: not any(peer.waits for peer in self.peers.values()), 60)
        # A publisher's last message reaches only who has subscribed.
        heard = [channel.received for channel in self.channels]
        self.wait_for(lambda: all(c.received > h for c, h in zip(self.channels, heard)), 60)
        for peer in self.peers.values():
            peer.signal(signal.SIGUSR1)
        self.wait_for(lambda: all(channel.drained() for channel in self.channels), 120)
        for channel in self.channels:
            channel.finish()
        usage = [peer.usage() if peer.process.poll() is None else (0, 0)
                 for peer in self.survivors]
        self.samples.append(usage)
        for peer in list(self.peers.values()):
            peer.signal(signal.SIGTERM)
            try:
                code = peer.process.wait(30)
            except subprocess.TimeoutExpired:
                code = "not at all"
            if code != 0:
                self.violation("a process of", peer.ends[0].name, "ended:", code)
            peer.kill()

    def summary(self):
        print("\n%-24s %9s %9s %6s %6s %6s %8s %10s" % (
            "channel", "sent", "received", "kills", "stops", "lost", "dropped", "swap kB"))
        for c in self.channels:
            print("%-24s %9d %9d %6d %6d %6d %8d %10d" % (
                c.name, c.sent, c.received, c.kills, c.stops, c.lost, c.dropped,
                c.peak // 1024))
        third = len(self.samples) // 3
        print("\n%-24s %12s %12s %12s %12s" % ("survivor of", "kB, early", "kB, late",
                                               "descriptors", "late"))
        for i, peer in enumerate(self.survivors):
            early = [sample[i] for sample in self.samples[third:2 * third] or self.samples[:1]]
            late = [sample[i] for sample in self.samples[2 * third:]]
            (m0, d0), (m1, d1) = [(max(m for m, _ in part), max(d for _, d in part))
                                  for part in (early, late)]
            print("%-24s %12d %12d %12d %12d" % (peer.ends[0].name[:-4], m0, m1, d0, d1))
            if m1 > m0 + (MEMORY if self.length >= 3600 else YOUNG) or d1 > d0 + 2:
                self.violation("the survivor of", peer.ends[0].name[:-4], "grows")
        usage = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN,
                                                     resource.RUSAGE_SELF)]
        used = sum(u.ru_utime + u.ru_stime for u in usage)
        length = time.monotonic() - self.start
        self.errors.flush()
        with open(self.errors.name, errors="replace") as f:
            text = f.read(4000)
        if text:
            self.violation("stderr of the processes:\n" + text)
        print("\n%.1f minutes, seed %d, %.0f %% of a core, %d violations" % (
            length / 60, self.seed, 100 * used / length, self.violations))


def main(program, hours="1", seed=None):
    seed = int(seed) if seed else int(time.time())
    directory = tempfile.mkdtemp(prefix="zmq-soak-")
    soak = Soak(os.path.abspath(program), float(hours), seed, directory)

    def leave(*_):
        soak.ended = True

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    try:
        soak.set_up()
        soak.run()
        soak.ended = False
        soak.end()
        soak.summary()
    finally:
        for peer in list(soak.peers.values()):
            peer.kill()
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if soak.violations else 0


sys.exit(main(*sys.argv[1:]))
