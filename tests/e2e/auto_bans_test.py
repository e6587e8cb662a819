# SPDX-License-Identifier: Apache-2.0
"""Automatic bans: who really tries is banned, and nobody in whose name others do."""
import threading
import time
import unittest

from bans_support import BanE2e
from foreign import foreign
from harness import (ABOVE, BELOW, CUT, FIRST, HOST, LAST, OUTSIDE, PEER, each_family, eventually,
                     packets, rule)
from slow import FACTOR, patient

RULES = (rule("ingress", "web", "any", ports=[80])
         + rule("ingress", "api", "any", ports=[8000]) + 'limit = "2/hour"\n')
LIMITS = 'after-limits = "4 in 10m for 1h"\n'
PROBES = 'after-probes = "4 in 10m for 1h"\n'
SHUT = 9999
# What is banned of LAST: of IPv6 a /64.
BANNED = {4: LAST[4], 6: "fd00:2:0:1::/64"}


class AutoBans(BanE2e):
    XDP = "generic"

    @classmethod
    def prepare(cls):
        super().prepare()
        if cls.XDP == "native":  # veth sends back what XDP answers to an end with a program only
            cls.peer.ip(f"link set dev eth0 xdpdrv obj {foreign('nic', cls.lab.directory)} sec xdp")
        cls.here.call("listen", port=8000)
        cls.forger = cls.peer.agent(name="forger")

    @classmethod
    def policy(cls, *arguments, **options):
        return super().policy(*arguments, **{**options, "host": f'xdp = "{cls.XDP}"'})

    def bans_after(self, lines, rules=RULES):
        self.begin(rules + "[bans]\n" + lines)

    def probe(self, family, number, src=None, port=SHUT):
        """So many real connections; how they ended."""
        return [self.into(port, family, src=(src or LAST)[family], timeout=0.5)
                for _ in range(number)]

    def try_to_be_banned(self, family, src=LAST):
        """Ten proved probes: more than it takes."""
        return self.probe(family, 13, src)


class Banned(AutoBans):
    @each_family
    def test_who_exceeds_his_limit_is_banned_and_cut(self, family):
        self.bans_after(LIMITS)
        held = self.there.call("hold", dst=HOST[family], port=80, src=LAST[family])
        self.assertEqual(held["result"], "open")
        # Two are let in; as many are nobody's fault; four are one ban.
        results = self.probe(family, 7, port=8000)
        self.assertEqual(results[:2], ["open"] * 2)
        self.assertTrue(all(result in CUT for result in results[2:]), results)
        self.assertEqual(self.bans(), {})
        self.probe(family, 1, port=8000)
        ban = eventually(lambda: self.bans().get(BANNED[family]))
        self.assertTrue(ban, self.bans())
        self.assertEqual(ban["origin"], "after-limits")
        self.assertEqual(ban["reason"], "4 connections within 10m more than a limit lets in, the "
                                        "last to tcp port 8000")
        self.assertTrue(3590 < ban["seconds_left"] <= 3600)
        self.expect_event(event="ban", network=BANNED[family], origin="after-limits", seconds=3600)
        self.assertIn(self.there.result("exchange", handle=held["handle"]), CUT)
        self.assertEqual(self.probe(family, 1, port=80), ["timeout"])
        self.assertEqual(self.into(80, family), "open")

    @each_family
    def test_who_probes_is_banned_and_is_not_answered_at_first(self, family):
        self.bans_after(PROBES)
        results = self.probe(family, 6)
        if FACTOR == 1:  # else its SYNs are sent again meanwhile, and each is a probe
            self.assertEqual(results[:3], ["timeout"] * 3)
            self.assertTrue(all(result in CUT for result in results[3:]), results)
            self.assertEqual(self.bans(), {})
        self.assertEqual(results[0], "timeout")
        self.probe(family, 1)
        ban = eventually(lambda: self.bans().get(BANNED[family]))
        self.assertTrue(ban, self.bans())
        self.assertEqual((ban["origin"], ban["reason"]), ("after-probes", "4 connections within "
                         f"10m that no rule lets in, the last to tcp port {SHUT}"))
        self.assertEqual(self.probe(family, 1, port=80), ["timeout"])

    @each_family
    def test_off_nobody_is_banned_and_nobody_answered(self, family):
        self.bans_after("")
        self.assertEqual(self.try_to_be_banned(family), ["timeout"] * 13)
        self.assertEqual(self.bans(), {})

    def test_it_outlives_the_daemon_and_grows(self):
        self.bans_after(PROBES + "increment = true\n")
        self.try_to_be_banned(4)
        self.assertTrue(eventually(lambda: self.bans().get(LAST[4])))
        self.guard.kill()
        self.assertEqual(self.probe(4, 1, port=80), ["timeout"])
        self.guard.start(self.file)
        self.assertEqual(self.bans()[LAST[4]]["origin"], "after-probes")
        self.assertEqual(self.probe(4, 1, port=80), ["timeout"])
        self.unban(LAST[4])
        self.try_to_be_banned(4)
        again = eventually(lambda: self.bans().get(LAST[4]))
        self.assertTrue(7190 < again["seconds_left"] <= 7200, again)

    def test_a_reload_that_switches_it_off_stops_it_and_leaves_what_stands(self):
        self.bans_after(PROBES)
        self.try_to_be_banned(4)
        self.assertTrue(eventually(lambda: self.bans().get(LAST[4])))
        self.probe(4, 6, src=OUTSIDE)
        self.switch(RULES)
        self.assertEqual(self.try_to_be_banned(4, OUTSIDE), ["timeout"] * 13)
        self.assertEqual(list(self.bans()), [LAST[4]])


