# SPDX-License-Identifier: Apache-2.0
"""What the host routes for others: containers behind a bridge, published ports, plain routing.

`box` is a machine behind the host's bridge br0, which is not guarded; its processes are
not below the guarded cgroup, so that the hooks for routed traffic alone decide."""
import time
import unittest

from harness import (CUT, FAMILIES, FIRST, HOST, LAST, NETFILTER_LINKS, OUTSIDE, PEER, E2e, as_list,
                     both, each_family, eventually, rule)

BOX = {4: "10.9.0.2", 6: "fd00:9::2"}
BOXES = {4: "10.9.0.0/24", 6: "fd00:9::/64"}


def forward(name, sources, targets, proto="tcp", ports=(), kind="forward", **more):
    """One [[forward]] table, or a [[deny]] of that direction."""
    lines = [f"[[{kind}]]", f'name = "{name}"', f"from = {as_list(sources)}",
             f"to = {as_list(targets)}", f'proto = "{proto}"']
    if kind == "deny":
        lines.append('direction = "forward"')
    if ports:
        lines.append(f"ports = {list(ports)}")
    return "\n".join(lines + [f'{k} = "{v}"' for k, v in more.items()]) + "\n"


class Routing(E2e):
    """The host routes between eth0, which is guarded, and a bridge with the box behind it."""

    @classmethod
    def prepare(cls):
        cls.box = cls.lab.host("box")
        cls.lab.cable(cls.host, "veth1", cls.box, "eth0")
        cls.host.ip("link add br0 type bridge", "link set br0 up", "link set veth1 master br0")
        cls.host.address("br0", "10.9.0.1/24", "fd00:9::1/64")
        cls.box.address("eth0", "10.9.0.2/24", "fd00:9::2/64")
        cls.box.route("default via 10.9.0.1", "default via fd00:9::1")
        cls.host.forward()
        cls.inside = cls.box.agent(name="box")
        for agent in (cls.inside, cls.there):
            for port in (80, 81, 443, 444):
                agent.call("listen", port=port)
            for port in (53, 54):
                agent.call("listen", port=port, proto="udp")
        cls.network()

    @classmethod
    def network(cls):
        """Routes and NAT of a class's own."""

    @classmethod
    def nft(cls, rules):
        cls.host.run("nft", rules)

    def away(self, port, family, op="tcp", dst=None, **arguments):
        """The box tries the peer."""
        if op != "ping":
            arguments["port"] = port
        return self.inside.result(op, dst=dst or PEER[family], **arguments)

    def toward(self, port, family, op="tcp", dst=None, **arguments):
        """The peer tries the box, or where it is published."""
        if op != "ping":
            arguments["port"] = port
        # By name: of many addresses IPv6 takes the one that is most like the destination.
        return self.there.result(op, dst=dst or BOX[family],
                                 src=arguments.pop("src", PEER[family]), **arguments)


MASQUERADE = """
table ip nat {
  chain post { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}
table ip6 nat {
  chain post { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}
"""
TO_PEER = (forward("web", both(BOXES), both(PEER), ports=[443])
           + forward("dns", both(BOXES), both(PEER), proto="udp", ports=[53, 55])
           + forward("ping", both(BOXES), both(PEER), proto="icmp"))


