# SPDX-License-Identifier: Apache-2.0
"""A root of the distribution with nothing in it but what the package asks for, and a machine
made of it: namespaces for mounts, network and cgroups, and a peer at the other end of a wire.
"""
import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "lab"))

from cgroups import Cgroup, hierarchy  # noqa: E402  pylint: disable=wrong-import-position

CGROUP = "sallyport-package-"
PR_SET_PDEATHSIG = 1
HOST, PEER = ("10.1.0.1", "fd00:1::1"), ("10.1.0.2", "fd00:1::2")
MOUNTS = """set -e
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount -t bpf bpf "$1/sys/fs/bpf"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
ip link set lo up
echo ready
exec sleep 1200"""
PROBE = """import json, socket, sys, threading
patience, ports, hosts, found = float(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:], {}
def probe(host, port):
    try:
        socket.create_connection((host, int(port)), timeout=patience).close()
        found[host + " " + port] = "open"
    except OSError as error:
        found[host + " " + port] = "shut" if isinstance(error, TimeoutError) else str(error)
all_of_them = [threading.Thread(target=probe, args=(h, p)) for h in hosts for p in ports]
[t.start() for t in all_of_them], [t.join() for t in all_of_them]
print(json.dumps(found))"""
LISTEN = """import socket, sys, threading
listeners = [socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True,
                                  backlog=128) for port in sys.argv[1:]]
def serve(listener):
    while True:
        listener.accept()[0].close()
for listener in listeners:
    threading.Thread(target=serve, args=(listener,)).start()
print("ready", flush=True)"""


def run(*command, **more):
    more = {"check": True, "capture_output": True, "text": True, "timeout": 300,
            "stdin": subprocess.DEVNULL, **more}
    try:
        return subprocess.run(command, **more)
    except subprocess.CalledProcessError as error:
        error.add_note(str(error.stderr))
        raise


def release():
    with open("/etc/os-release", encoding="utf-8") as lines:
        facts = dict(line.rstrip("\n").split("=", 1) for line in lines if "=" in line)
    return facts["ID"].strip('"'), facts["VERSION_CODENAME"].strip('"')


def sources(suite):
    """What APT needs to know of this machine's own mirror."""
    distribution, _ = release()
    words = run(os.path.join(ROOT, "scripts", "own-mirror")).stdout.split()
    if not words:
        raise RuntimeError("this machine's APT sources have no mirror of its release")
    key = f"[signed-by={words[1]}] " if len(words) > 1 else ""
    parts = "main universe" if distribution == "ubuntu" else "main"
    suites = [suite] + ([suite + "-backports"] if suite == "bookworm" else [])
    return "".join(f"deb {key}{words[0]} {s} {parts}\n" for s in suites)


def proxies():
    """How this machine gets at its mirror, where that is not plainly."""
    dump = run("apt-config", "dump", "Acquire").stdout.splitlines()
    return [f"--aptopt={line.rstrip(';')}" for line in dump
            if "::Proxy" in line.split(" ")[0] or "::CaInfo" in line.split(" ")[0]]


