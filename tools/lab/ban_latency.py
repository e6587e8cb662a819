# SPDX-License-Identifier: Apache-2.0
"""How long after a line of a log its source is shut out, as its own packets tell.

Whom the line accuses sends datagrams all the time, each with the time at which it was
sent, some in a millisecond. The last one that arrives was sent right before the ban:
whoever bans, and in whatever way, is measured by the same.
"""
import sys
import time

from slow import patient

PORT = 9999
QUIET = 0.7  # seconds without a datagram: it is banned
SENDER = """
import socket, struct, sys, time
host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
out = socket.socket(family, socket.SOCK_DGRAM)
while True:
    try:
        out.sendto(struct.pack("=q", time.monotonic_ns()), (host, port))
    except OSError:
        pass
    time.sleep(0.0002)
"""
RECEIVER = """
import select, socket, struct, sys
arrived = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
arrived.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
arrived.bind(("::", int(sys.argv[1])))
latest = 0
while True:
    ready = select.select([arrived, 0], [], [])[0]
    if arrived in ready:
        latest = max(latest, struct.unpack("=q", arrived.recv(64))[0])
    elif not sys.stdin.readline():
        break
    else:
        print(latest, flush=True)
"""


class Stream:
    """From the peer to the guarded host; the policy lets it in."""

    def __init__(self, lab, peer, host, address):
        pipes = {"stdin": -1, "stdout": -1, "text": True}
        self.receiver = lab.start(host.command([sys.executable, "-c", RECEIVER, str(PORT)]), **pipes)
        self.sender = lab.start(peer.command([sys.executable, "-c", SENDER, address, str(PORT)]))

    def latest(self):
        """When the last one that has arrived was sent, in ns of the monotonic clock."""
        self.receiver.stdin.write("\n")
        self.receiver.stdin.flush()
        return int(self.receiver.stdout.readline())

    def wait_open(self, patience=20.0):
        until = time.monotonic() + patient(patience)
        begun = time.monotonic_ns()
        while self.latest() < begun:
            if time.monotonic() > until:
                raise RuntimeError("nothing arrives: the ban was not lifted")
            time.sleep(0.01)

    def wait_shut(self, since_ns, patience=30.0):
        """The seconds from `since_ns` to the last one that came through."""
        until = time.monotonic() + patient(patience)
        while time.monotonic() < until:
            latest = self.latest()
            if time.monotonic_ns() - latest > QUIET * 1e9 and self.latest() == latest:
                return max(0.0, (latest - since_ns) / 1e9)
            time.sleep(0.02)
        raise RuntimeError("it was never banned")

    def close(self):
        for process in (self.sender, self.receiver):
            process.kill()
            process.wait(patient(20.0))
        self.receiver.stdin.close()
        self.receiver.stdout.close()


def rounds(stream, number, fail, unban):
    """`fail(n)` logs n failures of the peer; the third bans. The seconds of each round."""
    taken = []
    for _ in range(number):
        stream.wait_open()
        fail(2)
        time.sleep(0.5)
        begun = time.monotonic_ns()
        fail(1)
        taken.append(stream.wait_shut(begun))
        unban()
    return taken
