# SPDX-License-Identifier: Apache-2.0
"""A lab: network namespaces, the cables between them, cgroups and a place for pins.

Everything a lab makes carries its name and the id of the process that made it,
`sallyport-NAME-PID…`, so that several run side by side, and so that what a
killed one left behind is known as such and swept away by the next. Nothing is
made in the machine's own network, and no process is put into a cgroup that is
not the lab's.
"""
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from cgroups import Cgroup, NotHere, hierarchy
from peer_client import Agent
from slow import patient

HERE = os.path.dirname(os.path.abspath(__file__))
NETNS = "/run/netns"
BPFFS = "/sys/fs/bpf"
LOCK = "/run/sallyport-lab.lock"
OURS = re.compile(r"^sallyport-[a-z0-9-]+-(\d+)(?:-[a-z][a-z0-9]*)?$")
QUICK = patient(20.0)  # seconds that any configuring command may take at most


def run(command, text=None, timeout=QUICK):
    """Runs a configuring command; its failure is ours, with what it said."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}"
                           + (f"\nin:\n{text}" if text else ""))
    return done.stdout


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def maker_of(name):
    """The id of the process that made what has this name; None when it is not a lab's."""
    match = OURS.match(name)
    return int(match.group(1)) if match else None


def listing(directory):
    try:
        return os.listdir(directory)
    except OSError:
        return []


def remove_pins(directory):
    # What is pinned is not read back: unlinking is all that ends it.
    for parent, folders, files in os.walk(directory, topdown=False):
        for name in files:
            os.unlink(os.path.join(parent, name))
        for name in folders:
            os.rmdir(os.path.join(parent, name))
    os.rmdir(directory)


def sweep(is_stale):
    """Removes what labs have left whose maker `is_stale`, pins before the NICs they hold."""
    for name in listing(BPFFS):
        maker = maker_of(name)
        if maker is not None and is_stale(name, maker):
            remove_pins(os.path.join(BPFFS, name))
    for name in listing(hierarchy()):
        maker = maker_of(name)
        if maker is not None and is_stale(name, maker):
            Cgroup("/" + name).remove()
    for name in listing(NETNS):
        maker = maker_of(name)
        if maker is not None and is_stale(name, maker):
            run(["ip", "netns", "del", name])
    for name in listing(tempfile.gettempdir()):
        maker = maker_of(name)
        if maker is not None and is_stale(name, maker):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)


class Host:
    """One machine of a lab: a network namespace."""

    def __init__(self, lab, role):
        self.lab = lab
        self.role = role
        self.netns = f"{lab.name}-{role}"
        self.netns_file = os.path.join(NETNS, self.netns)
        run(["ip", "netns", "add", self.netns])
        # Addresses are usable at once, and no router but the lab's speaks.
        self.sysctl("net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0",
                    "net.ipv6.conf.default.accept_ra=0", "net.ipv4.conf.all.rp_filter=0",
                    "net.ipv4.conf.default.rp_filter=0")
        self.ip("link set lo up")

    def command(self, command, cgroup=None):
        """`command` as it must be started to run in this machine, and in a cgroup if asked."""
        entered = [sys.executable, os.path.join(HERE, "enter.py"), "--netns", self.netns_file]
        if cgroup is not None:
            entered += ["--cgroup", cgroup.directory]
        return entered + ["--"] + list(command)

    def run(self, *command, cgroup=None, timeout=QUICK):
        return run(self.command(command, cgroup), timeout=timeout)

    def ip(self, *lines):
        """`ip` commands, in one go."""
        return run(["ip", "-n", self.netns, "-batch", "-"], "\n".join(lines) + "\n")

    def ip_json(self, *words):
        return json.loads(run(["ip", "-n", self.netns, "-j", "-d", *words]) or "[]")

    def sysctl(self, *settings):
        self.run("sysctl", "-q", "-w", *settings)

    def address(self, interface, *addresses):
        self.ip(*(f"addr add {a.split(' ', 1)[0]} dev {interface} {a.partition(' ')[2]}" + (" nodad" if ":" in a else "")
                  for a in addresses))

    def route(self, *routes):
        """Routes as `ip route replace` takes them, of either family."""
        for family in "-4", "-6":
            lines = [f"route replace {r}\n" for r in routes if (":" in r) == (family == "-6")]
            run(["ip", family, "-n", self.netns, "-batch", "-"], "".join(lines))

    def forward(self):
        """Makes it a router. Its own errors are not throttled: probes come in bursts."""
        self.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                    "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")

    def agent(self, cgroup=None, name="peer", uid=None):
        """A process in this machine that sends, listens and probes for us; ends with the lab."""
        command = [sys.executable, os.path.join(HERE, "peer.py"), "--name", name]
        if uid is not None:
            command += ["--uid", str(uid)]
        made = Agent(self.command(command, cgroup), f"{self.role}/{name}")
        self.lab.agents.append(made)
        return made


class Lab:
    """Use it as a context: what it made is gone when the block is left, however that happens."""

    made = 0

    def __init__(self, name):
        self.title = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
        Lab.made += 1
        number = f"{Lab.made}-" if Lab.made > 1 else ""
        self.name = f"sallyport-{self.title}-{number}{os.getpid()}"
        self.hosts = {}
        self.agents = []
        self.processes = []
        self.macs = 0

    def __enter__(self):
        if os.geteuid() != 0:
            raise NotHere("a lab needs root: namespaces, cgroups and BPF; run it with sudo")
        for tool in ("ip", "ethtool", "sysctl"):
            if shutil.which(tool) is None:
                raise NotHere(f"{tool} is not installed; run scripts/setup")
        # One at a time: others may be mounting and sweeping the same things.
        with open(LOCK, "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.ismount(BPFFS):
                run(["mount", "-t", "bpf", "bpf", BPFFS])
            sweep(lambda name, maker: self.owns(name) or not is_running(maker))
        try:
            self.cgroup = Cgroup("/" + self.name).make()
            self.bpffs = os.path.join(BPFFS, self.name)
            os.mkdir(self.bpffs, 0o700)
            self.directory = os.path.join(tempfile.gettempdir(), self.name)
            os.mkdir(self.directory, 0o700)
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def build(self):
        """For labs with a shape of their own."""

    def close(self):
        for agent in self.agents:
            agent.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(QUICK)
        self.agents, self.processes = [], []
        sweep(lambda name, _: self.owns(name))

    def owns(self, name):
        return name == self.name or name.startswith(self.name + "-")

    def host(self, role):
        self.hosts[role] = Host(self, role)
        return self.hosts[role]

    def cable(self, left, left_name, right, right_name, mtu=1500):
        """A veth pair between two machines, up on both ends."""
        ends = []
        for host, name in ((left, left_name), (right, right_name)):
            self.macs += 1
            ends.append(f"name {name} netns {host.netns} mtu {mtu} "
                        f"address 02:00:00:00:00:{self.macs:02x}")
        run(["ip", "-batch", "-"], f"link add {ends[0]} type veth peer {ends[1]}\n")
        for host, name in ((left, left_name), (right, right_name)):
            # Checksums that a veth leaves to nobody would be wrong once a packet
            # is copied out by XDP or a packet socket: have them made for real.
            host.run("ethtool", "-K", name, "tx", "off")
            host.ip(f"link set {name} up")

    def start(self, command, **options):
        """A process that ends with the lab at the latest."""
        process = subprocess.Popen(command, **options)  # pylint: disable=consider-using-with
        self.processes.append(process)
        return process
