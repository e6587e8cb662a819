# SPDX-License-Identifier: Apache-2.0
"""What makes an answer an answer: known flows, related errors, strays."""
import struct
import time
import unittest

from harness import HOST, OUTSIDE, PEER, E2e, both, each_family, packets, rule

RULES = (
    rule("ingress", "web", both(PEER), ports=[80])
    + rule("ingress", "nobody-home", both(PEER), ports=[8443])
    + rule("egress", "dns", both(PEER), proto="udp", ports=[53, 55])
    + rule("egress", "https", both(PEER), ports=[443, 444])
    + '[flows]\nudp-idle = "2s"\n'
)


class Flows(E2e):
    POLICY = RULES

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.there.call("listen", port=443)
        cls.there.call("listen", port=53, proto="udp")

    def answered(self, ears):
        """Is there a frame from the host beside ARP and neighbour discovery?"""
        frames = self.there.call("captured", handle=ears)["frames"]
        return [f for f in frames if f[24:28] == "0800"
                or (f[24:28] == "86dd" and f[40:42] not in ("3a", "00"))]

    @each_family
    def test_a_stray_segment_is_dropped_and_gets_no_answer(self, family):
        ears = self.there.call("capture", interface="eth0")["handle"]
        self.send(self.frame(packets.ip(PEER[family], HOST[family], packets.TCP, packets.tcp(
            PEER[family], HOST[family], 30000, 8443, "A", seq=7, ack=9))))
        event = self.expect_event(src=PEER[family], src_port=30000)
        self.assertEqual((event["reason"], event["tcp_flags"]), ("no-flow", "A"))
        self.assertEqual(self.answered(ears), [])

    @each_family
    def test_no_segment_without_a_flow_gets_an_answer(self, family):
        """RST, SYN+ACK and the rest would tell a scanner what is there."""
        ears = self.there.call("capture", interface="eth0")["handle"]
        before = sum(self.guard.status()["reasons"].values())
        kinds = ("A", "SA", "PA", "R", "F", "FA", "RA", "", "FPU", "SF", "SR")
        self.send(*(self.frame(packets.ip(PEER[family], HOST[family], packets.TCP, packets.tcp(
            PEER[family], HOST[family], 31000, port, flags, seq=7, ack=9)))
            for flags in kinds for port in (8443, 9999)))
        after = self.guard.wait_status(
            lambda s: sum(s["reasons"].values()) >= before + 2 * len(kinds))
        self.assertGreaterEqual(sum(after["reasons"].values()), before + 2 * len(kinds))
        self.assertEqual(self.answered(ears), [])

    @each_family
    def test_a_refusal_is_an_answer(self, family):
        """RST to our SYN, and port unreachable to our datagram, reach the program."""
        self.assertEqual(self.out(444, family), "refused")
        self.assertEqual(self.out(55, family, "udp", connected=True), "refused")

    @each_family
    def test_an_error_about_somebody_elses_flow_is_dropped(self, family):
        held = self.here.call("hold", dst=PEER[family], port=53, proto="udp")
        self.assertEqual(held["result"], "open")
        for destination, port, count in ((PEER, held["local_port"] ^ 1, 1),
                                         (OUTSIDE, held["local_port"], 2)):
            before = self.guard.status()["reasons"].get("icmp-unrelated", 0)
            quoted = packets.ip(HOST[family], destination[family], packets.UDP, packets.udp(
                HOST[family], destination[family], port, 53))
            self.send(self.frame(packets.unreachable(PEER[family], HOST[family], quoted)))
            after = self.guard.wait_status(
                lambda s, b=before: s["reasons"].get("icmp-unrelated", 0) > b)
            self.assertEqual(after["reasons"].get("icmp-unrelated", 0), before + 1,
                             f"error {count}")
        self.assertEqual(self.here.result("exchange", handle=held["handle"]), "open")
        self.here.call("release", handle=held["handle"])

    @each_family
    def test_an_error_about_our_flow_comes_through(self, family):
        held = self.here.call("hold", dst=PEER[family], port=53, proto="udp")
        quoted = packets.ip(HOST[family], PEER[family], packets.UDP, packets.udp(
            HOST[family], PEER[family], held["local_port"], 53))
        self.send(self.frame(packets.unreachable(PEER[family], HOST[family], quoted)))
        # The next thing the program hears on the socket is the error.
        got = [self.here.result("exchange", handle=held["handle"]) for _ in range(3)]
        self.assertIn("refused", got)
        self.here.call("release", handle=held["handle"])

    def datagram(self, family, src_port, dst_port):
        self.send(self.frame(packets.ip(PEER[family], HOST[family], packets.UDP, packets.udp(
            PEER[family], HOST[family], src_port, dst_port, b"late"))))

    @each_family
    def test_only_the_asked_port_answers_and_only_for_a_while(self, family):
        held = self.here.call("hold", dst=PEER[family], port=53, proto="udp")
        port = held["local_port"]
        self.datagram(family, 53, port)
        self.expect_no_event(src=PEER[family], src_port=53, dst_port=port)
        self.datagram(family, 54, port)
        self.assertEqual(self.expect_event(src=PEER[family], src_port=54,
                                           dst_port=port)["reason"], "no-rule")
        time.sleep(4.5)  # twice udp-idle, whose clock counts in seconds
        refused = self.guard.status()["reasons"].get("no-rule", 0)
        self.datagram(family, 53, port)
        # Counted, for its event is folded into the one before: same peer, port and reason.
        self.guard.wait_status(lambda s: s["reasons"].get("no-rule", 0) > refused)
        self.here.call("release", handle=held["handle"])

    @each_family
    def test_a_cookie_for_a_listener_is_judged_like_its_opening(self, family):
        """An ACK that finds only a listener may be the end of a SYN-cookie handshake:
        the stack decides where the rule lets in, and nobody where it does not."""
        stranger = {4: "10.2.0.64", 6: "fd00:2:0:1::"}[family]
        ears = self.there.call("capture", interface="eth0")["handle"]
        self.send(self.frame(packets.ip(stranger, HOST[family], packets.TCP, packets.tcp(
            stranger, HOST[family], 32000, 80, "A", seq=7, ack=9))))
        self.expect_event(src=stranger, src_port=32000)
        self.assertEqual(self.answered(ears), [])

    @each_family
    def test_packet_too_big_reaches_the_connection_it_is_about(self, family):
        held = self.here.call("hold", dst=PEER[family], port=443)
        quoted = packets.ip(HOST[family], PEER[family], packets.TCP, packets.tcp(
            HOST[family], PEER[family], held["local_port"], 443, "A"))
        if family == 4:
            error = packets.ipv4(PEER[4], HOST[4], packets.ICMP, packets.icmp(
                3, 4, struct.pack("!HH", 0, 1300), quoted[:28]))
        else:
            error = packets.ipv6(PEER[6], HOST[6], packets.ICMP6, packets.icmp6(
                PEER[6], HOST[6], 2, 0, struct.pack("!I", 1300), quoted))
        before = self.guard.status()["reasons"].get("icmp-unrelated", 0)
        self.send(self.frame(error))
        self.assertEqual(self.here.result("exchange", handle=held["handle"], size=20000), "open")
        self.assertEqual(self.guard.status()["reasons"].get("icmp-unrelated", 0), before)
        self.here.call("release", handle=held["handle"])

    @each_family
    def test_the_flow_table_shows_in_status(self, family):
        before = self.guard.status()["flows"]
        self.assertEqual(before["max"], 262144)
        held = [self.there.call("hold", dst=HOST[family], port=80) for _ in range(5)]
        self.assertGreaterEqual(self.guard.status()["flows"]["entries"], 5)
        self.assertEqual(self.guard.status()["flows"]["refused"], before["refused"])
        for one in held:
            self.there.call("release", handle=one["handle"])


if __name__ == "__main__":
    unittest.main()
