# SPDX-License-Identifier: Apache-2.0
"""doctor: what would weaken the wall, found by making it so, and gone when it is mended."""
import ctypes
import json
import os
import struct
import subprocess
import unittest

from audit_support import end, serve
from foreign import foreign
from harness import E2e

PACKETS = ("import ctypes, socket, sys; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3); "
           "ctypes.CDLL(None).prctl(15, b'sniff\\x1b[2J', 0, 0, 0); print('ready', flush=True); "
           "sys.stdin.read()")


class Doctor(E2e):
    def doctor(self, *words):
        return self.guard.call("doctor", *words)

    def found(self, which, about=None, level=None):
        """Findings of that id, as {about: finding}."""
        done = self.doctor("--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(set(report), {"fails", "warns", "findings"})
        self.assertEqual(done.returncode, 1 if report["fails"] else 0)
        for one in report["findings"]:
            self.assertEqual(set(one), {"id", "about", "level", "text", "next"})
            self.assertTrue(one["level"] == "ok" or one["next"], one)
        return [one for one in report["findings"] if one["id"] == which
                and about in (None, one["about"]) and level in (None, one["level"])]

    def test_every_part_of_the_machine_is_told_of(self):
        done = self.doctor()
        for which in ("root", "wall", "kernel", "btf", "jit", "lsm", "cgroup", "bpffs", "clock",
                      "nic-xdp eth0", "firewall", "rdma", "packet-socket", "ipv4-forwarding",
                      "ipv6-forwarding"):
            self.assertRegex(done.stdout, rf"(?m)^(ok  |warn|fail)  {which}\b")
        self.assertRegex(done.stdout, r"\n\d+ fail, \d+ warn, \d+ ok\n$")
        self.assertIn(os.uname().release, done.stdout)

    def read(self, path):
        """As a process on the host reads it; None when it cannot."""
        done = subprocess.run(self.host.command(["cat", path]), capture_output=True, text=True,
                              timeout=20, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def level(self, which):
        return self.found(which)[0]["level"]

    def test_what_it_reads_is_what_is_there_to_be_read(self):
        self.assertEqual(self.found("kernel")[0]["text"].split(",")[0].split(" has ")[0],
                         "Linux " + os.uname().release)
        self.assertEqual(self.level("btf"), "ok" if os.path.exists("/sys/kernel/btf/vmlinux")
                         else "fail")
        jit = self.read("/proc/sys/net/core/bpf_jit_enable")
        self.assertEqual(self.level("jit"), "ok" if jit == "1" else "warn")
        self.assertEqual("could not be read" in self.found("jit")[0]["text"], jit is None)
        self.assertEqual(self.level("unprivileged-bpf"),
                         "warn" if self.read("/proc/sys/kernel/unprivileged_bpf_disabled") == "0"
                         else "ok")
        mounts = [line.split() for line in self.read("/proc/self/mountinfo").splitlines()]
        cgroup2 = next(words[4] for words in mounts if words[words.index("-") + 1] == "cgroup2")
        self.assertEqual(self.found("cgroup")[0]["about"], cgroup2)
        self.assertEqual(self.found("bpffs")[0]["about"], self.guard.pins)
        clock = ctypes.create_string_buffer(512)
        state = ctypes.CDLL(None).adjtimex(clock)
        status = struct.unpack_from("@i", clock.raw, struct.calcsize("@Iqqqqi") - 4)[0]
        self.assertEqual(self.level("clock"), "ok" if state != 5 and not status & 0x40 else "warn")

    def test_interfaces_are_those_that_are_up_with_their_driver(self):
        self.host.ip("link add name quiet type veth peer name quiet-2",
                     "link add name wide type veth peer name wide-2", "link set wide up")
        self.addCleanup(self.host.ip, "link del quiet", "link del wide")
        links = self.host.ip_json("link", "show")
        up = {one["ifname"] for one in links
              if "UP" in one["flags"] and "LOOPBACK" not in one["flags"]}
        told = {one["about"]: one["text"] for one in self.found("nic-xdp")}
        self.assertEqual(set(told), up)
        self.assertNotIn("quiet", told)
        for name, text in told.items():
            driver = next(line.split()[-1] for line in
                          self.host.run("ethtool", "-i", name).splitlines()
                          if line.startswith("driver:"))
            self.assertIn(driver, text)

    def test_devices_services_and_settings_are_those_that_are_there(self):
        rdma = "/sys/class/infiniband"
        devices = sorted(os.listdir(rdma)) if os.path.isdir(rdma) else []
        self.assertEqual(sorted(one["about"] for one in self.found("rdma")), devices or [None])
        names = self.read("/proc/net/ip_tables_names") or ""
        for table in names.split():
            self.assertTrue(self.found("firewall", "iptables-legacy " + table))
        boxes = [os.path.exists(path) for path in ("/run/docker.sock",
                                                   "/run/containerd/containerd.sock")]
        self.assertEqual(len(self.found("containers")), int(any(boxes)))
        for which, path in (("ipv4-forwarding", "net/ipv4/ip_forward"),
                            ("ipv6-forwarding", "net/ipv6/conf/all/forwarding")):
            one = self.found(which)[0]
            value = self.read("/proc/sys/" + path)
            self.assertEqual("not routed" in one["text"], value == "0")
            self.assertEqual("without IPv6" in one["text"],
                             not os.path.exists("/proc/sys/net/ipv6") and "ipv6" in which)

    def test_a_wall_that_stands_is_told_of_with_its_nic(self):
        self.assertEqual(self.found("wall")[0]["level"], "warn")
        self.begin()
        self.assertEqual(self.found("wall")[0]["level"], "ok")
        self.assertIn("guarded by native XDP", self.found("nic-xdp", "eth0")[0]["text"])

    def test_a_program_of_others_on_a_nic_fails(self):
        self.assertEqual(self.found("nic-xdp", "eth0")[0]["level"], "ok")
        file = foreign("nic", self.lab.directory)
        self.host.ip(f"link set dev eth0 xdpdrv obj {file} sec xdp")
        try:
            self.assertEqual(self.found("nic-xdp", "eth0")[0]["level"], "fail")
            self.assertEqual(self.doctor().returncode, 1)
            mended = self.found("nic-xdp", "eth0")[0]["next"].partition("or: ip ")[2]
        finally:
            self.host.ip("link set dev eth0 xdp off")
        self.assertEqual(mended, "link set dev eth0 xdp off")
        self.assertEqual(self.found("nic-xdp", "eth0")[0]["level"], "ok")

    def test_another_firewall_is_named(self):
        self.assertEqual(self.found("firewall", "inet doctor in"), [])
        self.host.run("nft", "table inet doctor {\nchain in { type filter hook input priority 0; "
                      "policy drop; }\n}")
        self.addCleanup(self.host.run, "nft", "delete table inet doctor")
        one = self.found("firewall", "inet doctor in")[0]
        self.assertEqual(one["level"], "warn")
        self.host.run(*one["next"].split())

    def test_routing_is_named_for_each_family_and_mended_by_what_it_says(self):
        for which, setting in (("ipv4-forwarding", "net.ipv4.ip_forward"),
                               ("ipv6-forwarding", "net.ipv6.conf.all.forwarding")):
            self.assertEqual(self.found(which)[0]["level"], "ok")
            self.host.sysctl(setting + "=1")
            one = self.found(which)[0]
            if one["level"] != "ok":  # unless the machine has containers
                self.assertTrue(one["next"].startswith(f"sysctl -w {setting}=0"), one)
            self.host.sysctl(setting + "=0")
            self.assertEqual(self.found(which)[0]["level"], "ok")

    def test_who_holds_a_packet_socket_is_named_and_reaches_no_terminal(self):
        process = serve(self.lab, self.host, [], before=["-c", PACKETS])
        text = self.doctor().stdout
        self.assertIn(f"packet-socket sniff\\x1b[2J[{process.pid}]", text)
        self.assertNotIn("\x1b", text)
        end(process)
        self.assertNotIn("sniff", self.doctor().stdout)

    def test_strict_counts_warnings(self):
        report = json.loads(self.doctor("--json").stdout)
        strict = self.doctor("--strict").returncode
        self.assertEqual(strict, 1 if report["fails"] + report["warns"] else 0)
        self.assertEqual(self.doctor("--nonsense").returncode, 2)


if __name__ == "__main__":
    unittest.main()
