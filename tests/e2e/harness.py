# SPDX-License-Identifier: Apache-2.0
"""The lab that the end-to-end tests share, and what they ask of it.

`host` is guarded on eth0; `peer` is everybody else, under as many addresses as
a test needs; a third way, eth1, joins the two without a guard. Every probe
tells its outcome as one word: "open", "timeout", "eperm", "refused", ...
"""
import functools
import json
import os
import re
import struct
import sys
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "lab"))

import packets  # noqa: E402  pylint: disable=wrong-import-position,unused-import
from guard import Guard, NotReady  # noqa: E402,F401  pylint: disable=wrong-import-position
from lab import Lab  # noqa: E402  pylint: disable=wrong-import-position
from slow import patient  # noqa: E402  pylint: disable=wrong-import-position

BINARY = os.environ.get("SALLYPORT", os.path.join(ROOT, "build", "dev", "sallyport"))
FAMILIES = (4, 6)
HOST = {4: "10.1.0.1", 6: "fd00:1::1"}
PEER = {4: "10.1.0.2", 6: "fd00:1::2"}
# Of the peer too: a prefix and what lies just outside of it.
NET = {4: "10.2.0.64/26", 6: "fd00:2:0:1::/64"}
FIRST = {4: "10.2.0.64", 6: "fd00:2:0:1::"}
LAST = {4: "10.2.0.127", 6: "fd00:2:0:1:ffff:ffff:ffff:ffff"}
BELOW = {4: "10.2.0.63", 6: "fd00:2::ffff:ffff:ffff:ffff"}
ABOVE = {4: "10.2.0.128", 6: "fd00:2:0:2::"}
OUTSIDE = {4: "203.0.113.9", 6: "2001:db8:ffff::9"}
METADATA = {4: "169.254.169.254", 6: "fd00:ec2::254"}
HOST1 = {4: "10.3.0.1", 6: "fd00:3::1"}
PEER1 = {4: "10.3.0.2", 6: "fd00:3::2"}
HOST_MAC, PEER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
NOT_OPEN = ("timeout", "eperm")
CUT = ("reset", "aborted", "closed", "timeout", "eperm")
# From 6.4 on what is routed is judged by netfilter, which sees both ends; before, as it arrives.
RELEASE = tuple(int(n) for n in os.uname().release.split(".")[:2])
NETFILTER_LINKS, TCX = RELEASE >= (6, 4), RELEASE >= (6, 6)


def rule(kind, name, peers, proto="tcp", ports=(), **more):
    """One [[ingress]], [[egress]] or [[deny]] table. `peers` is a list or a zone's name."""
    where = "to" if kind == "egress" or more.get("direction") == "egress" else "from"
    lines = [f"[[{kind}]]", f'name = "{name}"']
    if peers is not None:
        lines.append(f"{where} = " + (f'"{peers}"' if isinstance(peers, str) else as_list(peers)))
    if proto is not None:
        lines.append(f"proto = {proto}" if isinstance(proto, int) else f'proto = "{proto}"')
    if ports:
        lines.append("ports = [" + ", ".join(f'"{p}"' if isinstance(p, str) else str(p)
                                              for p in ports) + "]")
    lines += [f"{key} = " + (str(value) if isinstance(value, int) else f'"{value}"')
              for key, value in more.items()]
    return "\n".join(lines) + "\n"


def as_list(values):
    return "[" + ", ".join(f'"{v}"' for v in values) + "]"


def both(addresses):
    """The two families' values, as a list for a rule."""
    return [addresses[4], addresses[6]]


