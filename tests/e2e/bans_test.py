# SPDX-License-Identifier: Apache-2.0
"""Bans by hand: both ways, at once, for their time, whoever is there to see to it."""
import json
import os
import time
import unittest

from bans_support import BANS, BanE2e
from harness import CUT, HOST, LAST, NET, OUTSIDE, PEER, each_family, eventually


class Ban(BanE2e):
    @each_family
    def test_a_ban_cuts_what_runs_both_ways_and_nothing_opens_any_more(self, family):
        self.begin(BANS)
        held = {"in": (self.there, self.there.call("hold", dst=HOST[family], port=80)),
                "out": (self.here, self.here.call("hold", dst=PEER[family], port=443))}
        for agent, one in held.values():
            self.assertEqual(agent.result("exchange", handle=one["handle"]), "open")
        done = self.ban(PEER[family], "--for", "1h", "--reason", "noise\x1b[2J")
        self.assertEqual((done["banned"], done["seconds"]), (True, 3600))
        self.assertGreaterEqual(done["cut"], 2)
        self.assertEqual((self.into(80, family), self.out(443, family)), ("timeout", "eperm"))
        # The process here hears of it, the peer does not.
        self.assertIn(held["out"][0].result("exchange", handle=held["out"][1]["handle"]), CUT)
        self.assertEqual(held["in"][0].result("exchange", handle=held["in"][1]["handle"]), "timeout")
        self.expect_event(event="ban", network=PEER[family], src=PEER[family], seconds=3600,
                          origin="hand")
        self.expect_event(event="drop", reason="banned", direction="ingress", src=PEER[family])
        self.expect_event(event="drop", reason="banned", direction="egress", dst=PEER[family])
        status = self.guard.status()
        self.assertEqual(status["bans"], {"active": 1})
        self.assertGreater(status["reasons"]["banned"], 0)
        self.unban(PEER[family])
        self.expect_event(event="unban", network=PEER[family])
        self.assertEqual((self.into(80, family), self.out(443, family)), ("open", "open"))
        self.assertEqual(self.guard.status()["bans"], {"active": 0})

    @each_family
    def test_a_network_is_banned_to_its_edges(self, family):
        self.begin(BANS)
        self.ban(NET[family])
        self.assertEqual(self.into(80, family, src=LAST[family]), "timeout")
        self.assertEqual(self.out(443, family, dst=LAST[family]), "eperm")
        self.assertEqual((self.into(80, family), self.out(443, family)), ("open", "open"))

    @each_family
    def test_lifting_one_leaves_the_other(self, family):
        self.begin(BANS)
        self.ban(NET[family])
        self.ban(LAST[family], "--for", "1s")
        time.sleep(1.5)
        self.assertEqual(self.into(80, family, src=LAST[family]), "timeout")
        self.ban(LAST[family])
        self.assertIn(NET[family], self.unban(LAST[family])["also"])
        self.assertEqual(self.into(80, family, src=LAST[family]), "timeout")
        self.ban(LAST[family])
        self.unban(NET[family])
        self.assertEqual(self.into(80, family, src=LAST[family]), "timeout")
        self.unban(LAST[family])
        self.assertEqual(self.into(80, family, src=LAST[family]), "open")

    def test_mapped_addresses_and_datagrams_are_no_way_around(self):
        self.begin(BANS)
        self.ban(PEER[4])
        self.assertEqual(self.out(443, 4, as_mapped=True), "eperm")
        self.assertEqual(self.out(443, 4, "udp"), "eperm")
        self.expect_event(event="drop", reason="banned", proto="udp", dst=PEER[4])
        self.assertEqual(self.into(80, 4, "udp"), "timeout")
        self.assertEqual(self.out(443, 6), "open")

    def test_a_ban_ends_by_itself_and_is_told(self):
        self.begin(BANS)
        self.ban(PEER[4], "--for", "2s")
        self.assertEqual(self.into(80, 4, timeout=0.5), "timeout")
        self.expect_event(event="unban", network=PEER[4], detail="its time is up")
        self.assertEqual(self.into(80, 4), "open")
        self.assertEqual(self.bans(), {})

    def test_the_list_shows_who_why_and_how_long(self):
        self.begin(BANS)
        self.ban(OUTSIDE[4], "--for", "1h", "--reason", "it said \"no\"\n\x1b[31m")
        self.ban(OUTSIDE[6])
        listed = self.bans()
        self.assertEqual(sorted(listed), sorted([OUTSIDE[4], OUTSIDE[6]]))
        self.assertEqual(listed[OUTSIDE[4]]["reason"], "it said \"no\"\n\x1b[31m")
        self.assertTrue(3590 < listed[OUTSIDE[4]]["seconds_left"] <= 3600)
        self.assertIsNone(listed[OUTSIDE[6]]["until"])
        text = self.guard.call("bans").stdout
        self.assertEqual(len(text.splitlines()), 2)
        self.assertNotIn("\x1b", text)

    def test_observing_a_ban_is_told_and_cuts_nothing(self):
        self.begin(BANS, mode="observe")
        held = self.there.call("hold", dst=HOST[4], port=80)
        self.assertEqual(self.ban(PEER[4])["cut"], 0)
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "open")
        self.assertEqual(self.into(80, 4), "open")
        self.expect_event(event="would-drop", reason="banned")


