# SPDX-License-Identifier: Apache-2.0
"""What `explain` says of a drop: the rule that it suggests makes the same question pass, and
where no rule helps it says what does."""
import os
import shutil
import unittest

from explain_support import Explains, question
from forward_test import BOX, Routing, forward
from harness import FAMILIES, HOST, NOT_OPEN, PEER, both, each_family, packets, rule

RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("deny", "no-telnet", "any", ports=[23], proto=None, direction="ingress")
         + rule("egress", "https", both(PEER), ports=[443]))


class Suggestions(Explains):
    @classmethod
    def prepare(cls):
        cls.rag = cls.unit_agent("rag")
        for port in (22, 81):
            cls.here.call("listen", port=port)
        cls.there.call("listen", port=5432)

    def setUp(self):
        self.begin(RULES + '[essentials]\nping = "none"\n')

    @staticmethod
    def questions(family):
        src, dst = PEER[family], HOST[family]
        return [
            (question("in", "tcp", src, dst, 22),),
            (question("in", "udp", src, dst, 53),),
            (question("in", "sctp", src, dst, 36412),),
            (question("in", "udp-lite", src, dst, 7000),),
            (f"in icmp {src} > {dst}",),
            (f"in 47 {src} > {dst}",),
            (question("out", "tcp", dst, src, 22),),
            (question("out", "tcp", dst, src, 5432), "--unit", "rag.service"),
            (question("out", "udp", dst, src, 53), "--uid", "4711"),
            (question("out", "tcp", dst, "2001:db8::9" if family == 6 else "203.0.113.9", 443),),
            (question("out", "tcp", dst, "fd00:ec2::254" if family == 6 else "169.254.169.254", 80),),
        ]

    def test_the_suggested_rule_makes_the_same_question_pass(self):
        asked = [q for family in FAMILIES for q in self.questions(family)]
        rules = []
        for arguments in asked:
            answer = self.ask(*arguments)
            self.assertEqual(answer["verdict"], "drop", answer)
            self.assertTrue(answer["allow"], answer)
            rules.append(answer["allow"])
        self.assertIn('unit  = "rag.service"', "".join(rules))
        self.switch(RULES + '[essentials]\nping = "none"\n' + "\n".join(rules))
        for arguments, added in zip(asked, rules):
            answer = self.ask(*arguments)
            self.assertEqual(answer["verdict"], "pass", answer)
            self.assertIn(f'"{answer["rule"]["name"]}"', added)
        # And it is true: of those that can be tried without more ado.
        for family in FAMILIES:
            self.assertEqual(self.into(22, family), "open")
            self.assertEqual(self.out(5432, family, agent=self.rag), "open")
            self.assertIn(self.out(5432, family), NOT_OPEN)

    @each_family
    def test_where_no_rule_helps_it_says_what_does(self, family):
        src, dst = PEER[family], HOST[family]
        denied = self.ask(question("in", "tcp", src, dst, 23))
        self.assertEqual((denied["reason"], denied["allow"]), ("denied", None))
        self.assertIn('"no-telnet"', denied["next"])
        self.assertEqual(denied["rule"]["name"], "no-telnet")
        self.assertGreater(denied["rule"]["line"], 0)
        segment = self.ask(question("in", "tcp", src, dst, 80, "ack"))
        self.assertEqual((segment["reason"], segment["allow"]), ("no-flow", None))
        self.assertIn("opened anew", segment["next"])
        other = self.ask(question("in", "tcp", src, dst, 81, "ack"))
        self.assertIn("ports = [81]", other["allow"])
        short = packets.ip(src, dst, packets.TCP, packets.tcp(src, dst, 1, 80))[:-8]
        cut = self.ask("in", "on", "eth0", "--hex", short.hex())
        self.assertEqual((cut["reason"], cut["allow"]), ("truncated", None))
        own = self.ask(question("in", "tcp", dst, dst, 80), "--iface", "eth0")
        self.assertEqual((own["reason"], own["allow"]), ("bogon", None))

    @each_family
    def test_the_latest_drop_is_explained(self, family):
        self.assertEqual(self.into(81, family, timeout=0.4), "timeout")
        self.expect_event(reason="no-rule", dst_port=81, src=PEER[family])
        answer = self.ask("--event", "last")
        self.assertEqual((answer["verdict"], answer["reason"]), ("drop", "no-rule"))
        self.assertIn("ports = [81]", answer["allow"])
        self.assertIn("the latest drop", answer["notes"][0])
        self.assertEqual(self.out(5432, family, agent=self.rag), "eperm")
        self.expect_event(reason="no-rule", dst_port=5432, dst=PEER[family])
        answer = self.ask("--event", "last")
        self.assertIn("out tcp", answer["question"])
        self.assertIn('unit  = "rag.service"', answer["allow"])

    def test_a_damaged_log_is_read_as_far_as_it_can_be(self):
        self.assertEqual(self.into(81, 4, timeout=0.4), "timeout")
        self.expect_event(reason="no-rule", dst_port=81)
        with open(self.guard.events_file, "a", encoding="utf-8") as log:
            log.write('{"v":1}\n[]\n\x00\n{"event":"drop"')
        self.assertIn("ports = [81]", self.ask("--event", "last")["allow"])

    def test_a_file_that_has_changed_is_told(self):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("# one line more\n")
        answer = self.ask(question("in", "tcp", PEER[4], HOST[4], 80))
        self.assertTrue(answer["policy"]["changed"])
        self.assertIn("has changed", " ".join(answer["notes"]))
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("[[[")
        answer = self.ask(question("in", "tcp", PEER[4], HOST[4], 80))
        self.assertEqual((answer["verdict"], answer["rule"]["name"]), ("pass", "web"))
        os.unlink(self.file)
        self.assertEqual(self.ask(question("in", "tcp", PEER[4], HOST[4], 81))["verdict"], "drop")

    def test_without_a_daemon_and_without_its_records(self):
        self.guard.kill()
        answer = self.ask(question("in", "tcp", PEER[6], HOST[6], 80))
        self.assertEqual((answer["verdict"], answer["rule"]["name"]), ("pass", "web"))
        shutil.rmtree(os.path.join(self.guard.directory, "state"))
        answer = self.ask(question("in", "tcp", PEER[6], HOST[6], 80))
        self.assertEqual((answer["verdict"], answer["rule"]["name"]), ("pass", "number 1"))
        self.assertIn("state directory", " ".join(answer["notes"]))

    @each_family
    def test_observe_says_both(self, family):
        self.begin(RULES, mode="observe")
        answer = self.ask(question("in", "tcp", PEER[family], HOST[family], 81))
        self.assertEqual((answer["verdict"], answer["reason"]), ("would-drop", "no-rule"))
        self.assertEqual(self.into(81, family), "open")


