# SPDX-License-Identifier: Apache-2.0
"""Two hosts alike but for their wall, and a sender with two cables to each.

`a` is guarded by Sallyport, `b` by nft or iptables. Both have the same
addresses and the same MACs; the sender speaks by packet sockets alone and
answers nothing, so that a frame is the same for both and its consequences are
those of the host. By one cable the sender is the world outside, by the other
the box behind the host, which routes between them.
"""
import contextlib
import os
import socket
import time

from cgroups import Cgroup, hierarchy
from decode import decode_frame, decode_ip
from enter import enter_netns
from guard import Guard
from lab import Lab, run
from maker import Maker
from observer import INVALID_TABLE, SEEN, TABLE, Logged, Wire, forget_flows
import packets
from policies import SLICE, UNITS
from routes import BOX, BOX_MAC, BOX_NETWORK, INSIDE, INSIDE_MAC
import rulesets

HOST = {4: "10.1.0.1", 6: "fd00:1::1"}
SECOND = {4: "10.1.0.9", 6: "fd00:1::9"}
GATEWAY = {4: "10.1.0.2", 6: "fd00:1::2"}
HOST_MAC, SENDER_MAC = "02:00:00:00:0a:01", "02:00:00:00:0a:02"
PATIENCE = 10.0
BARRIERS = 64


class Silent(RuntimeError):
    """A barrier did not come through: then silence proves nothing."""


class Side:
    """One of the twins: its host, and the sender's end of its cable."""

    def __init__(self, name, host):
        self.name = name
        self.host = host
        self.wire = None        # the sender's end outside
        self.inner = None       # the box's
        self.back = None        # a packet socket on the host's own end
        self.logged = None
        self.makers = {}        # unit -> Maker of sockets that belong to its processes
        self.entered = []       # Packets behind the wall since `clear`
        self.invalid = []       # Packets that conntrack found INVALID
        self.left = []          # Packets that reached the outside since then
        self.inside = []        # Packets that reached the box

    def clear(self):
        self.entered, self.left, self.invalid, self.inside = [], [], [], []

    def take(self):
        for group, data in self.logged.take():
            (self.entered if group == SEEN else self.invalid).append(decode_ip(data))
        self.left += [decode_frame(frame) for frame in self.wire.take()]
        self.inside += [decode_frame(frame) for frame in self.inner.take()]

    def send(self, frame, by_box=False):
        (self.inner if by_box else self.wire).send(frame)


