# SPDX-License-Identifier: Apache-2.0
"""Who may open connections to the host: ports, sources, both edges of each, denies."""
import unittest

from harness import (ABOVE, BELOW, FIRST, HOST, LAST, NET, PEER, E2e, both, each_family, packets,
                     rule, together)

RULES = (
    rule("ingress", "web", both(NET), ports=[80])
    + rule("ingress", "range", both(PEER), ports=["8000-8010"])
    + rule("ingress", "dns", both(PEER), proto="udp", ports=[53])
    + rule("ingress", "anything-but", both(PEER), ports=[9000, 9001])
    + rule("deny", "but-this", both(PEER), ports=[9001], proto=None, direction="ingress")
    + rule("ingress", "wide", both(NET), ports=[7000])
    + rule("deny", "narrow", both(LAST), proto="tcp", ports=[7000], direction="ingress")
    + rule("ingress", "told", both(PEER), ports=[2222], log="new")
    + rule("ingress", "quiet", both(PEER), ports=[2223])
    + rule("ingress", "gre", both(PEER), proto=47)
    + rule("ingress", "stream", both(PEER), proto="sctp", ports=[5000])
)


class Ingress(E2e):
    POLICY = RULES

    @classmethod
    def prepare(cls):
        for port in (79, 80, 81, 7000, 7999, 8000, 8010, 8011, 9000, 9001, 2222, 2223):
            cls.here.call("listen", port=port)
        for port in (53, 54, 80):
            cls.here.call("listen", port=port, proto="udp")

    def many(self, family, *wanted):
        """Each (port, source, expected), tried side by side."""
        results = together(*(lambda p=port, s=source: self.into(p, family, src=s[family])
                             for port, source, _ in wanted))
        for (port, source, expected), got in zip(wanted, results):
            self.assertEqual(got, expected, f"port {port} from {source[family]}")

    @each_family
    def test_a_source_prefix_holds_to_both_edges(self, family):
        self.many(family, (80, FIRST, "open"), (80, LAST, "open"), (80, BELOW, "timeout"),
                  (80, ABOVE, "timeout"), (80, PEER, "timeout"))

    @each_family
    def test_a_single_port_is_that_port_alone(self, family):
        self.many(family, (79, FIRST, "timeout"), (80, FIRST, "open"), (81, FIRST, "timeout"))

    @each_family
    def test_a_port_range_holds_to_both_edges(self, family):
        self.many(family, (7999, PEER, "timeout"), (8000, PEER, "open"), (8010, PEER, "open"),
                  (8011, PEER, "timeout"), (8000, FIRST, "timeout"))

    @each_family
    def test_a_tcp_rule_does_not_open_udp(self, family):
        self.assertEqual(self.into(80, family, "udp", src=FIRST[family]), "timeout")

    @each_family
    def test_udp_is_answered_where_allowed(self, family):
        self.assertEqual(self.into(53, family, "udp"), "open")
        self.assertEqual(self.into(53, family, "udp", size=1200), "open")
        self.assertEqual(self.into(54, family, "udp"), "timeout")
        self.assertEqual(self.into(53, family, "udp", src=FIRST[family]), "timeout")

    @each_family
    def test_deny_comes_before_allow(self, family):
        self.many(family, (9000, PEER, "open"), (9001, PEER, "timeout"))
        event = self.expect_event(src=PEER[family], dst_port=9001)
        self.assertEqual((event["reason"], event["rule"]), ("denied", "but-this"))

    @each_family
    def test_a_denied_address_within_an_allowed_prefix_stays_out(self, family):
        self.many(family, (7000, FIRST, "open"), (7000, LAST, "timeout"))
        event = self.expect_event(src=LAST[family], dst_port=7000)
        self.assertEqual((event["reason"], event["rule"]), ("denied", "narrow"))

    @each_family
    def test_the_drop_names_its_reason(self, family):
        self.assertEqual(self.into(80, family, src=BELOW[family]), "timeout")
        event = self.expect_event(src=BELOW[family], dst_port=80)
        self.assertEqual((event["event"], event["reason"]), ("drop", "no-rule"))
        self.assertNotIn("rule", event)

    @each_family
    def test_admitted_connections_are_told_of_when_asked(self, family):
        self.assertEqual(self.into(2222, family), "open")
        self.assertEqual(self.into(2223, family), "open")
        event = self.expect_event(event="new", src=PEER[family], dst_port=2222)
        self.assertEqual((event["rule"], event["direction"]), ("told", "ingress"))
        self.expect_no_event(event="new", dst_port=2223)

    @each_family
    def test_a_large_answer_comes_through(self, family):
        held = self.there.call("hold", dst=HOST[family], port=9000)
        self.assertEqual(held["result"], "open")
        for size in (1, 1500, 60000):
            got = self.there.result("exchange", handle=held["handle"], size=size, timeout=5.0)
            self.assertEqual(got, "open", f"{size} bytes")
        self.there.call("release", handle=held["handle"])

    def rule_count(self, name):
        return next(r for r in self.guard.status()["rules"] if r["name"] == name)

    @each_family
    def test_rules_count_what_they_let_in(self, family):
        before = self.rule_count("range")
        for _ in range(3):
            self.assertEqual(self.into(8000, family), "open")
        after = self.rule_count("range")
        self.assertEqual(after["admitted"] - before["admitted"], 3)
        self.assertGreater(after["bytes"], before["bytes"])
        self.assertEqual(after["direction"], "ingress")

    @each_family
    def test_a_protocol_by_number_and_sctp_ports(self, family):
        status = {name: self.rule_count(name)["admitted"] for name in ("gre", "stream")}
        for proto, payload in ((47, bytes(8)), (packets.SCTP, packets.sctp_init(4000, 5000)),
                               (packets.SCTP, packets.sctp_init(4000, 5001))):
            self.send(self.frame(packets.ip(PEER[family], HOST[family], proto, payload)))
        self.expect_event(src=PEER[family], proto="sctp", dst_port=5001, reason="no-rule")
        for name, before in status.items():
            self.assertGreater(self.rule_count(name)["admitted"], before, name)

    @each_family
    def test_options_and_extension_headers_do_not_hide_the_port(self, family):
        source, host = PEER[family], HOST[family]
        datagram = packets.udp(source, host, 4000, 54, b"closed")
        if family == 4:
            # An option, unknown but sound, that reads as an allowed UDP header at a fixed offset.
            trick = packets.ipv4(source, host, packets.UDP, datagram,
                                 options=bytes([0x1e, 8, 0, 53, 0, 8, 0, 0]))
            self.send(self.frame(trick))
            self.expect_event(src=source, reason="ip-options")
            return
        self.send(self.frame(packets.ipv6(source, host, packets.DEST_OPTS,
                                          packets.options_header(packets.UDP, datagram))))
        self.expect_event(src=source, dst_port=54, proto="udp", reason="no-rule")
        opening = packets.udp(source, host, 4100, 53, b"wrapped")
        before = self.rule_count("dns")["admitted"]
        self.send(self.frame(packets.ipv6(source, host, packets.DEST_OPTS,
                                          packets.options_header(packets.UDP, opening))))
        self.expect_no_event(src=source, src_port=4100)
        self.assertGreater(self.rule_count("dns")["admitted"], before)

    @each_family
    def test_fragments_are_dropped_even_of_what_is_allowed(self, family):
        whole = packets.udp(PEER[family], HOST[family], 4200, 53, bytes(2000))
        self.send(*(self.frame(p) for p in packets.fragments(PEER[family], HOST[family],
                                                             packets.UDP, whole, 1000)))
        self.expect_event(src=PEER[family], reason="fragment")

    @each_family
    def test_forged_sources_are_bogons(self, family):
        host = HOST[family]
        forged = {4: ("127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", host),
                  6: ("::1", "ff02::1", "::ffff:10.1.0.2", host)}[family]
        for source in forged:
            before = self.guard.status()["reasons"].get("bogon", 0)
            self.send(self.frame(packets.ip(source, host, packets.UDP,
                                            packets.udp(source, host, 4000, 53, b"x"))))
            after = self.guard.wait_status(
                lambda s, b=before: s["reasons"].get("bogon", 0) > b)
            self.assertGreater(after["reasons"].get("bogon", 0), before, source)


