# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: a good file switches at one stroke, a bad one changes nothing."""
import json
import os
import unittest

from harness import BINARY, CUT, HOST, PEER, E2e, both, each_family, eventually, rule
from killer import failing_mmap, mmaps_before, watch

WEB = rule("ingress", "web", both(PEER), ports=[80])
HTTPS = rule("egress", "https", both(PEER), ports=[443])
MORE = (rule("ingress", "more", both(PEER), ports=[81])
        + rule("egress", "more-out", both(PEER), ports=[444]))


class Reload(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81, 82):
            cls.here.call("listen", port=port)
        for port in (443, 444, 445):
            cls.there.call("listen", port=port)

    @each_family
    def test_a_good_file_switches(self, family):
        self.begin(WEB + HTTPS)
        self.assertEqual((self.into(81, family), self.out(444, family)), ("timeout", "eperm"))
        before = self.guard.status()
        self.switch(WEB + HTTPS + MORE)
        self.assertEqual((self.into(81, family), self.out(444, family)), ("open", "open"))
        after = self.guard.status()
        self.assertEqual(after["generation"], before["generation"] + 1)
        self.assertNotEqual(after["policy"]["sha256"], before["policy"]["sha256"])
        self.expect_event(event="policy", state="applied")
        self.switch(WEB + HTTPS)
        self.assertEqual((self.into(81, family), self.out(444, family)), ("timeout", "eperm"))
        self.assertEqual((self.into(80, family), self.out(443, family)), ("open", "open"))

    @each_family
    def test_a_connection_that_the_new_policy_forbids_is_cut(self, family):
        self.begin(WEB + HTTPS + MORE)
        held = {}
        for name, agent, dst, port in (("in", self.there, HOST, 80),
                                       ("in-more", self.there, HOST, 81),
                                       ("out", self.here, PEER, 443),
                                       ("out-more", self.here, PEER, 444)):
            held[name] = agent, agent.call("hold", dst=dst[family], port=port)
            self.assertEqual(held[name][1]["result"], "open", name)
        self.switch(WEB + HTTPS)
        got = {name: agent.result("exchange", handle=one["handle"])
               for name, (agent, one) in held.items()}
        self.assertEqual((got["in"], got["out"]), ("open", "open"))
        self.assertIn(got["in-more"], ("reset", "closed"))
        self.assertIn(got["out-more"], CUT)

    @each_family
    def test_a_bad_file_keeps_the_old_policy_and_says_why(self, family):
        self.begin(WEB + HTTPS)
        held = self.there.call("hold", dst=HOST[family], port=80)
        before = self.guard.status()
        unfinished = '[[ingress]]\nname = "x"\nfrom = "nowhere"\n'
        for number, bad in enumerate((WEB + unfinished, "[[[", WEB + 'colour = "red"\n')):
            said = os.path.getsize(self.guard.log)
            self.rewrite(bad)
            self.assertTrue(self.guard.wait_said("error", since=said), f"silent about file {number}")
            self.assertIn(os.path.basename(self.file), self.guard.said(said))
        self.expect_event(event="policy", state="refused")
        self.assertIsNone(self.guard.process.poll(), "the daemon ended")
        after = self.guard.status()
        for key in ("generation", "state", "policy"):
            self.assertEqual(after[key], before[key], key)
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "open")
        self.assertEqual((self.into(80, family), self.into(81, family)), ("open", "timeout"))
        # And a good one after it is taken.
        self.switch(WEB + HTTPS + MORE)
        self.assertEqual(self.into(81, family), "open")

    def test_a_file_that_others_can_write_is_refused_at_reload(self):
        self.begin(WEB)
        before = self.guard.status()["generation"]
        said = os.path.getsize(self.guard.log)
        os.chmod(self.file, 0o666)
        self.rewrite(WEB + MORE)
        self.assertTrue(self.guard.wait_said(os.path.basename(self.file), since=said))
        self.expect_event(event="policy", state="refused")
        self.assertEqual(self.guard.status()["generation"], before)
        self.assertEqual(self.into(81, 4), "timeout")

    def test_a_file_that_is_gone_is_refused_at_reload(self):
        self.begin(WEB)
        os.unlink(self.file)
        self.guard.reload()
        self.expect_event(event="policy", state="refused")
        self.assertEqual((self.into(80, 4), self.into(81, 4)), ("open", "timeout"))

    def test_counters_never_go_back(self):
        self.begin(WEB + HTTPS)
        for _ in range(4):
            self.assertEqual(self.into(80, 4), "open")
        self.into(81, 4)
        before = self.guard.status()
        # The same name is the same rule, wherever in the file it stands.
        self.switch(MORE + HTTPS + WEB)
        after = self.guard.status()
        count = {s["generation"]: next(r for r in s["rules"] if r["name"] == "web")["admitted"]
                 for s in (before, after)}
        self.assertEqual(count[before["generation"]], 4)
        self.assertEqual(count[after["generation"]], 4)
        for reason, number in before["reasons"].items():
            self.assertGreaterEqual(after["reasons"].get(reason, 0), number, reason)

    def test_traffic_during_reloads_is_never_misjudged(self):
        policies = (WEB + HTTPS, MORE.replace("81", "91").replace("444", "494") + HTTPS + WEB)
        self.begin(policies[0])
        targets = [{"name": f"{verdict}-{way}-{family}", "dst": dst[family], "port": port,
                    "timeout": 5.0 if verdict == "allowed" else 0.3, "pause": 0.01}
                   for family in (4, 6)
                   for way, dst, ports in (("in", HOST, (80, 82)), ("out", PEER, (443, 445)))
                   for verdict, port in zip(("allowed", "denied"), ports)]
        incoming = self.there.call("loop", targets=[t for t in targets if "-in-" in t["name"]])
        outgoing = self.here.call("loop", targets=[t for t in targets if "-out-" in t["name"]])
        held = [(agent, agent.call("hold", dst=dst[family], port=port)["handle"])
                for family in (4, 6)
                for agent, dst, port in ((self.there, HOST, 80), (self.here, PEER, 443))]
        for number in range(1, 21):
            self.switch(policies[number % 2])
            for agent, handle in held:
                self.assertEqual(agent.result("exchange", handle=handle), "open",
                                 f"after reload {number}")
        counts = {**self.there.call("loop_end", handle=incoming["handle"]),
                  **self.here.call("loop_end", handle=outgoing["handle"])}
        for target in targets:
            name = target["name"]
            wanted = {"open"} if name.startswith("allowed") else {
                "timeout" if "-in-" in name else "eperm"}
            self.assertEqual(set(counts.get(name, {})), wanted, f"{name}: {counts.get(name)}")