class E2e(unittest.TestCase):
    """A lab a class, a daemon when a test asks for one. What a class does not
    take down itself is taken down after each test."""

    POLICY = None     # rules for a daemon that all tests of the class share
    SHARED = False    # set by `share`: the daemon outlives a test
    SECOND_NIC = False
    MTU = 1500
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("e2e-" + re.sub(r"(?<!^)([A-Z])", r"-\1", cls.__name__))
        cls.lab.__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.host, cls.peer = cls.lab.host("host"), cls.lab.host("peer")
        cls.lab.cable(cls.host, "eth0", cls.peer, "eth0", cls.MTU)
        cls.host.address("eth0", "10.1.0.1/24", "fd00:1::1/64")
        cls.peer.address("eth0", "10.1.0.2/24", "fd00:1::2/64",
                         *(f"{a[f]}/{32 if f == 4 else 128}" for f in FAMILIES
                           for a in (FIRST, LAST, BELOW, ABOVE, OUTSIDE, METADATA)))
        cls.host.route("default via 10.1.0.2", "default via fd00:1::2")
        if cls.SECOND_NIC:
            cls.lab.cable(cls.host, "eth1", cls.peer, "eth1")
            cls.host.address("eth1", "10.3.0.1/24", "fd00:3::1/64")
            cls.peer.address("eth1", "10.3.0.2/24", "fd00:3::2/64")
        cls.there = cls.peer.agent()
        cls.here = cls.unit_agent("app")
        cls.guard = Guard(cls.lab, cls.host, BINARY)
        cls.tail = None
        cls.policies = 0
        cls.prepare()
        if cls.POLICY is not None:
            cls.share(cls.POLICY)

    @classmethod
    def prepare(cls):
        """Listeners and the like, before any daemon runs."""

    @classmethod
    def unit_agent(cls, name, unit=None, uid=None):
        """A process on the host below system.slice, in the cgroup of `unit`."""
        cgroup = cls.lab.cgroup.child(f"system.slice/{unit or name}.service")
        return cls.host.agent(cgroup, name=name, uid=uid)

    @classmethod
    def policy(cls, rules="", host="", mode="enforce", interfaces=("eth0",), zones=""):
        return (f'schema = 1\n[host]\ninterfaces = {as_list(interfaces)}\nmode = "{mode}"\n'
                f'cgroup = "{cls.lab.cgroup.path}"\n{host}\n{zones}\n{rules}')

    @classmethod
    def begin(cls, rules="", *flags, **options):
        """Starts the daemon, anew if one runs, with these rules and a tail that is served."""
        cls.end()
        cls.policies += 1
        file = cls.guard.write_policy(cls.policy(rules, **options), f"policy-{cls.policies}.toml")
        cls.file = file
        cls.guard.start(file, *flags)
        cls.listen_in()

    @classmethod
    def share(cls, rules, *flags, **options):
        """One daemon for all tests of the class."""
        cls.begin(rules, *flags, **options)
        cls.SHARED = True

    @classmethod
    def listen_in(cls):
        if cls.tail is not None:
            cls.tail.close()
        cls.tail = cls.guard.tail()
        # Served, once a drop of ours comes through: from a port that no test uses.
        for number in range(60):
            cls.there.call("udp", dst=HOST[4], port=60000 + cls.policies % 5 * 100 + number,
                           wait=False)
            if cls.tail.wait(0.1, proto="udp"):
                break

    @classmethod
    def end(cls):
        if cls.tail is not None:
            cls.tail.close()
            cls.tail = None
        if cls.guard.process is not None:
            if cls.guard.process.poll() is None:
                cls.guard.stop()
            cls.guard.down()
            cls.guard.process = None

    @classmethod
    def tearDownClass(cls):
        cls.end()

    def tearDown(self):
        failed = self._outcome.result is not None and any(
            getattr(test, "test_case", test) is self for test, _ in self._outcome.result.errors + self._outcome.result.failures)
        if failed and os.path.exists(self.guard.log):
            print("the daemon said:\n" + self.guard.said()[-4000:], file=sys.stderr)
        if not self.SHARED:
            self.end()

    def rewrite(self, rules="", **options):
        """A new text in the file that the daemon was started with, and SIGHUP."""
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(rules, **options))
        self.guard.reload()

    def switch(self, rules="", **options):
        """As `rewrite`, and returns when the new generation rules."""
        before = self.guard.status()["generation"]
        self.rewrite(rules, **options)
        after = self.guard.wait_status(lambda s: s["generation"] != before)
        self.assertNotEqual(after["generation"], before, "the reload never took effect")

    def into(self, port, family, op="tcp", **arguments):
        """The peer tries the host."""
        return self.there.result(op, dst=arguments.pop("dst", HOST[family]), port=port, **arguments)

    def out(self, port, family, op="tcp", agent=None, **arguments):
        """The host tries the peer."""
        return (agent or self.here).result(op, dst=arguments.pop("dst", PEER[family]), port=port,
                                           **arguments)

    def expect_event(self, **facts):
        found = self.tail.wait(**facts)
        if found is None:
            seen = "\n".join(str(e) for e in self.tail.events[-12:])
            self.fail(f"no event with {facts}; the last were:\n{seen}")
        return found

    def expect_no_event(self, **facts):
        """Events come in order: once a later drop of ours is seen, none is outstanding."""
        port = next(self.markers)
        self.there.call("udp", dst=HOST[4], port=port, wait=False)
        self.expect_event(dst_port=port)
        self.assertEqual(self.tail.find(**facts), [])

    def forget_flows(self):
        """Zero in every set of the table."""
        table = os.path.join(self.guard.pins, "v1/maps/sp_flows")
        shown = json.loads(self.host.run("bpftool", "-j", "map", "show", "pinned", table))
        script = os.path.join(self.guard.directory, "forget")
        zero = " ".join(["0"] * shown["bytes_value"])
        with open(script, "w", encoding="ascii") as file:
            for number in range(shown["max_entries"]):
                key = " ".join(str(b) for b in struct.pack("=I", number))
                file.write(f"map update pinned {table} key {key} value {zero}\n")
        self.host.run("bpftool", "batch", "file", script, timeout=60.0)

    markers = iter(range(61000, 65000))

    def send(self, *frames, interface="eth0"):
        """Whole frames from the peer."""
        done = self.there.call("send_frames", interface=interface, frames=[f.hex() for f in frames],
                               until_room=True)
        self.assertEqual(done["result"], "sent")

    def frame(self, packet):
        return packets.ethernet(HOST_MAC, PEER_MAC, packet)


def each_family(test):
    """Runs the test once for IPv4 and once for IPv6, each on its own account."""
    @functools.wraps(test)
    def run(self):
        for family in FAMILIES:
            with self.subTest(f"IPv{family}"):
                test(self, family)
    return run


def together(*calls):
    """Runs the calls side by side, since most of each is waiting; their results in order."""
    results = [None] * len(calls)

    def one(index):
        results[index] = calls[index]()
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def eventually(wanted, patience=8.0):
    until = time.monotonic() + patient(patience)
    while True:
        got = wanted()
        if got or time.monotonic() > until:
            return got
        time.sleep(0.05)