class Refused(BanE2e):
    NEVER = '[bans]\nnever = ["10.2.0.64/26", "fd00:2:0:1::/64"]\n'

    def refuse(self, network, *words, env=None):
        done = self.command("ban", network, env=env)
        self.assertEqual(done.returncode, 1, f"{network}: {done.stderr}")
        for word in (network, *words):
            self.assertIn(word, done.stderr)
        self.assertIn("next:", done.stderr)
        self.assertEqual(self.bans(), {})

    def test_what_must_not_be_banned_is_refused_with_the_reason(self):
        self.begin(BANS + self.NEVER)
        for network, word in (("10.1.0.1", "an address of this host"),
                              ("10.1.0.0/24", "10.1.0.1"), ("0.0.0.0/0", "an address of this host"),
                              ("fd00:1::/64", "fd00:1::1"), ("::/0", "an address of this host"),
                              ("127.0.0.1", "loopback"), ("::1", "loopback"),
                              ("224.0.0.0/4", "multicast"), ("ff02::1", "multicast"),
                              ("255.255.255.255", "broadcast"), ("0.0.0.0", "unspecified"),
                              ("10.2.0.100", "never"), ("10.2.0.0/16", "10.2.0.64/26"),
                              ("fd00:2:0:1::5", "never"), ("fd00:2::/32", "fd00:2:0:1::/64")):
            with self.subTest(network):
                self.refuse(network, word)
        self.assertEqual((self.into(80, 4), self.into(80, 6)), ("open", "open"))
        self.assertTrue(self.ban("10.2.0.128/26")["banned"])

    def test_the_callers_own_session_is_not_cut(self):
        self.begin(BANS)
        for peer, network in ((PEER[4], PEER[4]), (PEER[4], "10.1.0.2/31"), (PEER[6], PEER[6])):
            environment = {"SSH_CONNECTION": f"{peer} 50000 {HOST[4]} 22"}
            self.refuse(network, "this session", env=environment)
        self.assertTrue(self.ban(PEER[4])["banned"])

    def test_nonsense_is_no_request(self):
        self.begin(BANS)
        for arguments in (("ban", "nobody"), ("ban", "10.1.0.2/24"), ("ban", "10.1.0.2/33"),
                          ("ban",), ("ban", "10.9.9.9", "--for", "soon"), ("unban", "x"),
                          ("ban", "10.9.9.9", "--for", "0s"),
                          ("ban", "10.9.9.9", "--reason", "x" * 1001)):
            self.assertEqual(self.command(*arguments).returncode, 2, arguments)
        done = self.command("unban", "10.9.9.9")
        self.assertEqual(done.returncode, 1)
        self.assertIn("10.9.9.9 is not banned", done.stderr)
        # A pasted byte that is no UTF-8 keeps nobody from banning.
        self.ban("10.8.8.8", "--reason", "caf\udce9")
        self.assertEqual(self.bans()["10.8.8.8"]["reason"], "caf\ufffd")
        self.unban("10.8.8.8")
        self.ban("10.9.0.0/16")
        done = self.command("unban", "10.9.9.9")
        self.assertEqual(done.returncode, 1)
        self.assertIn("10.9.0.0/16", done.stderr)

    def test_without_daemon_and_wall_there_is_nobody_to_ask(self):
        for verb in (("ban", "10.9.9.9"), ("unban", "10.9.9.9"), ("bans",)):
            done = self.command(*verb)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("next: start it", done.stderr)

    @each_family
    def test_a_never_zone_that_comes_later_masks_a_ban_and_goes_again(self, family):
        self.begin(BANS)
        self.ban(NET[family])
        self.assertEqual(self.into(80, family, src=LAST[family]), "timeout")
        self.switch(BANS + f'[bans]\nnever = ["{LAST[family]}"]\n')
        self.assertEqual(self.into(80, family, src=LAST[family]), "open")
        self.assertFalse(self.bans()[NET[family]]["masked"])
        self.guard.kill()
        self.guard.start(self.file)
        self.assertEqual(self.into(80, family, src=LAST[family]), "open")
        self.switch(BANS)
        self.assertEqual(self.into(80, family, src=LAST[family]), "timeout")