class Masquerade(Routing):
    POLICY = TO_PEER

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)

    @each_family
    def test_a_box_reaches_what_a_forward_rule_allows(self, family):
        self.assertEqual(self.away(443, family), "open")
        self.assertEqual(self.away(53, family, "udp"), "open")
        self.assertEqual(self.away(0, family, "ping"), "open")

    @each_family
    def test_and_nothing_else(self, family):
        self.assertEqual(self.away(444, family), "timeout")
        self.assertEqual(self.away(54, family, "udp"), "timeout")
        self.assertEqual(self.away(443, family, dst=LAST[family]), "timeout")
        self.assertEqual(self.away(0, family, "ping", dst=LAST[family]), "timeout")

    @each_family
    def test_a_refusal_tells_the_address_that_the_box_has(self, family):
        self.away(443, family, dst=OUTSIDE[family])
        event = self.expect_event(direction="forward", src=BOX[family], dst=OUTSIDE[family])
        iface = "br0" if NETFILTER_LINKS else "veth1"  # a filter at TC stands at the port too
        self.assertEqual((event["reason"], event["hook"], event["iface"], event["exfil"]),
                         ("no-rule", "forward", iface, True))

    @each_family
    def test_much_goes_both_ways(self, family):
        held = self.inside.call("hold", dst=PEER[family], port=443)
        self.assertEqual(held["result"], "open")
        for _ in range(3):
            self.assertEqual(self.inside.result("exchange", handle=held["handle"], size=200000),
                             "open")
        self.inside.call("release", handle=held["handle"])

    @each_family
    def test_an_error_about_a_flow_comes_back(self, family):
        self.assertEqual(self.away(55, family, "udp", connected=True), "refused")

    @each_family
    def test_what_a_box_may_ask_does_not_open_the_box(self, family):
        self.peer.route(f"{BOXES[family]} via {HOST[family]}")
        self.assertEqual(self.toward(80, family), "timeout")
        self.assertEqual(self.toward(443, family), "timeout")
        self.assertEqual(self.toward(53, family, "udp"), "timeout")

    @each_family
    def test_the_host_itself_is_as_shut_as_before(self, family):
        self.assertEqual(self.into(443, family), "timeout")


class ForgottenByNat(Routing):
    """A relayed flow that conntrack gives up before the flow table does."""
    POLICY = TO_PEER + rule("egress", "host dns", both(PEER), proto="udp", ports=[53])

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)
        cls.host.sysctl("net.netfilter.nf_conntrack_udp_timeout=1")
        cls.service = cls.host.agent(name="service")
        cls.service.call("listen", port=1610, proto="udp")

    @each_family
    def test_its_answers_reach_no_socket_of_the_host(self, family):
        if not NETFILTER_LINKS:
            self.skipTest("this kernel has no netfilter links")
        # Nobody answers at 55; the peer sends what the host would take for an answer.
        self.inside.call("udp", dst=PEER[family], port=55, src=BOX[family], src_port=1610,
                         wait=False)
        time.sleep(3)
        self.there.call("udp", dst=HOST[family], port=1610, src=PEER[family], src_port=55,
                        wait=False)
        event = self.expect_event(direction="ingress", dst_port=1610, src_port=55,
                                  src=PEER[family])
        self.assertEqual((event["reason"], event["hook"]), ("no-rule", "hold"))

    @each_family
    def test_its_tuple_may_then_be_the_hosts(self, family):
        self.assertEqual(self.away(53, family, "udp", src=BOX[family], src_port=1620), "open")
        time.sleep(3)
        self.assertEqual(self.out(53, family, "udp", src=HOST[family], src_port=1620), "open")


PUBLISH = """
table ip nat {
  chain pre { type nat hook prerouting priority dstnat;
    fib daddr type local tcp dport 8088 dnat to 10.9.0.2:80
    fib daddr type local tcp dport 8089 dnat to 10.9.0.2:81
    fib daddr type local udp dport 5300 dnat to 10.9.0.2:53
    fib daddr type local udp dport 5400 dnat to 10.9.0.2:54
    fib daddr type local udp dport 5500 dnat to 10.9.0.2:99
  }
  chain post { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}
table ip6 nat {
  chain pre { type nat hook prerouting priority dstnat;
    fib daddr type local tcp dport 8088 dnat to [fd00:9::2]:80
    fib daddr type local tcp dport 8089 dnat to [fd00:9::2]:81
    fib daddr type local udp dport 5300 dnat to [fd00:9::2]:53
    fib daddr type local udp dport 5400 dnat to [fd00:9::2]:54
    fib daddr type local udp dport 5500 dnat to [fd00:9::2]:99
  }
  chain post { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}
"""


