# SPDX-License-Identifier: Apache-2.0
"""Floods: what strangers and programs can fill, and what goes on meanwhile."""
import unittest

from harness import HOST, PEER, E2e, each_family, eventually, packets, rule

FLOOD = 20000
STRANGER = {4: "10.9.0.0", 6: "fd00:1:0:9::"}  # the peer routes nothing back to there
RULES = (rule("ingress", "web", "any", ports=[80])
         + rule("ingress", "echo", "any", proto="udp", ports=[7000])
         + rule("egress", "out", "any", ports=[443])
         + rule("egress", "out-udp", "any", proto="udp", ports=["20000-30000"]))


class Flood(E2e):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.here.call("listen", port=7000, proto="udp")
        cls.there.call("listen", port=443)
        # Answers to strangers leave: the peer is where they go, and takes them in.
        cls.host.ip("neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev eth0",
                    "neigh replace fd00:1::2 lladdr 02:00:00:00:00:02 dev eth0")

    def flood(self, family, packet, count=FLOOD):
        """From `count` sources, their last 16 bits a number, with right checksums: so that
        the stack, and whoever listens, answers."""
        transport = 14 + (20 if family == 4 else 40)
        # What takes it up: the header's identification; the sequence number or the payload.
        balance = [transport + (6 if packet[9 if family == 4 else 6] == packets.TCP else 8)]
        if family == 4:
            balance.append(14 + 4)
        self.assertEqual(self.there.result("flood", interface="eth0",
                                           frame=self.frame(packet).hex(), count=count,
                                           low=14 + (14 if family == 4 else 22), balance=balance,
                                           timeout=60.0), "sent")

    def packet(self, family, proto, payload):
        if family == 4:
            return packets.ipv4(STRANGER[4], HOST[4], proto, payload, ident=0)
        return packets.ipv6(STRANGER[6], HOST[6], proto, payload)

    def syn(self, family):
        return self.packet(family, packets.TCP, packets.tcp(
            STRANGER[family], HOST[family], 40000, 80, seq=0))

    def datagram(self, family, port):
        return self.packet(family, packets.UDP, packets.udp(
            STRANGER[family], HOST[family], 40000, port, bytes(16)))

    def admitted(self):
        return next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")["admitted"]

    @each_family
    def test_a_flood_of_openings_from_forged_sources_makes_no_flow(self, family):
        self.begin(RULES)
        held = self.there.call("hold", dst=HOST[family], port=80)
        before, came = self.guard.status()["flows"]["entries"], self.admitted()
        self.flood(family, self.syn(family))
        # Those that arrive were admitted: they are the stack's to bear, with its cookies.
        self.assertTrue(eventually(lambda: self.admitted() > came + FLOOD // 2))
        self.assertLess(self.guard.status()["flows"]["entries"], before + 20)
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "open")
        self.assertEqual(self.into(80, family, timeout=5.0), "open")

    @each_family
    def test_a_flood_of_datagrams_to_an_open_port_does_not_shut_the_way_out(self, family):
        """The service answers each, and the table is full of that: this host's own
        connections and its askers' go on."""
        self.begin(RULES + "[flows]\nmax = 1024\n")
        held = [self.there.call("hold", dst=HOST[family], port=80),
                self.there.call("hold", dst=HOST[family], port=7000, proto="udp")]
        self.flood(family, self.datagram(family, 7000))
        self.assertLessEqual(self.guard.status()["flows"]["entries"], 1024)
        for _ in range(3):
            self.assertEqual(self.out(443, family), "open")
        self.assertEqual(self.into(80, family), "open")
        self.assertEqual(self.into(7000, family, op="udp"), "open")
        for one in held:
            self.assertEqual(self.there.result("exchange", handle=one["handle"]), "open")
        self.assertNotIn("flow-full", self.guard.status()["reasons"])

    @each_family
    def test_a_flood_of_datagrams_to_a_port_where_nobody_listens_makes_no_flow(self, family):
        self.begin(RULES + rule("ingress", "quiet", "any", proto="udp", ports=[7001]))
        before = self.guard.status()["flows"]["entries"]
        self.flood(family, self.datagram(family, 7001))
        self.assertLess(self.guard.status()["flows"]["entries"], before + 20)

    @each_family
    def test_a_program_that_fills_the_table_is_refused_by_name_and_connections_go_on(self, family):
        self.begin(RULES + "[flows]\nmax = 1024\n")
        held = [(agent, agent.call("hold", dst=dst[family], port=port)["handle"])
                for agent, dst, port in ((self.there, HOST, 80), (self.here, PEER, 443))]
        sent = self.here.call("scatter", dst=PEER[family], ports=[20000, 30000], timeout=30.0)
        self.assertGreater(sent["sent"], 900)
        status = self.guard.wait_status(lambda s: s["reasons"].get("flow-full", 0) > 1000)
        self.assertGreater(status["reasons"].get("flow-full", 0), 1000)
        self.assertGreater(status["flows"]["refused"], 1000)
        self.assertLessEqual(status["flows"]["entries"], 1024)
        self.expect_event(reason="flow-full", direction="egress")
        for agent, handle in held:
            self.assertEqual(agent.result("exchange", handle=handle), "open")
        # What comes in has its socket or its rule; no room for an entry refuses nothing.
        self.assertEqual(self.into(7000, family, op="udp"), "open")
        self.assertEqual(self.into(80, family), "open")

    @each_family
    def test_a_connection_whose_entry_is_gone_readmits_itself(self, family):
        """As after an eviction: the next packet either way finds rule and socket."""
        self.begin(RULES + "[flows]\nmax = 1024\n")
        held = [(agent, agent.call("hold", dst=dst[family], port=port)["handle"])
                for agent, dst, port in ((self.there, HOST, 80), (self.here, PEER, 443))]
        self.forget_flows()
        for agent, handle in held + held[::-1]:
            self.assertEqual(agent.result("exchange", handle=handle), "open")
        reasons = self.guard.status()["reasons"]
        self.assertEqual((reasons.get("no-flow", 0), reasons.get("cut", 0)), (0, 0))


if __name__ == "__main__":
    unittest.main()
