# SPDX-License-Identifier: Apache-2.0
"""Ways around the hooks that other firewalls have left: they end at ours."""
import os
import unittest

from foreign import foreign
from harness import NOT_OPEN, PEER, E2e, both, each_family, rule

RULES = rule("ingress", "web", both(PEER), ports=[80]) + rule("egress", "https", both(PEER),
                                                              ports=[443])


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
        self.begin(RULES)
        file = foreign("cgroup", self.lab.directory)
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