def as_published(*ports, proto="tcp"):
    """The rule that what is published wants of its own, where nobody sees both ends."""
    if NETFILTER_LINKS:
        return ""
    return forward(f"as published {proto}", both(PEER), both(BOX), proto=proto, ports=ports)


ASKED = (rule("ingress", "published", both(PEER), ports=[8088]) + as_published(80)
         + rule("ingress", "published udp", both(PEER), proto="udp", ports=[5300, 5500])
         + as_published(53, 99, proto="udp"))


class Published(Routing):
    POLICY = ASKED

    @classmethod
    def network(cls):
        cls.nft(PUBLISH)

    @each_family
    def test_a_published_port_is_reached_by_whom_an_ingress_rule_lets_in(self, family):
        self.assertEqual(self.into(8088, family), "open")
        self.assertEqual(self.into(5300, family, "udp"), "open")

    @each_family
    def test_and_by_nobody_else(self, family):
        self.assertEqual(self.into(8088, family, src=FIRST[family]), "timeout")
        self.assertEqual(self.into(5300, family, "udp", src=FIRST[family]), "timeout")

    @each_family
    def test_a_port_without_an_ingress_rule_is_shut_published_or_not(self, family):
        self.assertEqual(self.into(8089, family), "timeout")
        self.assertEqual(self.into(5400, family, "udp"), "timeout")
        event = self.expect_event(direction="ingress", dst=HOST[family], dst_port=8089)
        self.assertEqual((event["reason"], event["hook"]), ("no-rule", "xdp"))

    @each_family
    def test_much_goes_both_ways(self, family):
        held = self.there.call("hold", dst=HOST[family], port=8088)
        self.assertEqual(held["result"], "open")
        for _ in range(3):
            self.assertEqual(self.there.result("exchange", handle=held["handle"], size=200000),
                             "open")
        self.there.call("release", handle=held["handle"])

    @each_family
    def test_an_error_about_a_published_port_goes_back(self, family):
        self.assertEqual(self.into(5500, family, "udp", connected=True), "refused")

    @each_family
    def test_the_box_itself_may_open_nothing(self, family):
        self.assertEqual(self.away(443, family), "timeout")
        self.assertEqual(self.away(53, family, "udp"), "timeout")

    @each_family
    def test_the_box_is_not_reached_past_the_published_port(self, family):
        self.peer.route(f"{BOXES[family]} via {HOST[family]}")
        # The rule of its own opens it by its own address too.
        self.assertEqual(self.toward(80, family), "timeout" if NETFILTER_LINKS else "open")
        self.assertEqual(self.toward(81, family), "timeout")
        self.assertEqual(self.toward(8088, family), "timeout")

    def test_its_bytes_are_the_rules(self):
        before = {r["name"]: r for r in self.guard.status()["rules"]}["published"]
        self.assertEqual(self.into(8088, 4), "open")
        after = {r["name"]: r for r in self.guard.status()["rules"]}["published"]
        self.assertEqual(after["admitted"], before["admitted"] + 1)
        self.assertGreater(after["bytes"], before["bytes"] + 400)


ROUTES = (forward("in web", both(PEER), both(BOX), ports=[80])
          + forward("in dns", both(PEER), both(BOX), proto="udp", ports=[53, 55])
          + forward("out web", both(BOX), both(PEER) + both(LAST),
                    ports=[443, 444])
          + forward("not there", both(BOX), both(LAST), kind="deny", ports=[443])
          + forward("ping", both(BOX), both(PEER), proto="icmp"))


