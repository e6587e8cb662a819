# SPDX-License-Identifier: Apache-2.0
"""New connections of an honest client per second, with and without a flood of forged SYNs.

One veth pair between two namespaces. What the server's NIC receives is handled by a kernel
thread of its own (threaded NAPI) on the CPU where the server runs; the client has the other
one, and shares it in every case with the source of the flood, which spins when it sends
nothing. That thread goes before all processes, as an interrupt's work would, and ours before
those of others. So only what the server's side does with the flood differs. Where there is
no wall the server's NIC has an XDP program that lets everything in, or a veth would hand the
frames on another way. The client opens from many addresses in turn, as newcomers do, or from
one, which the wall remembers. Every case has a port and a rule of its own: the wall goes on
answering by cookies for ten seconds after a flood.
"""
import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

import packets
from guard import Guard
from lab import Lab
from slow import patient

SERVER = {4: "10.66.0.1", 6: "fd00:66::1"}
CLIENT = {4: "10.66.0.2", 6: "fd00:66::2"}
FORGED = {4: ("10.67.0.0", "10.67.0.0/16"), 6: ("fd00:67::1", "fd00:67::/32")}
HONEST = {4: ("10.68.0.0", "10.68.0.0/16"), 6: ("fd00:68::1", "fd00:68::/32")}
MANY = 1000           # of these: what newcomers may at once, without a flood
TOTAL = 20000         # limit-total: more than the client opens, less than the flood
CPU_SERVER, CPU_CLIENT = 1, 0
NICE = {"ask": -19, "serve": -15, "syn_source": -10}
SETTLE = 0.5          # seconds of flood before the client begins


@dataclass(frozen=True)
class Case:
    name: str
    port: int
    wall: bool
    flood: bool
    cookies: str = "auto"
    clients: int = MANY


CASES = (
    Case("no wall", 8000, False, False),
    Case("no wall, flood", 8001, False, True),
    Case("the same, kernel's cookies", 8006, False, True, "kernel"),
    Case("wall", 8002, True, False),
    Case("wall, flood, cookies", 8003, True, True),
    Case("wall, flood, no cookies", 8004, True, True, "off"),
    Case("the same, one known client", 8005, True, True, "off", 1),
)


def policy(lab, interface):
    text = (f'schema = 1\n[host]\ninterfaces = ["{interface}"]\ncgroup = "{lab.cgroup.path}"\n'
            f'xdp = "native"\nsysctls = "set"\n'
            f'[zones]\nlab = ["10.64.0.0/13", "fd00:60::/28"]\n')
    for case in (case for case in CASES if case.wall):
        text += (f'[[ingress]]\nname = "{case.name}"\nfrom = "lab"\n'
                 f'proto = "tcp"\nports = [{case.port}]\nlimit = "{TOTAL}/second"\n'
                 f'limit-total = "{TOTAL}/second"\nsyn-cookies = "{case.cookies}"\n')
    return text


