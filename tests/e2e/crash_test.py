# SPDX-License-Identifier: Apache-2.0
"""The wall stands without its daemon, is adopted by the next, and goes only when told."""
import os
import signal
import subprocess
import time
import unittest

from harness import HOST, NotReady, PEER, E2e, both, each_family, eventually, rule

RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("egress", "https", both(PEER), ports=[443]))


class Crash(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        for port in (443, 444):
            cls.there.call("listen", port=port)

    def assert_stands(self, family, why):
        got = (self.into(80, family), self.into(81, family), self.out(443, family),
               self.out(444, family))
        self.assertEqual(got, ("open", "timeout", "open", "eperm"), why)

    def assert_open(self, why):
        for family in (4, 6):
            got = (self.into(81, family), self.out(444, family))
            self.assertEqual(got, ("open", "open"), why)

    def xdp(self):
        return self.host.ip_json("link", "show", "dev", "eth0")[0].get("xdp")

    @each_family
    def test_a_killed_daemon_leaves_the_wall_standing(self, family):
        self.begin(RULES)
        held = self.there.call("hold", dst=HOST[family], port=80)
        self.guard.kill()
        self.assert_stands(family, "without a daemon")
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "open")
        status = self.guard.status()
        self.assertEqual(status["state"], "protected")

    @each_family
    def test_the_next_daemon_adopts_what_stands(self, family):
        self.begin(RULES)
        ends = ((self.there, self.there.call("hold", dst=HOST[family], port=80)["handle"]),
                (self.here, self.here.call("hold", dst=PEER[family], port=443)["handle"]))
        before, program = self.guard.status(), self.xdp()
        self.guard.kill()
        self.guard.start(self.file)
        self.assert_stands(family, "after adoption")
        for agent, handle in ends:
            self.assertEqual(agent.result("exchange", handle=handle), "open")
        after = self.guard.status()
        self.assertEqual(after["policy"]["sha256"], before["policy"]["sha256"])
        for reason, number in before["reasons"].items():
            self.assertGreaterEqual(after["reasons"].get(reason, 0), number, reason)
        self.assertEqual(self.xdp()["mode"], program["mode"])
        self.listen_in()
        self.into(82, family)  # not 81, whose repeats are still being folded
        self.expect_event(src=PEER[family], dst_port=82)

    def test_killed_at_any_moment_of_its_start_it_is_started_again_whole(self):
        self.end()
        file = self.guard.write_policy(self.policy(RULES), "half.toml")
        for number in range(8):
            process = self.lab.start(self.guard.command("run", "-c", file),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     env=self.guard.environment)
            time.sleep(0.1 + 0.2 * number)
            process.kill()
            process.wait(timeout=10)
        self.guard.start(file)
        for family in (4, 6):
            self.assert_stands(family, "after starts that were killed")
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_what_died_before_its_policy_was_in_force_is_cleared_away(self):
        self.end()
        file = self.guard.write_policy(self.policy(RULES), "half.toml")
        self.guard.start(file)
        self.guard.kill()
        # As a start leaves it that dies between its pins and its policy.
        subprocess.run(["bpftool", "map", "update", "pinned",
                        os.path.join(self.guard.pins, "v1/maps/sp_control"),
                        "key", *["0"] * 4, "value", *["0"] * 8], check=True, timeout=20)
        self.assertEqual(self.into(80, 4), "timeout")
        self.guard.start(file)
        for family in (4, 6):
            self.assert_stands(family, "after clearing away")

    def test_a_restart_does_not_apply_a_changed_file(self):
        self.begin(RULES)
        self.guard.kill()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(rule("ingress", "more", both(PEER), ports=[81]))
        self.guard.start(self.file)
        self.assertEqual((self.into(80, 4), self.into(81, 4)), ("open", "timeout"))
        before = self.guard.status()["generation"]
        self.guard.reload()
        self.guard.wait_status(lambda s: s["generation"] != before)
        self.assertEqual(self.into(81, 4), "open")

    def test_no_packet_is_misjudged_while_daemons_come_and_go(self):
        self.begin(RULES)
        targets = [{"name": f"{verdict}-{way}-{family}", "dst": dst[family], "port": port,
                    "timeout": 5.0 if verdict == "allowed" else 0.3, "pause": 0.01}
                   for family in (4, 6)
                   for way, dst, ports in (("in", HOST, (80, 81)), ("out", PEER, (443, 444)))
                   for verdict, port in zip(("allowed", "denied"), ports)]
        incoming = self.there.call("loop", targets=[t for t in targets if "-in-" in t["name"]])
        outgoing = self.here.call("loop", targets=[t for t in targets if "-out-" in t["name"]])
        for _ in range(4):
            self.guard.kill()
            self.guard.start(self.file)
        counts = {**self.there.call("loop_end", handle=incoming["handle"]),
                  **self.here.call("loop_end", handle=outgoing["handle"])}
        for target in targets:
            name = target["name"]
            wanted = {"open"} if name.startswith("allowed") else {
                "timeout" if "-in-" in name else "eperm"}
            self.assertEqual(set(counts.get(name, {})), wanted, f"{name}: {counts.get(name)}")

    def test_sigterm_and_sigint_leave_enforcement(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.begin(RULES)
            self.assertEqual(self.guard.stop(number), 0, signal.Signals(number).name)
            self.assert_stands(4, f"after {signal.Signals(number).name}")
            self.assertNotEqual(os.listdir(self.guard.pins), [])

    def test_detach_on_exit_takes_it_down(self):
        self.begin(RULES, "--detach-on-exit")
        self.assert_stands(4, "while it runs")
        self.assertEqual(self.guard.stop(), 0)
        self.assert_open("after the end")
        self.assertIsNone(self.xdp())

    def test_down_removes_everything(self):
        self.begin(RULES)
        self.assertEqual(self.guard.stop(), 0)
        done = self.guard.down()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_open("after down")
        self.assertIsNone(self.xdp())
        left = [n for _, folders, files in os.walk(self.guard.pins) for n in folders + files]
        self.assertEqual(left, [])
        self.assertEqual(self.host.run("tc", "filter", "show", "dev", "eth0", "egress").strip(), "")
        self.assertEqual(self.guard.down().returncode, 0, "a second down is no failure")

    def test_a_second_daemon_over_the_same_pins_is_refused(self):
        self.begin(RULES)
        done = self.guard.call("run", "-c", self.file)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr.lower(), "already|running")
        self.assertIsNone(self.guard.process.poll(), "the first one ended")
        self.assert_stands(4, "with the first daemon")

    def test_down_while_a_daemon_runs_leaves_no_half_wall(self):
        """Either it takes down daemon and wall, or it refuses and says who runs."""
        self.begin(RULES)
        done = self.guard.down()
        if done.returncode == 0:
            self.assert_open("after down")
        else:
            self.assertTrue(done.stderr.strip())
            self.assert_stands(4, "after a refused down")

    def test_a_link_that_is_detached_is_put_back_and_told(self):
        self.begin(RULES)
        pins = [os.path.join(d, f) for d, _, files in os.walk(self.guard.pins) for f in files]
        links = [p for p in pins if "xdp" in os.path.basename(p) and "link" in p]
        if not links:
            self.skipTest("no pinned XDP link has a name that tells")
        self.host.run("bpftool", "link", "detach", "pinned", links[0])
        self.assertTrue(eventually(self.xdp), "the NIC stays open")
        self.expect_event(event="hook", state="restored")
        self.assert_stands(4, "after it was put back")

    def test_start_after_a_kill_with_a_broken_file_keeps_the_wall(self):
        self.begin(RULES)
        self.guard.kill()
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("[[[")
        try:
            self.guard.start(self.file)
        except NotReady as refused:
            self.assertEqual(refused.code, 2)
        self.assert_stands(4, "with a broken file on disk")


if __name__ == "__main__":
    unittest.main()