class Plain(Routing):
    POLICY = ROUTES

    @classmethod
    def network(cls):
        cls.peer.route(*(f"{BOXES[f]} via {HOST[f]}" for f in (4, 6)))

    @each_family
    def test_a_stranger_reaches_what_a_forward_rule_allows(self, family):
        self.assertEqual(self.toward(80, family), "open")
        self.assertEqual(self.toward(53, family, "udp"), "open")

    @each_family
    def test_and_nothing_else(self, family):
        self.assertEqual(self.toward(81, family), "timeout")
        self.assertEqual(self.toward(54, family, "udp"), "timeout")
        self.assertEqual(self.toward(80, family, src=FIRST[family]), "timeout")
        self.assertEqual(self.toward(0, family, "ping"), "timeout")
        event = self.expect_event(direction="forward", dst=BOX[family], dst_port=81)
        self.assertEqual((event["reason"], event["hook"]), ("no-rule", "xdp"))

    @each_family
    def test_the_box_reaches_what_a_forward_rule_allows(self, family):
        self.assertEqual(self.away(443, family), "open")
        self.assertEqual(self.away(0, family, "ping"), "open")

    @each_family
    def test_a_deny_rule_comes_before(self, family):
        self.assertEqual(self.away(444, family, dst=LAST[family]), "open")
        self.assertEqual(self.away(443, family, dst=LAST[family]), "timeout")
        event = self.expect_event(direction="forward", dst=LAST[family], dst_port=443)
        self.assertEqual((event["reason"], event["rule"]), ("denied", "not there"))

    @each_family
    def test_errors_go_both_ways(self, family):
        self.assertEqual(self.toward(55, family, "udp", connected=True), "refused")

    @each_family
    def test_much_goes_both_ways(self, family):
        for agent, source, target, port in ((self.inside, BOX, PEER, 443),
                                            (self.there, PEER, BOX, 80)):
            held = agent.call("hold", dst=target[family], port=port, src=source[family])
            self.assertEqual(held["result"], "open")
            self.assertEqual(agent.result("exchange", handle=held["handle"], size=200000), "open")
            agent.call("release", handle=held["handle"])

    def test_a_connection_is_counted_once(self):
        before = {r["name"]: r for r in self.guard.status()["rules"]}["in web"]
        self.assertEqual(self.toward(80, 4), "open")
        after = {r["name"]: r for r in self.guard.status()["rules"]}["in web"]
        self.assertEqual(after["admitted"], before["admitted"] + 1)


class RoutedReload(Routing):
    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)

    @each_family
    def test_a_reload_cuts_what_it_no_longer_allows_and_nothing_else(self, family):
        self.begin(forward("one", both(BOXES), both(PEER), ports=[443])
                   + forward("two", both(BOXES), both(PEER), ports=[444])
                   + forward("dns", both(BOXES), both(PEER), proto="udp", ports=[53, 54]))
        held = {p: self.inside.call("hold", dst=PEER[family], port=p)["handle"] for p in (443, 444)}
        asked = {p: self.inside.call("hold", dst=PEER[family], port=p, proto="udp")["handle"]
                 for p in (53, 54)}
        self.switch(forward("one", both(BOXES), both(PEER), ports=[443])
                    + forward("dns", both(BOXES), both(PEER), proto="udp", ports=[53]))
        self.assertEqual(self.inside.result("exchange", handle=held[443]), "open")
        self.assertIn(self.inside.result("exchange", handle=held[444]), CUT)
        self.assertEqual(self.inside.result("exchange", handle=asked[53]), "open")
        self.assertIn(self.inside.result("exchange", handle=asked[54]), CUT)
        self.expect_event(direction="forward", reason="cut", dst_port=444)