class Pair(Lab):
    """`server` and `client`, and the programs that measure. `nic` is the server's."""

    def __init__(self, tools, sallyport):
        super().__init__("bench")
        self.tools, self.sallyport = tools, sallyport
        self.nic = f"b{os.getpid()}"  # the thread has its name: there is no other like it

    def build(self):
        self.server, self.client = self.host("server"), self.host("client")
        self.cable(self.server, self.nic, self.client, "eth0")
        for host, interface, mine, other, far in ((self.server, self.nic, SERVER, CLIENT, "client"),
                                                  (self.client, "eth0", CLIENT, SERVER, "server")):
            host.address(interface, f"{mine[4]}/24", f"{mine[6]}/64")
            host.sysctl("net.ipv4.tcp_max_syn_backlog=4096", "net.core.somaxconn=4096",
                        "net.ipv4.ip_local_port_range=10000 65000")
            mac = f"02:00:00:00:00:0{2 if far == 'client' else 1}"
            host.ip(*(f"neigh replace {address} lladdr {mac} dev {interface} nud permanent"
                      for address in other.values()))
        self.server.route(f"default via {CLIENT[4]}", f"default via {CLIENT[6]}")
        self.client.route(*(f"blackhole {network}" for _, network in FORGED.values()),
                          *(f"local {network} dev lo" for _, network in HONEST.values()))
        self.ends = self.client.agent()
        self.ends.call("pass_all", interface="eth0")
        self.guard = Guard(self, self.server, self.sallyport)
        for case in CASES:
            self.serve(case.port)

    def tool(self, host, cpu, name, *arguments, cgroup=None):
        """Its command line. In a session of its own, whose share of the CPU is set (sched(7))."""
        nice = NICE[arguments[0] if name == "connect_loop" else name]
        return ["setsid", "--wait", "sh", "-c",
                f'echo {nice} 2>/dev/null >/proc/self/autogroup; exec nice -n {nice} "$@"', "sh",
                *host.command(["taskset", "-c", str(cpu), os.path.join(self.tools, name),
                               *map(str, arguments)], cgroup)]

    def serve(self, port):
        process = self.start(self.tool(self.server, CPU_SERVER, "connect_loop", "serve", port,
                                       cgroup=self.cgroup), stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("connect_loop does not serve")

    def pin_napi(self):
        """The thread that handles what the NIC receives, to the server's CPU; its id."""
        subprocess.run(["ip", "netns", "exec", self.server.netns, "sh", "-c",
                        f"echo 1 > /sys/class/net/{self.nic}/threaded"], check=True, timeout=20)
        until = time.monotonic() + patient(5.0)
        while time.monotonic() < until:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as comm:
                        if comm.read().startswith(f"napi/{self.nic}"):
                            os.sched_setaffinity(int(pid), {CPU_SERVER})
                            os.sched_setscheduler(int(pid), os.SCHED_FIFO, os.sched_param(1))
                            return int(pid)
                except OSError:
                    continue
            time.sleep(0.05)
        raise RuntimeError(f"no thread handles what {self.nic} receives")

    def flood(self, case, family, rate, seconds):
        src, dst = FORGED[family][0], SERVER[family]
        segment = packets.tcp(src, dst, 40000, case.port, seq=0)
        if family == 4:
            packet = packets.ipv4(src, dst, packets.TCP, segment, ident=0)
            low, balance = 14 + 14, f"{14 + 4},{14 + 20 + 6}"
        else:
            packet = packets.ipv6(src, dst, packets.TCP, segment)
            low, balance = 14 + 12, f"{14 + 40 + 6},{14 + 40 + 6}"
        frame = packets.ethernet("02:00:00:00:00:01", "02:00:00:00:00:02", packet)
        return self.start(self.tool(self.client, CPU_CLIENT, "syn_source", "eth0", frame.hex(), low,
                                    balance, rate if case.flood else 0, seconds),
                          stdout=subprocess.PIPE, text=True)

    def ask(self, case, family, seconds):
        done = subprocess.run(self.tool(self.client, CPU_CLIENT, "connect_loop", "ask",
                                        SERVER[family], case.port, seconds, HONEST[family][0],
                                        case.clients),
                              capture_output=True, text=True, check=True, timeout=patient(60.0))
        return json.loads(done.stdout)

    def measure(self, case, family, rate, seconds):
        napi = self.pin_napi()
        if case.clients == 1:
            self.ask(case, family, 0.1)  # from now on it is known
        flood = self.flood(case, family, rate, seconds + 2 * SETTLE)
        time.sleep(SETTLE)
        before, begun = spent_ns(napi), time.monotonic()
        asked = self.ask(case, family, seconds)
        used = (spent_ns(napi) - before) / 1e9 / (time.monotonic() - begun)
        sent = json.loads(flood.communicate(timeout=patient(60.0))[0])
        return {**asked, "napi_cpu": round(used, 3),
                "flood_a_second": round(sent["sent"] / sent["seconds"])}


def spent_ns(thread):
    with open(f"/proc/{thread}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def one_round(pair, family, rate, seconds):
    """Every case once, those without the wall first: {case: measured}."""
    found = {}
    # With it, what the client opens takes the same way through the NIC as under the wall.
    bare = pair.server.agent(name="bare")
    bare.call("pass_all", interface=pair.nic)
    for case in CASES:
        if not case.wall:
            always = 2 if case.cookies == "kernel" else 1  # 1: when its queue is full
            pair.server.sysctl(f"net.ipv4.tcp_syncookies={always}")
            found[case.name] = pair.measure(case, family, rate, seconds)
    bare.close()
    pair.server.sysctl("net.ipv4.tcp_syncookies=1")
    pair.guard.start(pair.guard.write_policy(policy(pair, pair.nic)))
    try:
        for case in CASES:
            if case.wall:
                found[case.name] = pair.measure(case, family, rate, seconds)
    finally:
        pair.guard.stop()
        pair.guard.down()
    return found


def measure(tools, sallyport, families, rounds, rate, seconds):
    """[{family, case, rounds: [...], medians}]: the rounds are interleaved."""
    found = []
    with Pair(tools, sallyport) as pair:
        taken = [(family, one_round(pair, family, rate, seconds))
                 for _ in range(rounds) for family in families]
    for family in families:
        for case in CASES:
            each = [cases[case.name] for of, cases in taken if of == family]
            found.append({"family": family, "case": case.name, "rounds": each,
                          **{key: statistics.median(one[key] for one in each) for key in each[0]}})
    return found