def make_base(depends, directory):
    """A root with these packages alone, made once and kept: its path."""
    _, suite = release()
    packages = sorted(word.split()[0] for word in depends.split(","))
    # Debian 12's own libbpf is too old; scripts/setup takes it from the same place.
    packages = [p + "/bookworm-backports" if (p, suite) == ("libbpf1", "bookworm") else p
                for p in packages]
    name = hashlib.sha256(" ".join([suite] + packages).encode()).hexdigest()[:12]
    base = os.path.join(directory, f"base-{name}")
    if not os.path.isdir(base):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        run("mmdebstrap", "--quiet", "--variant=essential", "--format=directory", "--mode=root",
            "--include=" + ",".join(packages), "--dpkgopt=force-unsafe-io",
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--dpkgopt=path-exclude=/usr/share/doc/*", *proxies(), suite, base + ".new", "-",
            input=sources(suite), stdin=None, timeout=600)
        # The exclusions were for these packages, not for ours.
        for place in os.listdir(base + ".new/etc/dpkg/dpkg.cfg.d"):
            os.remove(f"{base}.new/etc/dpkg/dpkg.cfg.d/{place}")
        os.rename(base + ".new", base)
    return base


def sweep(directory):
    """What a run that was killed has left: its processes died with it."""
    def is_stale(name):
        pid = name.removeprefix(CGROUP)
        return pid.isdigit() and not os.path.exists(f"/proc/{pid}")

    for name in filter(is_stale, os.listdir(directory) if os.path.isdir(directory) else []):
        shutil.rmtree(os.path.join(directory, name), ignore_errors=True)
    for name in filter(is_stale, os.listdir(hierarchy())):
        if name.startswith(CGROUP):
            Cgroup("/" + name).remove()


class Machine:
    """One clean root at work, below `directory`; everything of it is gone when it is closed."""

    def __init__(self, base, directory):
        sweep(directory)
        os.makedirs(directory, exist_ok=True)
        self.directory = os.path.join(directory, str(os.getpid()))
        run("cp", "-a", "--reflink=auto", base, self.directory)
        self.cgroup = Cgroup(f"/{CGROUP}{os.getpid()}").make()
        self.others = []
        try:
            self._lay()
        except BaseException:
            self.close()
            raise

    def _lay(self):
        self.host = self._hold(["unshare", "--mount", "--net", "--cgroup", "--propagation", "private",
                                "sh", "-c", MOUNTS, "sh", self.directory])
        self.peer = self._hold(["unshare", "--net", "sh", "-c",
                                "ip link set lo up; echo ready; exec sleep 1200"])
        run("ip", "link", "add", "eth0", "netns", str(self.host.pid), "type", "veth", "peer",
            "name", "eth0", "netns", str(self.peer.pid))
        for end, addresses in ((self.host, HOST), (self.peer, PEER)):
            ip = ["nsenter", "-t", str(end.pid), "-n", "ip"]
            run(*ip, "addr", "add", addresses[0] + "/24", "dev", "eth0")
            run(*ip, "addr", "add", addresses[1] + "/64", "dev", "eth0", "nodad")
            run(*ip, "link", "set", "eth0", "up")
        self._wait(self.start_beside(sys.executable, "-c", LISTEN, "22", "80"))

    def _join(self):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with open(self.cgroup.directory + "/cgroup.procs", "w", encoding="ascii") as processes:
            processes.write(str(os.getpid()))

    def _hold(self, command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=self._join)
        self.others.append(process)
        return self._wait(process)

    @staticmethod
    def _wait(process):
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{process.args} was not ready")
        return process

    def inside(self):
        """Within its namespaces, and with the root of this machine."""
        return ["nsenter", "-t", str(self.host.pid), "--mount", "--net", "--cgroup", "--"]

    def environment(self):
        kept = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
                "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
        return kept

    def start_beside(self, *command):
        process = subprocess.Popen(self.inside() + list(command), stdout=subprocess.PIPE, text=True,
                                   preexec_fn=self._join)
        self.others.append(process)
        return process

    def start(self, *command, **more):
        process = subprocess.Popen(self.inside() + ["chroot", self.directory, *command],
                                   env=self.environment(), preexec_fn=self._join, **more)
        self.others.append(process)
        return process

    def run(self, *command, **more):
        """Of the clean root itself; does not raise for what it exits with."""
        return run(*self.inside(), "chroot", self.directory, *command,
                   **{"env": self.environment(), "preexec_fn": self._join, "check": False, **more})

    def beside(self, *command):
        """A tool of the real machine, in the clean one's namespaces."""
        return run(*self.inside(), *command).stdout

    def path(self, inside):
        return self.directory + inside

    def ports(self, *ports, patience):
        """{"10.1.0.1 22": "open", ...} as the peer finds them, both families at once."""
        return json.loads(run("nsenter", "-t", str(self.peer.pid), "-n", sys.executable, "-c", PROBE,
                              str(patience), ",".join(map(str, ports)), *HOST).stdout)

    def close(self):
        for process in reversed(self.others):
            if process.poll() is None:
                process.kill()
            process.wait(30)
            if process.stdout:
                process.stdout.close()
        self.cgroup.remove()
        shutil.rmtree(self.directory, ignore_errors=True)