class Zones(E2e):
    """Zones as people compose them."""

    @classmethod
    def prepare(cls):
        for port in (80, 81, 82):
            cls.here.call("listen", port=port)

    @each_family
    def test_zones_with_files_and_exceptions(self, family):
        self.guard.write_policy("# friends\n\n" + "\n".join(both(NET)) + "  # with a comment\n",
                                "friends.netset")
        zones = ('[zones]\nfriends = { file = "friends.netset" }\n'
                 f'most = {{ zones = ["friends"], except = ["{LAST[4]}", "{LAST[6]}"] }}\n'
                 f'here = {{ networks = ["{PEER[4]}", "{PEER[6]}"], interfaces = ["eth0"] }}\n'
                 f'elsewhere = {{ networks = ["{PEER[4]}", "{PEER[6]}"], interfaces = ["eth7"] }}\n')
        self.begin(rule("ingress", "most", "most", ports=[80])
                   + rule("ingress", "here", "here", ports=[81])
                   + rule("ingress", "elsewhere", "elsewhere", ports=[82]), zones=zones)
        for port, source, expected in ((80, FIRST, "open"), (80, LAST, "timeout"),
                                       (80, BELOW, "timeout"), (81, PEER, "open"),
                                       (82, PEER, "timeout")):
            self.assertEqual(self.into(port, family, src=source[family]), expected,
                             f"{port} from {source[family]}")


if __name__ == "__main__":
    unittest.main()
