# SPDX-License-Identifier: Apache-2.0
"""A version whose maps are laid out otherwise takes over the wall that stands: hook by hook,
never open, by the last good policy. Here the pins of the other version come by renaming: nobody reads
what is behind them, so it may be this one's.
"""
import os
import shutil
import subprocess

from harness import HOST, PEER, E2e, both, eventually, rule

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

    def state(self, *parts):
        return os.path.join(self.guard.directory, "state", *parts)

    def record(self):
        with open(self.state("enforced.json"), encoding="utf-8") as file:
            return file.read()

    def refused(self, code, *flags):
        """Nothing of it has happened; what it said."""
        record = self.record()
        done = self.guard.call("run", "-c", self.file, *flags, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(os.listdir(self.guard.pins), ["v0"])
        self.assertEqual(self.record(), record)
        return done.stderr

    def test_what_was_never_good_comes_by_the_file_and_an_error_leaves_it_as_it_is(self):
        shutil.rmtree(self.state("policies"))
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("nonsense = 1\n")
        self.refused(2)
        self.assert_stands("refused for an error")
        self.guard.write_policy(self.policy(RULES, interfaces=("eth0", "none0")), "policy.toml")
        self.assertIn("none0", self.refused(3))
        self.assert_stands("refused for a NIC")
        self.guard.write_policy(self.policy(RULES + rule("ingress", "more", both(PEER),
                                                         ports=[81])), "policy.toml")
        self.guard.start(self.file)
        self.assertEqual(self.into(81, 4), "open")

    def test_a_file_that_was_edited_or_broken_does_not_count(self):
        for text in (self.policy(rule("ingress", "other", both(PEER), ports=[81])), "nonsense = 1\n"):
            self.guard.write_policy(text, "policy.toml")
            begun = os.path.getsize(self.guard.log)
            self.guard.start(self.file)
            self.assert_stands("taken over")
            self.assertIn("the last good policy", self.guard.said(begun))
            self.assertEqual([found["name"] for found in self.guard.status()["rules"]],
                             ["web", "https"])
            self.leave()

    def test_a_last_good_policy_that_cannot_be_read_leaves_it_as_it_is(self):
        newest = max(name for name in os.listdir(self.state("policies")) if name.isdigit())
        kept = self.state("policies", newest, "policy.toml")
        shutil.copy(kept, self.state("kept"))
        with open(kept, "a", encoding="utf-8") as file:
            file.write("# nothing much\n")
        self.assertIn(f"{newest}/policy.toml", self.refused(1))
        self.assert_stands("refused")
        os.replace(self.state("kept"), kept)
        self.guard.start(self.file)
        self.assert_stands("taken over")

    def test_a_panic_is_not_ended_but_by_force(self):
        self.guard.start(self.file)
        self.assertEqual(self.guard.call("panic").returncode, 0)
        self.leave()
        self.assertIn("a panic is on", self.refused(1))
        self.assertEqual((self.into(80, 4, timeout=0.4), self.out(443, 6)), ("timeout", "eperm"))
        self.guard.start(self.file, "--force")
        self.assert_stands("taken over by force")
        self.assertIsNone(self.guard.status()["trial"])

    def test_without_a_daemon_status_and_guard_name_it(self):
        self.assertIn("of another version", self.guard.status()["why"])
        done = self.guard.call("guard", "eth0")
        self.assertIn("of another version", done.stdout + done.stderr)

    def test_a_nic_of_a_policy_on_trial_is_let_go_with_it(self):
        self.host.ip("link add spare0 type veth peer name spare1")
        self.addCleanup(self.host.ip, "link del spare0")
        self.guard.start(self.file)
        both_nics = self.guard.write_policy(self.policy(RULES, interfaces=("eth0", "spare0")),
                                            "both.toml")
        self.assertEqual(self.guard.call("apply", both_nics, "--confirm", "600s").returncode, 0)
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
