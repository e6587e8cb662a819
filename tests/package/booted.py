# SPDX-License-Identifier: Apache-2.0
"""A clean root that is booted: systemd of its own distribution is process 1 of namespaces of
its own, so that the units run as an administrator has them. Its kernel is this machine's: what
systemd may not set here (sysctls but the network's) is read-only there.
"""
import json
import os
import subprocess
import sys

from cgroups import Cgroup
from clean_root import HOST, LISTEN, Machine, make_base, run
from slow import patient

WITH = "systemd, systemd-sysv, iproute2"
# Process 1, until it is systemd. Its wire is there when it may go on, as a NIC is at a boot.
INIT = """set -e
root=$1
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,ro proc/sys
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -o remount,bind,ro sys
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do
    touch "dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
touch dev/console
mount --bind srv/console dev/console
mount -t tmpfs -o mode=755 tmpfs run
hostname booted
mkdir -p old
pivot_root . old
umount -l /old
echo ready
read -r go
exec env -i container=sallyport-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    /lib/systemd/systemd --log-target=journal >/dev/console 2>&1"""
# What brings up the network: it notes what it finds then, as a hostile packet would.
NETWORK = f"""[Unit]
Description=The network of the test
DefaultDependencies=no
Wants=network-pre.target
After=network-pre.target
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -d link show dev eth0 >/run/at-network'
ExecStart=/bin/sh -c 'ip link set lo up; ip addr add {HOST[0]}/24 dev eth0; ip addr add {HOST[1]}/64 dev eth0 nodad; ip link set eth0 up'
[Install]
WantedBy=sysinit.target
"""


def base(depends, directory):
    return make_base(f"{depends}, {WITH}", directory)


class Booted(Machine):
    """One such root. It is off when it is made; files in it may be changed then."""

    init = None

    def _lay(self):
        self.console = self.path("/srv/console")
        units = self.path("/etc/systemd/system/")
        with open(units + "test-network.service", "w", encoding="utf-8") as unit:
            unit.write(NETWORK)
        os.makedirs(units + "sysinit.target.wants", exist_ok=True)
        os.symlink("../test-network.service", units + "sysinit.target.wants/test-network.service")
        for unit in ("console-getty.service", "getty.target", "systemd-modules-load.service"):
            os.symlink("/dev/null", units + unit)

    def chroot(self, *command, **more):
        """In the root while it is off."""
        return run("chroot", self.directory, *command, env=self.environment(), **more)

    def boot(self):
        """Returns when systemd has done what a boot is."""
        with open(self.console, "w", encoding="utf-8"):
            pass
        self.cgroup.make()
        self.peer = self._hold(["unshare", "--net", "sh", "-c",
                                "ip link set lo up; echo ready; exec sleep 1200"])
        outer = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--uts", "--ipc",
             "--cgroup", "--propagation", "private", "sh", "-c", INIT, "sh", self.directory],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=self._join)
        self.others.append(outer)
        self._wait(outer)
        with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as children:
            self.init = int(children.read().split()[0])
        run("ip", "link", "add", "eth0", "netns", str(self.init), "type", "veth", "peer",
            "name", "eth0", "netns", str(self.peer.pid))
        ip = ["nsenter", "-t", str(self.peer.pid), "-n", "ip"]
        run(*ip, "addr", "add", "10.1.0.2/24", "dev", "eth0")
        run(*ip, "addr", "add", "fd00:1::2/64", "dev", "eth0", "nodad")
        run(*ip, "link", "set", "eth0", "up")
        listener = subprocess.Popen(
            ["nsenter", "-t", str(self.init), "--net", "--", sys.executable, "-c", LISTEN, "22", "80"],
            stdout=subprocess.PIPE, text=True, preexec_fn=self._join)
        self.others.append(listener)
        self._wait(listener)
        outer.stdin.write("go\n")
        outer.stdin.flush()
        # Its end is "degraded" where any unit failed: the tests ask for ours.
        self.run("sh", "-c", "until [ -S /run/systemd/private ]; do sleep 0.05; done; "
                             "systemctl is-system-running --wait", timeout=patient(90))

    def halt(self):
        """As a power cut: nothing is asked to end; pins and processes are gone."""
        for process in self.others:
            process.kill()
            process.wait(30)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        self.others.clear()
        self.cgroup.remove()
        self.init = None

    def inside(self):
        """Within its namespaces, its root among them."""
        return ["nsenter", "-t", str(self.init), "--mount", "--net", "--pid", "--uts", "--ipc",
                "--cgroup", "--"]

    def run(self, *command, **more):
        return run(*self.inside(), *command,
                   **{"env": self.environment(), "preexec_fn": self._join, "check": False, **more})

    def shown(self, unit, *properties):
        """What `systemctl show` has of a unit, by name."""
        said = self.run("systemctl", "show", unit, "--property", ",".join(properties)).stdout
        return dict(line.split("=", 1) for line in said.splitlines())

    def status(self):
        return json.loads(self.run("sallyport", "status", "--json").stdout)

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def said_on_console(self):
        with open(self.console, encoding="utf-8", errors="replace") as said:
            return said.read()

    def close(self):
        self.halt()
        super().close()