class ThroughTheBridge(Routing):
    """A rule may name the interface that routed traffic comes in by: the bridge, not its ports."""

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)

    def rules(self, interface):
        return (forward("web", both(BOXES), both(PEER), ports=[443]).rstrip()
                + f'\ninterfaces = ["{interface}"]\n')

    @each_family
    def test_a_rule_for_the_bridge_holds(self, family):
        self.begin(self.rules("br0"))
        self.assertEqual((self.away(443, family), self.away(444, family)), ("open", "timeout"))

    @each_family
    def test_a_rule_for_its_port_or_another_interface_does_not(self, family):
        for name in ("veth1", "eth1"):
            self.begin(self.rules(name))
            self.assertEqual(self.away(443, family), "timeout")

    def test_it_holds_at_a_port_that_leaves_and_comes_back(self):
        self.begin(self.rules("br0"))
        self.host.ip("link set veth1 nomaster")
        self.host.ip("link set veth1 master br0")
        self.assertTrue(eventually(lambda: (self.away(443, 4), self.away(443, 6)) == ("open", "open")))
        self.assertEqual(self.away(444, 4), "timeout")


class PublishedReload(Routing):
    @classmethod
    def network(cls):
        cls.nft(PUBLISH)

    @each_family
    def test_a_reload_cuts_a_published_connection_that_it_no_longer_allows(self, family):
        routed = as_published(80, 81)
        self.begin(rule("ingress", "one", both(PEER), ports=[8088])
                   + rule("ingress", "two", both(PEER), ports=[8089]) + routed)
        held = {p: self.there.call("hold", dst=HOST[family], port=p)["handle"]
                for p in (8088, 8089)}
        self.switch(rule("ingress", "one", both(PEER), ports=[8088]) + routed)
        self.assertEqual(self.there.result("exchange", handle=held[8088]), "open")
        self.assertIn(self.there.result("exchange", handle=held[8089]), CUT)

    @each_family
    def test_a_forward_rule_for_what_is_published_opens_no_published_port(self, family):
        self.begin(forward("as published", both(PEER), both(BOX), ports=[80, 81])
                   + rule("ingress", "two", both(PEER), ports=[8089]))
        self.assertEqual(self.into(8089, family), "open")
        self.assertEqual(self.into(8088, family), "timeout")

    @each_family
    def test_an_ingress_rule_opens_one_where_the_kernel_shows_both_ends(self, family):
        self.begin(rule("ingress", "both", both(PEER), ports=[8088, 8089])
                   + forward("as published", both(PEER), both(BOX), ports=[80]))
        self.assertEqual(self.into(8088, family), "open")
        self.assertEqual(self.into(8089, family), "open" if NETFILTER_LINKS else "timeout")


class RoutedCrash(Routing):
    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)

    def assert_stands(self, why):
        for family in FAMILIES:
            self.assertEqual((self.away(443, family), self.away(444, family)),
                             ("open", "timeout"), why)

    def forward_hook(self):
        return next(h for h in self.guard.status()["hooks"] if h["hook"] == "forward")

    def test_it_stands_without_a_daemon_and_goes_with_down(self):
        self.begin(TO_PEER)
        self.guard.kill()
        self.assert_stands("without a daemon")
        hook = self.forward_hook()
        self.assertEqual((hook["mode"], hook["attached"]),
                         ("netfilter" if NETFILTER_LINKS else "tc", True))
        self.assertGreater(hook["dropped"], 0)
        self.guard.down()
        for family in FAMILIES:
            self.assertEqual(self.away(444, family), "open")
        self.guard.process = None

    def test_the_next_daemon_adopts_it_and_cuts_nothing(self):
        """A netfilter link takes no new program: the new one stands beside the old for a moment."""
        self.begin(TO_PEER)
        held = {f: self.inside.call("hold", dst=PEER[f], port=443)["handle"] for f in FAMILIES}
        before = self.forward_pins()
        self.guard.kill()
        self.guard.start(self.file)
        self.assert_stands("after adoption")
        for handle in held.values():
            self.assertEqual(self.inside.result("exchange", handle=handle), "open")
        after = self.forward_pins()
        if NETFILTER_LINKS:
            self.assertEqual(len(after), 2)
            self.assertFalse(after & before)
        else:
            filters = self.host.run("tc", "filter", "show", "dev", "br0", "ingress").splitlines()
            self.assertEqual(sum("sp_tc_forward" in line for line in filters), 1)

    def forward_pins(self):
        pins = self.host.run("ls", f"{self.guard.pins}/v1/links").split()
        return {pin for pin in pins if pin.startswith("forward")}

    def test_a_hook_that_is_detached_by_force_is_put_back(self):
        self.begin(TO_PEER)
        if NETFILTER_LINKS:
            pin = next(p for p in self.forward_pins() if p.startswith("forward4"))
            self.host.run("bpftool", "link", "detach", "pinned", f"{self.guard.pins}/v1/links/{pin}")
        else:
            self.host.run("tc", "qdisc", "del", "dev", "br0", "clsact")
        self.assertTrue(eventually(lambda: self.away(444, 4) == "timeout"))
        which = {"detail": "forward4"} if NETFILTER_LINKS else {"iface": "br0"}
        self.assertTrue(eventually(lambda: self.tail.find(event="hook", state="restored", **which)))
        self.assertTrue(self.forward_hook()["attached"])
        self.assert_stands("after it was put back")