class Native(AutoBans):
    XDP = "native"

    @each_family
    def test_who_probes_is_banned_by_a_native_program_too(self, family):
        self.bans_after(PROBES)
        self.probe(family, 7)
        self.assertTrue(eventually(lambda: self.bans().get(BANNED[family])))
        self.assertEqual(self.probe(family, 1, port=80), ["timeout"])


class Forged(AutoBans):
    """LAST is the proxy: it is there, with a stack of its own that answers."""

    def forged(self, family, number, ports, flags="S"):
        """Frames in the proxy's name, from ports that it does not use."""
        return [self.frame(packets.ip(LAST[family], HOST[family], packets.TCP, packets.tcp(
            LAST[family], HOST[family], 1024 + (number * 97 + i) % 20000, ports[i % len(ports)],
            flags, seq=number * 65537 + i, ack=(number * 40503 + i * 2654435761) & 0xffffffff))
            ).hex() for i in range(2000)]

    def flood(self, family, stop, sent):
        rounds = [self.forged(family, n, (SHUT, 8000, SHUT + 1), flags)
                  for n in range(5) for flags in ("S", "A")]
        while not stop.is_set():
            for frames in rounds:
                self.forger.call("send_frames", interface="eth0", frames=frames, until_room=True)
                sent[0] += len(frames)
                if stop.is_set():
                    return

    @each_family
    def test_the_proxy_stays_welcome_whoever_forges_it(self, family):
        self.bans_after(LIMITS + PROBES)
        held = self.there.call("hold", dst=HOST[family], port=80, src=LAST[family])
        self.assertEqual(held["result"], "open")
        stop, sent = threading.Event(), [0]
        flood = threading.Thread(target=self.flood, args=(family, stop, sent))
        flood.start()
        try:
            until = time.monotonic() + patient(120.0)
            while sent[0] < 200_000 and time.monotonic() < until:
                # What the proxy itself does within its rules, refused where the flood has used
                # up its limit: it does not add up to a ban.
                self.assertEqual(self.probe(family, 1, port=80), ["open"])
                self.assertEqual(self.there.result("exchange", handle=held["handle"]), "open")
                self.assertEqual(self.bans(), {})
        finally:
            stop.set()
            flood.join()
        self.assertGreaterEqual(sent[0], 200_000)
        self.assertGreater(self.guard.status()["challenges"]["sent"], 1)  # and the proxy's stack has answered, by a RST
        self.probe(family, 2, port=8000)
        time.sleep(0.5)
        self.assertEqual(self.bans(), {})
        self.assertEqual(self.probe(family, 1, port=80), ["open"])
        # With teeth: what the flood did in its name bans it when it does it itself.
        time.sleep(1.1)
        self.try_to_be_banned(family)
        self.assertTrue(eventually(lambda: self.bans().get(BANNED[family])))


class Spared(AutoBans):
    """Proved or not."""

    def expect_spared(self, family, src, why):
        self.assertIn("reset", self.try_to_be_banned(family, src))
        self.assertTrue(self.guard.wait_said(why))
        self.assertEqual(self.bans(), {})
        self.assertEqual(self.probe(family, 1, src, port=80), ["open"])

    @each_family
    def test_the_gateway_is_never_banned(self, family):
        self.bans_after(PROBES)
        self.expect_spared(family, PEER, "a gateway of this host")

    @each_family
    def test_whom_an_egress_rule_names_is_never_banned(self, family):
        self.bans_after(PROBES, RULES + rule("egress", "db", [LAST[4], LAST[6]], ports=[443]))
        self.expect_spared(family, LAST, "which egress rule \"db\" names")

    @each_family
    def test_a_never_zone_is_never_banned(self, family):
        self.bans_after(PROBES + f'never = ["{LAST[4]}", "{LAST[6]}"]\n')
        self.expect_spared(family, LAST, "which [bans] never names")

    def test_any_as_an_egress_destination_spares_nobody(self):
        self.bans_after(PROBES, RULES + rule("egress", "all", "any", ports=[443]))
        self.try_to_be_banned(4)
        self.assertTrue(eventually(lambda: self.bans().get(LAST[4])))

    def test_a_neighbour_of_who_is_spared_is_banned_by_his_address(self):
        self.bans_after(PROBES + f'never = ["{FIRST[6]}"]\n')
        self.try_to_be_banned(6)
        self.assertTrue(eventually(lambda: self.bans().get(LAST[6])), self.bans())
        self.assertEqual(self.probe(6, 1, FIRST, port=80), ["open"])

    def test_who_becomes_the_gateway_or_a_destination_is_free_again(self):
        self.bans_after(PROBES)
        for src in (BELOW, ABOVE):
            self.try_to_be_banned(4, src)
            self.assertTrue(eventually(lambda s=src: self.bans().get(s[4])))
        self.switch(RULES + rule("egress", "db", [BELOW[4]], ports=[443]) + "[bans]\n" + PROBES)
        self.assertTrue(eventually(lambda: list(self.bans()) == [ABOVE[4]]))
        self.expect_event(event="unban", network=BELOW[4], origin="after-probes")
        self.host.ip(f"route add {ABOVE[4]} dev eth0", f"route replace default via {ABOVE[4]}")
        try:
            self.assertTrue(eventually(lambda: not self.bans(), 25.0))
        finally:
            self.host.ip("route replace default via 10.1.0.2", f"route del {ABOVE[4]} dev eth0")


if __name__ == "__main__":
    unittest.main()
