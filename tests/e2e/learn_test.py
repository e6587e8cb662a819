# SPDX-License-Identifier: Apache-2.0
"""Learning: what passed while observing passes when its policy is enforced, and no probe does."""
import json
import os
import signal
import subprocess
import unittest

from harness import FAMILIES, HOST, PEER, ROOT, E2e, as_list, eventually, patient, rule

SERVICES = os.path.join(ROOT, "tools", "services")
KEPT = rule("ingress", "kept", ["10.77.0.0/16"], ports=[7]) + "# a comment of the operator's\n"


class Learn(E2e):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.there.call("listen", port=443)
        cls.there.call("listen", port=444)

    def learn(self, *flags):
        """A learner that has begun."""
        process = self.lab.start(self.guard.command("learn", "--services", SERVICES, *flags),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=self.guard.environment)
        line = process.stderr.readline()
        self.assertIn("learning", line)
        return process

    def ended(self, process):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=patient(30))
        self.assertEqual(process.returncode, 0, err)
        return out, err

    def traffic(self):
        return [self.into(80, f) for f in FAMILIES] + [self.out(443, f) for f in FAMILIES]

    def seen(self, **facts):
        return sum(e.get("repeats", 1) for e in self.tail.find(reason="no-rule", **facts))

    def test_what_was_learned_lets_the_same_pass_and_nothing_else(self):
        self.begin(KEPT, mode="observe", zones='[zones]\nnear = ["fd00:1::/64"]\n'
                                               '[events]\nrepeat = "1s"\n')
        learner = self.learn("--for", "10m", "--json")
        for _ in range(2):
            self.assertEqual(self.traffic(), ["open"] * 4)
        for family in FAMILIES:
            self.assertEqual(self.into(81, family), "refused")
            self.assertEqual(self.out(444, family), "open")
        # The second time is told when the time for repeats is up.
        for family in FAMILIES:
            self.assertTrue(eventually(lambda f=family: self.seen(
                direction="egress", dst=PEER[f], dst_port=443, unit="app.service") >= 4))
            self.expect_event(direction="ingress", src=PEER[family], dst_port=81)
        found = json.loads(self.ended(learner)[0])

        self.assertTrue(found["whole"], found["losses"])
        self.assertTrue(found["listeners_known"])
        rules = {(r["direction"], r["port"]): r for r in found["rules"]}
        self.assertEqual(set(rules), {("ingress", 80), ("egress", 443)})
        self.assertEqual(rules["ingress", 80]["from"], ["near", PEER[4]])
        self.assertEqual(sorted(rules["egress", 443]["to"]), sorted(["near", PEER[4]]))
        self.assertEqual(rules["egress", 443]["unit"], "app.service")
        left = {(one["why"], one["what"].split(" from ")[0].split(" to ")[0])
                for one in found["left_out"]}
        self.assertIn(("closed-port", "tcp 81"), left)
        self.assertIn(("one-off", "egress tcp 444"), left)
        self.assertEqual(found["used"], {"kept": 0})

        text = found["policy"]
        self.assertIn(KEPT, text)
        file = self.guard.write_policy(text, "learned.toml")
        checked = self.guard.call("check", file)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        before = self.guard.status()["generation"]
        self.guard.write_policy(text.replace('mode = "observe"', 'mode = "enforce"'),
                                os.path.basename(self.file))
        self.guard.reload()
        self.guard.wait_status(lambda s: s["generation"] != before)
        self.assertEqual(self.guard.status()["state"], "protected")
        self.assertEqual(self.traffic(), ["open"] * 4)
        for family in FAMILIES:
            self.assertEqual(self.into(81, family), "timeout")
            self.assertEqual(self.out(444, family), "eperm")

        # A wall that enforces is no place to learn.
        refused = self.guard.call("learn", "--for", "1s")
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn('mode = "observe"', refused.stderr)

        # The log tells the same, and what is enforced since is not learned of.
        policy = self.guard.write_policy(self.policy(KEPT, mode="observe"), "observed.toml")
        from_log = self.guard.call("learn", "--from", self.guard.events_file, "-c", policy, "--json")
        self.assertEqual(from_log.returncode, 0, from_log.stderr)
        again = {(r["direction"], r["port"]) for r in json.loads(from_log.stdout)["rules"]}
        self.assertEqual(again, set(rules))


class LearnArguments(E2e):
    def test_wrong_arguments_and_files_are_refused_and_say_why(self):
        policy = self.guard.write_policy(self.policy(mode="observe"))
        events = os.path.join(self.guard.directory, "events")
        with open(events, "wb") as file:
            file.write(b'{"v":1\n\xff\xfe\n{"event":"would-drop","src":5}\n' + b"x" * (3 << 20))
        for code, *arguments in (
                (4, "--for", "1s"),
                (2, "--for", "soon"),
                (2, "--min", "0"),
                (2, "-c", policy),
                (2, "--from", events, "--for", "1s"),
                (3, "--from", "/nonexistent", "-c", policy),
                (2, "--from", self.guard.directory, "-c", policy),
                (2, "--from", events, "-c", policy, "--services", "/nonexistent")):
            with self.subTest(" ".join(arguments)):
                done = self.guard.call("learn", *arguments)
                self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
                self.assertTrue(done.stderr.strip())
        done = self.guard.call("learn", "--from", events, "-c", policy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("NOT WHOLE: 4 lines could not be read", done.stdout)
        self.assertIn(f"interfaces = {as_list(['eth0'])}", done.stdout)


if __name__ == "__main__":
    unittest.main()
