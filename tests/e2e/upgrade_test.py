# SPDX-License-Identifier: Apache-2.0
"""A version whose maps are laid out otherwise takes over the wall that stands: hook by hook,
never open, by the policy file. Here the pins of the other version come by renaming: nobody reads
what is behind them, so it may be this one's.
"""
import os
import subprocess

from harness import HOST, PEER, E2e, both, each_family, eventually, rule

RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("egress", "https", both(PEER), ports=[443]))


class Upgrade(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        for port in (443, 444):
            cls.there.call("listen", port=port)

    def setUp(self):
        """The wall of another version, and nobody who runs it."""
        self.end()
        self.file = self.guard.write_policy(self.policy(RULES), "policy.toml")
        self.guard.start(self.file)
        self.held = {family: self.there.call("hold", dst=HOST[family], port=80)["handle"]
                     for family in (4, 6)}
        self.leave()

    def leave(self):
        self.guard.kill()
        os.rename(self.path("v1"), self.path("v0"))

    def xdp(self, name):
        return self.host.ip_json("link", "show", "dev", name)[0].get("xdp")

    def path(self, *parts):
        return os.path.join(self.guard.pins, *parts)

    def assert_stands(self, why):
        for family in (4, 6):
            got = (self.into(80, family), self.into(81, family), self.out(443, family),
                   self.out(444, family))
            self.assertEqual(got, ("open", "timeout", "open", "eperm"), f"{why}, IPv{family}")

    def link_of(self, version):
        return subprocess.run(["bpftool", "link", "show", "pinned",
                               self.path(version, "links", "xdp-native-eth0")],
                              capture_output=True, text=True, timeout=20,
                              check=True).stdout.split(":")[0]

    def programs(self):
        shown = subprocess.run(["bpftool", "cgroup", "show", self.lab.cgroup.directory],
                               capture_output=True, text=True, timeout=20, check=True).stdout
        return sorted(line.split()[-1] for line in shown.splitlines() if "sp_" in line)

    def test_it_is_taken_over_with_its_links_and_connections(self):
        link, programs = self.link_of("v0"), self.programs()
        self.guard.start(self.file)
        self.assert_stands("taken over")
        self.assertEqual(self.link_of("v1"), link, "XDP was detached and attached anew")
        self.assertEqual(os.listdir(self.guard.pins), ["v1"])
        for family, handle in self.held.items():
            self.assertEqual(self.there.result("exchange", handle=handle), "open", family)
        status = self.guard.status()
        self.assertEqual(status["state"], "protected", status["why"])
        once = eventually(lambda: self.programs() == programs)  # an RCU grace period later
        self.assertTrue(once, f"{self.programs()}, not {programs}")

    def test_nothing_passes_meanwhile_that_both_refuse_and_nothing_is_lost_that_both_allow(self):
        targets = [{"name": f"{verdict}-{way}-{family}", "dst": dst[family], "port": port,
                    "timeout": 5.0 if verdict == "allowed" else 0.3, "pause": 0.01}
                   for family in (4, 6)
                   for way, dst, ports in (("in", HOST, (80, 81)), ("out", PEER, (443, 444)))
                   for verdict, port in zip(("allowed", "denied"), ports)]
        incoming = self.there.call("loop", targets=[t for t in targets if "-in-" in t["name"]])
        outgoing = self.here.call("loop", targets=[t for t in targets if "-out-" in t["name"]])
        for _ in range(3):
            self.guard.start(self.file)
            self.leave()
        counts = {**self.there.call("loop_end", handle=incoming["handle"]),
                  **self.here.call("loop_end", handle=outgoing["handle"])}
        for target in targets:
            name = target["name"]
            wanted = {"open"} if name.startswith("allowed") else {
                "timeout" if "-in-" in name else "eperm"}
            self.assertEqual(set(counts.get(name, {})), wanted, f"{name}: {counts.get(name)}")

    def test_a_file_with_an_error_leaves_it_as_it_is(self):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("nonsense = 1\n")
        done = self.guard.call("run", "-c", self.file)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(os.listdir(self.guard.pins), ["v0"])
        self.assert_stands("refused")

    def test_without_a_daemon_status_and_guard_name_it(self):
        self.assertIn("of another version", self.guard.status()["why"])
        done = self.guard.call("guard", "eth0")
        self.assertIn("of another version", done.stdout + done.stderr)

    def test_a_nic_that_the_policy_names_no_more_is_let_go(self):
        self.host.ip("link add spare0 type veth peer name spare1")
        self.addCleanup(self.host.ip, "link del spare0")
        self.guard.start(self.guard.write_policy(
            self.policy(RULES, interfaces=("eth0", "spare0")), "both.toml"))
        self.assertIsNotNone(self.xdp("spare0"))
        self.leave()
        self.guard.start(self.file)
        self.assertIsNone(self.xdp("spare0"))
        self.assertIsNotNone(self.xdp("eth0"))
        self.assert_stands("taken over without a NIC")

    def test_down_takes_it_down(self):
        done = self.guard.down()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(self.guard.pins))
        for family in (4, 6):
            self.assertEqual((self.into(81, family), self.out(444, family)), ("open", "open"))
        self.assertIsNone(self.xdp("eth0"))

    def test_maps_that_a_killed_removal_has_left_go_with_the_next_start_or_down(self):
        """Links are removed first: what is left then is nobody's wall."""
        self.guard.start(self.file)
        self.assert_stands("taken over")

        def left():
            os.makedirs(self.path("v0", "maps"))
            self.host.run("bpftool", "map", "pin", "pinned", self.path("v1", "maps", "sp_control"),
                          self.path("v0", "maps", "sp_control"))
        self.guard.kill()
        left()
        self.guard.start(self.file)
        self.assertEqual(os.listdir(self.path()), ["v1"], "adopted")
        self.assert_stands("adopted")
        self.guard.kill()
        left()
        for pin in os.listdir(self.path("v1", "links")):
            os.unlink(self.path("v1", "links", pin))
        self.guard.start(self.file)
        self.assertEqual(os.listdir(self.path()), ["v1"], "raised anew")
        self.assert_stands("raised anew")
        left()
        self.guard.kill()
        self.assertEqual(self.guard.down().returncode, 0)
        self.assertFalse(os.path.exists(self.path()), "taken down")


if __name__ == "__main__":
    import unittest
    unittest.main()
