# SPDX-License-Identifier: Apache-2.0
"""The names that events tell: by the answers that this host got to what it asked, and by no
other."""
import subprocess
import sys
import unittest

from forward_test import BOX, MASQUERADE, TO_PEER, Routing
from harness import (ABOVE, BELOW, FIRST, HOST, LAST, OUTSIDE, PEER, E2e, both, each_family,
                     eventually, packets, rule)
from resolver import answer, question

RULES = (rule("egress", "resolver", both(PEER), proto="udp", ports=[53])
         + rule("ingress", "service", "any", proto="udp", ports=[5300]))
RECORDS = {"api.example.com": both(OUTSIDE), "www.example.com": "edge.cdn.example",
           "edge.cdn.example": both(FIRST), "client.example": both(LAST),
           "evil\x1b[2j.example": both(ABOVE), "later.example": both(BELOW)}
KNOCK = """
import socket
try: socket.create_connection(({dst!r}, 7010), 1)
except OSError: pass
"""
LOOPBACK = {4: "127.0.0.53", 6: "::1"}
# An unshared namespace in which everything, port 53 of loopback too, is one's own.
OWN_ANSWERS = """
import ctypes, os, socket, subprocess, sys
sys.path.insert(0, {lab!r})
assert ctypes.CDLL(None).unshare(0x40000000) == 0
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
import resolver
resolver.serve_names({{"bank.example": [{address!r}]}}, ["127.0.0.53"])
print(resolver.look_up("bank.example", "127.0.0.53", {family}))
"""