class Forwarded(Explains, Routing):
    POLICY = (forward("web", both(BOX), both(PEER), ports=[443])
              + forward("into", both(PEER), both(BOX), ports=[80])
              + forward("no-444", both(BOX), both(PEER), ports=[444], kind="deny"))

    @classmethod
    def network(cls):
        cls.peer.route("10.9.0.0/24 via 10.1.0.1", "fd00:9::/64 via fd00:1::1")

    @each_family
    def test_what_is_routed_is_asked_of_each_hook_that_it_meets(self, family):
        box, peer = BOX[family], PEER[family]
        for src, dst, port, way, verdict in (
                (box, peer, 443, self.away, ("pass", None)),
                (box, peer, 444, self.away, ("drop", "denied")),
                (box, peer, 81, self.away, ("drop", "no-rule")),
                (peer, box, 80, self.toward, ("pass", None)),
                (peer, box, 81, self.toward, ("drop", "no-rule"))):
            self.assertEqual(self.verdict(question("forward", "tcp", src, dst, port)), verdict,
                             (src, port))
            result = way(port, family, timeout=0.5)
            self.assertEqual(result == "open", verdict[0] == "pass", (src, port, result))

    def test_a_suggested_forward_rule_makes_it_pass(self):
        asked = [question("forward", proto, src[family], dst[family], 7000)
                 for family in FAMILIES for proto in ("tcp", "udp")
                 for src, dst in ((BOX, PEER), (PEER, BOX))]
        rules = []
        for text in asked:
            answer = self.ask(text)
            self.assertTrue(answer["allow"], answer)
            rules.append(answer["allow"])
        self.switch(self.POLICY + "\n".join(rules))
        for text in asked:
            self.assertEqual(self.verdict(text), ("pass", None), text)

    @each_family
    def test_an_interface_without_guard_admits_what_is_for_the_host(self, family):
        own = {4: "10.9.0.1", 6: "fd00:9::1"}[family]
        answer = self.ask(question("in", "tcp", BOX[family], own, 22))
        self.assertEqual(answer["verdict"], "pass")
        self.assertIn("not guarded", answer["why"])
        answer = self.ask(question("out", "tcp", own, own, 22))
        self.assertIn("loopback", answer["why"])


if __name__ == "__main__":
    unittest.main()