class Record(E2e):
    """What is on disk about the policy that comes, when it does not come."""

    def state(self, name):
        return os.path.join(self.guard.directory, "state", name)

    def names(self):
        return [r["name"] for r in self.guard.status()["rules"]]

    def generation(self):
        return self.guard.status()["generation"]

    def reload_under(self, command, rules):
        """What the daemon says of a reload that strace sees to its end."""
        strace = watch(self.lab, self.guard.process.pid, command)
        since = os.path.getsize(self.guard.log)
        self.rewrite(rules)
        ended = eventually(lambda: "protecting, generation" in self.guard.said(since), 20.0)
        self.assertTrue(ended, self.guard.said(since))
        strace.terminate()
        strace.wait(10.0)
        return self.guard.said(since)

    def fail_to_switch(self):
        """A reload to MORE and WEB whose first mmap after the record was made is refused: that
        of the control word. Which it is an undisturbed one shows; the heap maps, too, so that
        it may take some attempts."""
        trace, record = os.path.join(self.guard.directory, "strace"), self.state("enforced.next.json")
        for _ in range(8):
            self.reload_under(failing_mmap(trace), WEB)
            number = mmaps_before(trace, record + ".new") + 1
            if "nothing has changed" in self.reload_under(failing_mmap(trace, number), MORE + WEB):
                with open(trace, encoding="utf-8") as lines:
                    made = record + ".new" in lines.read().partition("INJECTED")[0]
                if made:
                    return
        self.fail("no reload failed where it should")

    def assert_web_alone_rules(self, generation):
        status = self.guard.status()
        self.assertEqual((status["state"], status["generation"]), ("protected", generation))
        self.assertEqual(self.names(), ["web"])
        self.assertFalse(os.path.exists(self.state("enforced.next.json")))
        with open(self.state("enforced.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["generation"], generation)

    def test_a_switch_that_fails_leaves_no_record_of_the_policy_that_did_not_come(self):
        with open(BINARY, "rb") as binary:
            if b"__asan_init" in binary.read():
                self.skipTest("a sanitizer maps memory by itself, and ends when it gets none")
        self.begin(WEB)
        self.fail_to_switch()
        self.assert_web_alone_rules(self.generation())
        # The next policy of that generation is another one.
        self.switch(HTTPS + WEB)
        self.guard.kill()
        self.guard.start(self.file)
        self.assertEqual(self.names(), ["https", "web"])

    def test_a_record_that_was_made_before_a_kill_is_not_taken_up_by_the_next_start(self):
        """kill_sweep kills there; here the record is made by hand, so that it surely is."""
        self.begin(WEB)
        self.guard.kill()
        with open(self.state("enforced.json"), encoding="utf-8") as file:
            record = json.load(file)
        record["generation"] += 1
        record["rules"][0]["name"] = "never"
        with open(self.state("enforced.next.json"), "w", encoding="utf-8") as file:
            json.dump(record, file)
        self.assertEqual(self.names(), ["web"])
        self.guard.start(self.file)
        self.assert_web_alone_rules(1)

    def test_a_wall_that_is_raised_anew_takes_no_name_from_the_one_before(self):
        """Both are of generation 1, and the disk takes no record of the second."""
        self.begin(WEB)
        self.end()
        self.assertTrue(os.path.exists(self.state("enforced.json")))
        os.mkdir(self.state("enforced.next.json.new"))
        self.addCleanup(os.rmdir, self.state("enforced.next.json.new"))
        self.begin(HTTPS)
        self.guard.kill()
        self.guard.start(self.file)
        self.assertNotIn("web", self.names())
        self.assertIn("the names of what is enforced are lost", self.guard.said())


if __name__ == "__main__":
    unittest.main()
