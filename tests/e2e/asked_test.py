# SPDX-License-Identifier: Apache-2.0
"""Floods of questions where everybody may ask: an interface without a guard, and another
network namespace. What the table of askers (sp_asked, 16384) loses costs an answer to that
question, and never lets anything out."""
import glob
import itertools
import os
import signal
import unittest

from harness import HOST1, PEER1, E2e, each_family, eventually, packets, rule

STRANGER = {4: "10.9.0.0", 6: "fd00:1:0:9::"}
BOX = {4: "10.5.0.1", 6: "fd00:5::1"}
FEWER, MORE = 8_000, 40_000  # than the table holds; each a stranger of its own
ASKS, QUIET = 53, 7000       # ports: one is answered, the other never
askers = itertools.count(55000)  # ports that no rule lets out: each is somebody new


def stop(agent):
    """Returns once no thread of it runs any more, so that what comes stays in its sockets."""
    os.kill(agent.pid, signal.SIGSTOP)

    def stopped():
        for task in glob.glob(f"/proc/{agent.pid}/task/*/stat"):
            with open(task, encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] != "T":
                    return False
        return True
    if not eventually(stopped):
        raise RuntimeError("it does not stop")


class Asked(E2e):
    SECOND_NIC = True
    POLICY = rule("egress", "out-udp", "any", proto="udp", ports=["20000-50000"])

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=ASKS, proto="udp")
        cls.quiet = cls.unit_agent("quiet")
        cls.quiet.call("listen", port=QUIET, proto="udp", mode="sink")
        # Two machines of somebody within the host's cgroup, who talks to himself there.
        left, right = cls.lab.host("left"), cls.lab.host("right")
        cls.lab.cable(left, "eth0", right, "eth0")
        left.address("eth0", f"{BOX[4]}/24", f"{BOX[6]}/64")
        right.address("eth0", "10.5.0.2/24", "fd00:5::2/64")
        left.route("default via 10.5.0.2", "default via fd00:5::2")
        cgroup = cls.lab.cgroup.child("system.slice/box.service")
        cls.boxed, cls.box = left.agent(cgroup, name="boxed"), right.agent(cgroup, name="box")
        cls.boxed.call("listen", port=QUIET, proto="udp", mode="sink")
        cls.mac = {name: host.ip_json("link", "show", "dev", nic)[0]["address"] for name, host, nic
                   in (("host", cls.host, "eth1"), ("peer", cls.peer, "eth1"),
                       ("left", left, "eth0"), ("right", right, "eth0"))}

    def questions(self, family, count, inside=False, **options):
        """So many strangers ask at the quiet port; returns what `finish` wants."""
        here = (STRANGER[family], BOX[family] if inside else HOST1[family])
        datagram = packets.udp(*here, 40000, QUIET, bytes(16))
        packet = (packets.ipv4(*here, packets.UDP, datagram, ident=0) if family == 4
                  else packets.ipv6(*here, packets.UDP, datagram))
        far, near = ("right", "left") if inside else ("peer", "host")
        transport = 14 + (20 if family == 4 else 40)
        return (self.box if inside else self.there).begin(
            "flood", interface="eth0" if inside else "eth1", count=count, timeout=60.0,
            frame=packets.ethernet(self.mac[near], self.mac[far], packet).hex(),
            low=14 + (14 if family == 4 else 22),
            balance=[transport + 8] + ([14 + 4] if family == 4 else []), **options)

    def answer_after(self, family, meanwhile, asker=None):
        """Asks a server that is busy until `meanwhile` has returned; what the asker gets."""
        stop(self.here)
        try:
            asked = self.there.begin("udp", dst=HOST1[family], port=ASKS, timeout=20.0,
                                     src_port=asker or next(askers))
            self.assertTrue(eventually(self.received), "the question never came")
            meanwhile()
        finally:
            os.kill(self.here.pid, signal.SIGCONT)
        return asked

    def received(self):
        """Bytes that wait in the server's socket."""
        found = self.host.run("ss", "-Hunl", f"sport = {ASKS}").splitlines()
        return sum(int(line.split()[1]) for line in found)

    def flood(self, family, count, inside=False):
        agent = self.box if inside else self.there
        agent.finish(self.questions(family, count, inside))

    def assert_answered(self, asked, why):
        self.assertEqual(self.there.finish(asked)["result"], "open", why)

    @each_family
    def test_a_question_is_answered_after_fewer_others_than_the_table_holds(self, family):
        for inside in (False, True):
            asked = self.answer_after(family, lambda: self.flood(family, FEWER, inside))
            self.assert_answered(asked, f"inside: {inside}")

    @each_family
    def test_a_newcomers_that_is_pushed_out_is_refused_by_name_and_may_be_asked_again(self, family):
        """Not each is: the kernel keeps what it has not sorted in yet, by CPU."""
        for inside in (False, True):
            port = next(askers)
            asked = self.answer_after(family, lambda: self.flood(family, MORE, inside), port)
            if self.there.finish(asked)["result"] != "open":
                event = self.expect_event(direction="egress", dst=PEER1[family], dst_port=port)
                self.assertEqual((event["reason"], event["comm"]), ("no-rule", "app"), inside)
            self.assertEqual(self.into(ASKS, family, "udp", dst=HOST1[family], src_port=port),
                             "open", f"inside: {inside}")

    @each_family
    def test_who_has_been_answered_before_is_not_pushed_out_by_who_has_not(self, family):
        port = next(askers)
        for _ in range(2):
            self.assertEqual(self.into(ASKS, family, "udp", dst=HOST1[family], src_port=port),
                             "open")
        asked = self.answer_after(family, lambda: self.flood(family, MORE), port)
        self.assert_answered(asked, "after more strangers than the table holds")

    @each_family
    def test_what_a_process_sends_pushes_no_question_out(self, family):
        sender = self.unit_agent(f"sender{family}")

        def send():
            for _ in range(2):
                sent = sender.call("scatter", dst=PEER1[family], ports=[20000, 50000],
                                   timeout=60.0)
                self.assertGreater(sent["sent"], 20_000)
        self.assert_answered(self.answer_after(family, send), "after 60,000 datagrams out")

    @each_family
    def test_questions_are_answered_and_nothing_else_gets_out_while_a_flood_goes_on(self, family):
        under_way = [(self.there, self.questions(family, 4 * MORE)),
                     (self.box, self.questions(family, 4 * MORE, inside=True))]
        answers, rounds = [], 0
        while rounds < 10 or not all(slot["ready"].is_set() for _, slot in under_way):
            # As a resolver asks: again, when no answer came.
            answers.append(any(self.into(ASKS, family, "udp", dst=HOST1[family]) == "open"
                               for _ in range(3)))
            self.assertEqual(self.out(54, family, "udp", dst=PEER1[family]), "eperm")
            rounds += 1
        for agent, slot in under_way:
            agent.finish(slot)
        self.assertEqual(answers.count(False), 0, f"of {len(answers)} questions")


if __name__ == "__main__":
    unittest.main()