class Lists(BanE2e):
    def write(self, *networks):
        """As an editor does: a new file in the place of the old."""
        path = self.guard.write_policy("\n".join(networks) + "\n", "blocked.new")
        os.rename(path, os.path.join(self.guard.directory, "blocked.netset"))

    def begin_with(self, *networks):
        self.write(*networks)
        self.begin(BANS + '[bans]\nlists = ["blocked"]\n',
                   zones='[zones]\nblocked = { file = "blocked.netset" }\n')

    def comes_to(self, family, wanted):
        return eventually(lambda: self.into(80, family, timeout=0.5) == wanted, 10.0)

    @each_family
    def test_a_list_bans_whom_it_names_as_long_as_it_does(self, family):
        self.begin_with("# nobody yet")
        held = self.there.call("hold", dst=HOST[family], port=80)
        self.assertEqual(self.into(80, family), "open")
        self.write(PEER[family], "192.0.2.0/24")
        self.assertTrue(self.comes_to(family, "timeout"))
        self.expect_event(event="ban", origin="list:blocked", count=2)
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "timeout")
        self.assertEqual(self.guard.status()["bans"]["active"], 2)
        since = os.path.getsize(self.guard.log)
        self.write("what is this?")
        self.assertTrue(self.guard.wait_said("blocked.netset:1", since=since))
        self.assertEqual(self.into(80, family, timeout=0.5), "timeout", "a bad line lifted it")
        self.guard.kill()
        self.guard.start(self.file)
        self.listen_in()
        self.assertEqual(self.into(80, family, timeout=0.5), "timeout", "the next daemon lifted it")
        self.write("192.0.2.0/24")
        self.assertTrue(self.comes_to(family, "open"))
        self.expect_event(event="unban", origin="list:blocked")

    def test_a_list_leaves_this_host_and_its_never_zones_alone(self):
        self.write("10.0.0.0/8", "127.0.0.0/8", PEER[6], OUTSIDE[4])
        self.begin(BANS + f'[bans]\nlists = ["blocked"]\nnever = ["{PEER[6]}"]\n',
                   zones='[zones]\nblocked = { file = "blocked.netset" }\n')
        self.assertEqual((self.into(80, 4), self.into(80, 6)), ("open", "open"))
        self.assertEqual(self.into(80, 4, src=OUTSIDE[4]), "timeout")
        self.assertIn("2 networks are left out", self.guard.said())
        self.assertEqual(json.loads(self.command("bans", "--json").stdout)["lists"][0]["networks"],
                         2)
        done = self.command("unban", OUTSIDE[4])
        self.assertEqual(done.returncode, 1)
        self.assertIn("take it out of the file", done.stderr)
        since = os.path.getsize(self.guard.log)
        self.write("0.0.0.0/0", "::/0", "192.0.2.0/24", OUTSIDE[4])
        self.assertTrue(self.guard.wait_said("2 networks are left out", since=since), self.guard.said())
        self.assertEqual((self.into(80, 4), self.into(80, 6)), ("open", "open"))


if __name__ == "__main__":
    unittest.main()