class Boxed(Routing):
    """A box whose processes are below the cgroup has both hooks before it."""
    POLICY = (forward("all", both(BOXES), both(PEER), ports=[443, 444])
              + rule("egress", "web", both(PEER), ports=[80, 443]))

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)
        cls.bound = cls.box.agent(cls.lab.cgroup.child("system.slice/box.service"), name="bound")

    @each_family
    def test_both_must_allow(self, family):
        self.assertEqual(self.bound.result("tcp", dst=PEER[family], port=443), "open")
        self.assertIn(self.bound.result("tcp", dst=PEER[family], port=444), ("eperm", "timeout"))
        self.assertEqual(self.bound.result("tcp", dst=PEER[family], port=80), "timeout")


class Bridged(E2e):
    """The guarded NIC is a port of a bridge with a box on it: nothing is routed."""
    POLICY = forward("none", ["192.0.2.1"], ["192.0.2.2"])
    NEXT = {4: "10.1.0.7", 6: "fd00:1::7"}

    @classmethod
    def prepare(cls):
        cls.box = cls.lab.host("box")
        cls.lab.cable(cls.host, "veth1", cls.box, "eth0")
        cls.host.ip("link add br0 type bridge", "link set br0 up", "link set veth1 master br0",
                    "link set eth0 master br0")
        cls.box.address("eth0", "10.1.0.7/24", "fd00:1::7/64")
        cls.box.ip(*(f"neigh add {PEER[f]} lladdr 02:00:00:00:00:02 dev eth0 nud permanent"
                     for f in FAMILIES))
        cls.inside = cls.box.agent(name="box")

    def refused_by(self, family, netfilter):
        settings = [f"net.bridge.bridge-nf-call-{t}={int(netfilter)}"
                    for t in ("iptables", "ip6tables")]
        try:
            self.host.sysctl(*settings)
        except RuntimeError:  # without br_netfilter it is off
            if netfilter:
                self.skipTest("this kernel has no br_netfilter")
        port = 7000 + 10 * netfilter + family
        self.inside.call("udp", dst=PEER[family], port=port, wait=False)
        return self.expect_event(src=self.NEXT[family], dst_port=port)

    @each_family
    def test_a_frame_that_crosses_the_bridge_is_judged_where_it_leaves(self, family):
        """It still has its socket, and is judged as what leaves is."""
        event = self.refused_by(family, False)
        self.assertEqual((event["reason"], event["hook"], event["iface"], event["direction"]),
                         ("no-rule", "tc", "eth0", "egress"))

    @each_family
    def test_as_routed_where_the_bridge_hands_it_to_netfilter(self, family):
        event = self.refused_by(family, True)
        where = ("forward", "br0") if NETFILTER_LINKS else ("tc", "eth0")
        self.assertEqual((event["reason"], event["hook"], event["iface"], event["direction"]),
                         ("no-rule", *where, "forward"))


if __name__ == "__main__":
    unittest.main()