class Ground(Lab):
    def __init__(self, binary):
        super().__init__("twin")
        self.binary = binary
        self.barriers = 0
        self.style = None
        self.nat = None

    def build(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.sender = self.host("sender")
        self.sender.sysctl("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self.a, self.b = (Side(name, self.host(name)) for name in ("a", "b"))
        self.sides = (self.a, self.b)
        self.unguarded = Cgroup(self.cgroup.path + "-b").make()
        for side in self.sides:
            self.prepare(side)
        run(self.b.host.command(["nft", "-f", "-"]), INVALID_TABLE)
        self.guard = Guard(self, self.a.host, self.binary)

    def prepare(self, side):
        host = side.host
        self.cable(host, "eth0", self.sender, f"to-{side.name}")
        host.ip("link set eth0 down", f"link set eth0 address {HOST_MAC}", "link set eth0 up")
        self.cable(host, "box0", self.sender, f"box-{side.name}", mtu=1400)
        host.ip("link set box0 down", f"link set box0 address {INSIDE_MAC}", "link set box0 up")
        host.forward()  # without throttling errors, which are compared too
        host.sysctl("net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0",
                    "net.ipv4.conf.all.accept_redirects=0", "net.ipv6.conf.all.accept_redirects=0")
        self.tune(host, "net.ipv4.icmp_msgs_per_sec=1000000", "net.ipv4.icmp_msgs_burst=100000",
                  "net.ipv4.tcp_invalid_ratelimit=0", "net.ipv4.tcp_challenge_ack_limit=1000000",
                  "net.ipv4.tcp_syn_retries=1", "net.ipv4.tcp_synack_retries=1")
        # All go by the gateway, so that answers leave for whatever source was forged.
        host.address("eth0", *(f"{where[4]}/24 brd + noprefixroute" for where in (HOST, SECOND)),
                     *(f"{where[6]}/128" for where in (HOST, SECOND)))  # no router's anycast
        host.ip(*(f"neigh replace {GATEWAY[f]} lladdr {SENDER_MAC} dev eth0 nud permanent"
                  for f in (4, 6)))
        host.route(*(f"default via {GATEWAY[f]} dev eth0 onlink" for f in (4, 6)),
                   *(f"{GATEWAY[f]} dev eth0" for f in (4, 6)))
        host.address("box0", *(f"{INSIDE[f]}/{128 if f == 6 else 32}" for f in (4, 6)))
        host.ip(*(f"neigh replace {BOX[f]} lladdr {BOX_MAC} dev box0 nud permanent" for f in (4, 6)))
        host.route(*(f"{BOX_NETWORK[f]} via {BOX[f]} dev box0 onlink" for f in (4, 6)))
        run(host.command(["nft", "-f", "-"]), TABLE)
        with self.within(host):
            side.logged = Logged()
            side.back = Wire("eth0", hears=False)
        within = self.cgroup if side is self.a else self.unguarded
        for unit in UNITS:
            side.makers[unit] = Maker(host.netns_file, within.child(f"{SLICE}/{unit}").directory)
        with self.within(self.sender):
            side.wire = Wire(f"to-{side.name}", hears=True)
            side.inner = Wire(f"box-{side.name}", hears=True)

    def tune(self, host, *settings):
        """Where this kernel has them for a namespace."""
        for setting in settings:
            try:
                host.sysctl(setting)
            except RuntimeError:
                pass

    @contextlib.contextmanager
    def within(self, host):
        """Sockets made in the block belong to that machine."""
        enter_netns(host.netns_file)
        try:
            yield
        finally:
            enter_netns(f"/proc/self/fd/{self.home}")

    @contextlib.contextmanager
    def on_one_cpu(self):
        """What goes over a veth waits in the queue of the CPU that sent it, and only there in order."""
        cpus = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cpus)})
        try:
            yield
        finally:
            os.sched_setaffinity(0, cpus)

    # ---- the walls ----------------------------------------------------------------

    def raise_walls(self, policy, style, other=None):
        """The policy on both (`other` on b if given), with no flow left of the one before."""
        self.lower_walls()
        self.file = self.guard.write_policy(policy.toml(self.cgroup.path))
        self.guard.start(self.file)
        self.restore(other or policy, style)
        self.nat = policy.nat
        for side in self.sides:
            if self.nat is not None:
                run(side.host.command(["nft", "-f", "-"]), self.nat.script("eth0", HOST))
            with self.within(side.host):
                forget_flows()
            side.take()
            side.clear()

    def change_walls(self, policy, style):
        """Another policy, with all flows that there are."""
        before = self.guard.status()["generation"]
        self.guard.write_policy(policy.toml(self.cgroup.path))
        self.guard.reload()
        if self.guard.wait_status(lambda s: s["generation"] != before)["generation"] == before:
            raise RuntimeError("the reload never took effect")
        self.restore(policy, style)

    def restore(self, policy, style):
        host = self.b.host
        self.style = style
        if style == "nft":
            # nft looks for cgroups below /sys/fs/cgroup, whatever is mounted there.
            run(host.command(["unshare", "-m", "sh", "-c",
                              f"mount --bind {hierarchy()} /sys/fs/cgroup && exec nft -f -"]),
                rulesets.nft_script(policy, self.unguarded.path))
            return
        for family in (4, 6):
            run(host.command([tool(style, family)]),
                rulesets.iptables_script(policy, family, self.unguarded.path))

    def lower_walls(self):
        if self.guard.process is not None:
            if self.guard.process.poll() is None:
                self.guard.stop()
            self.guard.down()
            self.guard.process = None
        if self.style == "nft":
            run(self.b.host.command(["nft", "delete", "table", "inet", "wall"]))
        elif self.style is not None:
            for family in (4, 6):
                run(self.b.host.command([tool(self.style, family)]),
                    "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n")
        if self.nat is not None:
            for side in self.sides:
                run(side.host.command(["nft", "delete", "table", "inet", "twin_nat"]))
        self.style, self.nat = None, None

    def reasons(self):
        return self.guard.status()["reasons"]

    # ---- order --------------------------------------------------------------------

    def settle(self):
        """Returns when all that was sent before has been judged by both, both ways.

        A neighbour solicitation from either end passes both walls, and so does the
        host's advertisement; one of BARRIERS sources says which answer is whose.
        """
        self.barriers += 1
        source = f"fe80::feed:{self.barriers % BARRIERS + 1:x}"
        label = 0xF0000 | self.barriers & 0x7FFF
        inner, outer = (solicitation(mac, source, asked, label | behind) for mac, asked, behind in (
            (BOX_MAC, INSIDE[6], 0x8000), (SENDER_MAC, HOST[6], 0)))
        until, again = time.monotonic() + PATIENCE, 0.0
        waiting = list(self.sides)
        while waiting:
            if time.monotonic() > again:  # a loaded machine loses one now and then
                for side in waiting:
                    side.send(inner, by_box=True)
                    side.send(outer)
                again = time.monotonic() + PATIENCE / 5
            for side in waiting:
                side.take()
            waiting = [s for s in waiting if not (
                {label, label | 0x8000} <= {p.label for p in s.entered[-16:] if p.family == 6}
                and all(any(p.dst == source for p in heard[-32:]) for heard in (s.left, s.inside)))]
            if waiting and time.monotonic() > until:
                raise Silent("no answer to a neighbour solicitation by "
                             + ", ".join(s.name for s in waiting))
            if waiting:
                time.sleep(0.0002)

    def close(self):
        for side in getattr(self, "sides", ()):
            for sock in (side.wire, side.inner, side.back, side.logged, *side.makers.values()):
                if sock is not None:
                    sock.close()
        if hasattr(self, "unguarded"):
            self.unguarded.remove()
        super().close()


def solicitation(mac, source, asked, label):
    ask = bytearray(packets.neighbour_solicitation(mac, source, asked))
    ask[15:18] = label.to_bytes(3, "big")
    return bytes(ask)


def tool(style, family):
    """iptables-legacy-restore and its like, by the name of the style."""
    return style.replace("iptables", "iptables" if family == 4 else "ip6tables") + "-restore"