class SeenNames(E2e):
    @classmethod
    def prepare(cls):
        cls.there.call("serve_names", records=RECORDS)
        cls.here.call("serve_names", records=RECORDS, addresses=list(LOOPBACK.values()))

    def look_up(self, name, family, **arguments):
        found = self.here.call("look_up", name=name, family=family,
                               dst=arguments.pop("dst", PEER[family]), **arguments)
        self.assertEqual(found["result"], "open", found)
        return found

    def refused(self, family, dst, port):
        """The event of a way out that is refused."""
        self.assertEqual(self.out(port, family, dst=dst), "eperm")
        return self.expect_event(direction="egress", dst=dst, dst_port=port)

    @each_family
    def test_what_was_looked_up_is_named_where_it_is_refused(self, family):
        self.begin(RULES)
        self.assertNotIn("dst_name", self.refused(family, OUTSIDE[family], 7001))
        self.look_up("api.example.com", family)
        event = self.refused(family, OUTSIDE[family], 7002)
        self.assertEqual(event["dst_name"], "api.example.com")
        self.assertNotIn("src_name", event)
        # Whatever socket asked, and an alias by the name that was asked for.
        self.look_up("WWW.Example.com", family, connected=False)
        self.assertEqual(self.refused(family, FIRST[family], 7003)["dst_name"], "www.example.com")

    @each_family
    def test_the_name_is_shown_to_people_and_in_the_shapes_of_others(self, family):
        self.begin(RULES)
        self.look_up("api.example.com", family)
        shown, cgroup = [], self.lab.cgroup.child("system.slice/knock.service")
        for arguments in ([], ["--format", "ecs"]):
            with subprocess.Popen(self.guard.command("tail", "--port", "7010", "--count", "1", *arguments),
                                  stdout=subprocess.PIPE, text=True,
                                  env=self.guard.environment) as tail:
                # Again until it is served, and by a new process each time: not to be folded.
                self.assertTrue(eventually(lambda tail=tail: self.host.run(
                    sys.executable, "-c", KNOCK.format(dst=OUTSIDE[family]), cgroup=cgroup) is not None
                    and tail.poll() is not None))
                shown.append(tail.stdout.read())
        self.assertIn("  to api.example.com  ", shown[0])
        self.assertIn('"domain":"api.example.com"', shown[1])

    @each_family
    def test_who_comes_in_is_named_if_this_host_looked_him_up(self, family):
        self.begin(RULES)
        self.look_up("client.example", family)
        self.assertEqual(self.into(7020, family, src=LAST[family]), "timeout")
        event = self.expect_event(direction="ingress", src=LAST[family], dst_port=7020)
        self.assertEqual(event["src_name"], "client.example")
        self.assertNotIn("dst_name", event)

    @each_family
    def test_an_answer_that_nobody_asked_for_teaches_nothing(self, family):
        self.begin(RULES)
        forged = answer(question("bank.example", family), {"bank.example": both(OUTSIDE)})
        for source, port in ((PEER[family], 5300), (PEER[family], 4444), (OUTSIDE[family], 5300)):
            self.send(self.frame(packets.ip(source, HOST[family], packets.UDP, packets.udp(
                source, HOST[family], 53, port, forged))))
        self.assertNotIn("dst_name", self.refused(family, OUTSIDE[family], 7030))

    @each_family
    def test_a_name_that_would_steer_a_terminal_is_none(self, family):
        self.begin(RULES)
        self.look_up("evil\x1b[2J.example", family)
        self.assertNotIn("dst_name", self.refused(family, ABOVE[family], 7040))

    @each_family
    def test_a_resolver_on_loopback_is_heard(self, family):
        self.begin(RULES)
        self.look_up("api.example.com", family, dst=LOOPBACK[family])
        self.assertEqual(self.refused(family, OUTSIDE[family], 7050)["dst_name"], "api.example.com")

    @each_family
    def test_who_answers_himself_in_a_namespace_of_his_own_teaches_nothing(self, family):
        self.begin(RULES)
        script = OWN_ANSWERS.format(lab=packets.__file__.rsplit("/", 1)[0], family=family,
                                    address=OUTSIDE[family])
        cgroup = self.lab.cgroup.child("system.slice/own.service")
        done = self.host.run(sys.executable, "-c", script, cgroup=cgroup)
        self.assertIn("open", done)
        self.assertNotIn("dst_name", self.refused(family, OUTSIDE[family], 7060))

    @each_family
    def test_names_can_be_switched_off_and_on(self, family):
        self.begin(RULES + "[events]\nnames = false\n")
        self.look_up("api.example.com", family)
        self.assertNotIn("dst_name", self.refused(family, OUTSIDE[family], 7070))
        self.switch(RULES)
        self.assertNotIn("dst_name", self.refused(family, OUTSIDE[family], 7071))
        self.look_up("api.example.com", family)
        self.assertIn("dst_name", self.refused(family, OUTSIDE[family], 7072))
        self.switch(RULES + "[events]\nnames = false\n")
        self.assertNotIn("dst_name", self.refused(family, OUTSIDE[family], 7073))

    @each_family
    def test_what_was_answered_while_no_daemon_ran_is_known_to_the_next(self, family):
        self.begin(RULES)
        self.guard.kill()
        self.look_up("later.example", family)
        self.guard.start(self.file)
        self.listen_in()
        self.assertEqual(self.refused(family, BELOW[family], 7080)["dst_name"], "later.example")


class NamesOfTheRouted(Routing):
    """What a box behind the host's NAT asks passes by the host's own hooks."""

    POLICY = TO_PEER

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)
        cls.there.call("serve_names", records=RECORDS, addresses=both(PEER))

    @each_family
    def test_what_a_box_looked_up_is_named_where_it_is_refused(self, family):
        found = self.inside.call("look_up", name="api.example.com", dst=PEER[family], family=family)
        self.assertEqual(found["result"], "open", found)
        self.assertEqual(self.away(7100, family, dst=OUTSIDE[family]), "timeout")
        event = self.expect_event(direction="forward", src=BOX[family], dst=OUTSIDE[family],
                                  dst_port=7100)
        self.assertEqual(event["dst_name"], "api.example.com")
        self.assertNotIn("src_name", event)


if __name__ == "__main__":
    unittest.main()
