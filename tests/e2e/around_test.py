# SPDX-License-Identifier: Apache-2.0
"""Ways around the hooks that other firewalls have left: they end at ours."""
import os
import shutil
import subprocess
import unittest

from harness import NOT_OPEN, PEER, E2e, both, each_family, rule

RULES = rule("ingress", "web", both(PEER), ports=[80]) + rule("egress", "https", both(PEER),
                                                              ports=[443])
LETS_ALL_OUT = """
#include <linux/bpf.h>
__attribute__((section("cgroup_skb/egress"), used))
int all(struct __sk_buff *skb) { return 1; }
__attribute__((section("cgroup/connect4"), used))
int four(struct bpf_sock_addr *c) { return 1; }
__attribute__((section("license"), used)) char _license[] = "GPL";
"""


class Around(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        for port in (443, 444):
            cls.there.call("listen", port=port)

    @each_family
    def test_multipath_tcp_is_judged_like_tcp(self, family):
        with open("/proc/sys/net/mptcp/enabled", encoding="ascii") as enabled:
            self.assertEqual(enabled.read().strip(), "1")
        self.begin(RULES)
        self.assertEqual(self.out(443, family, multipath=True), "open")
        self.assertEqual(self.out(444, family, multipath=True), "eperm")
        self.assertEqual(self.into(80, family, multipath=True), "open")
        self.assertEqual(self.into(81, family, multipath=True), "timeout")

    @each_family
    def test_a_program_in_a_cgroup_below_lets_nothing_out(self, family):
        clang = next((c for c in ("clang-19", "clang-14", "clang") if shutil.which(c)), None)
        self.assertIsNotNone(clang, "no clang")
        self.begin(RULES)
        file = os.path.join(self.lab.directory, "below.o")
        include = f"/usr/include/{os.uname().machine}-linux-gnu"
        subprocess.run([clang, "-O2", "-g", "-target", "bpf", "-I", include, "-x", "c", "-c", "-",
                        "-o", file], input=LETS_ALL_OUT, text=True, check=True, timeout=60)
        pins = os.path.join(self.lab.bpffs, f"below{family}")
        below = self.lab.cgroup.child("system.slice/app.service").directory
        self.host.run("bpftool", "prog", "loadall", file, pins)
        for attach, name in (("egress", "all"), ("connect4", "four")):
            self.host.run("bpftool", "cgroup", "attach", below, attach, "pinned",
                          os.path.join(pins, name), "multi")
            self.addCleanup(self.host.run, "bpftool", "cgroup", "detach", below, attach, "pinned",
                            os.path.join(pins, name))
        self.assertEqual(self.out(443, family), "open")
        self.assertEqual(self.out(444, family), "eperm")
        self.assertIn(self.out(445, family, "udp"), NOT_OPEN)
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_a_daemon_that_may_not_raise_limits_starts(self):
        script = os.path.join(self.guard.directory, "without")
        real = self.guard.binary
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nulimit -l 64\nexec setpriv --bounding-set=-sys_resource "
                       f"--inh-caps=-sys_resource -- {real} \"$@\"\n")
        os.chmod(script, 0o700)
        self.guard.binary = script
        try:
            self.begin(RULES)
        finally:
            self.guard.binary = real
        self.assertEqual(self.guard.status()["state"], "protected")
        self.assertEqual((self.into(80, 4), self.into(81, 4)), ("open", "timeout"))


if __name__ == "__main__":
    unittest.main()
