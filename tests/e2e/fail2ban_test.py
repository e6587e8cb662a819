# SPDX-License-Identifier: Apache-2.0
"""An existing fail2ban that bans through Sallyport: a real one, with our action."""
import unittest

from bans_support import BANS
from harness import FIRST, HOST, PEER, each_family, eventually
from private_fail2ban import MISSING, ROOT, Fail2ban
from jails_support import FAILS, JailE2e


@unittest.skipUnless(ROOT, MISSING)
class ByFail2ban(JailE2e):
    def start(self, ban_time):
        self.write()
        self.theirs = Fail2ban(self.guard)
        self.addCleanup(self.theirs.stop)
        self.theirs.start(self.log(), FAILS.format("<HOST>") + "$", ban_time,
                          f"sallyport[sallyport=\"{self.guard.binary}\"]")

    @each_family
    def test_it_bans_and_unbans_through_us_with_its_times(self, family):
        self.begin(BANS)
        self.start(600)
        self.write(*[PEER[family]] * 3)
        event = self.expect_event(event="ban", network=PEER[family], origin="hand", seconds=600)
        self.assertEqual(event["detail"], "fail2ban api: 3 failures")
        self.assertEqual(self.into(80, family), "timeout")
        self.assertEqual(self.into(80, family, src=FIRST[family]), "open")
        self.theirs.client("set", "api", "unbanip", PEER[family])
        self.assertTrue(eventually(lambda: not self.bans()))
        self.assertEqual(self.into(80, family), "open")
        self.write(*[PEER[family]] * 3)
        self.assertTrue(eventually(lambda: self.bans()))
        self.unban(PEER[family])  # by hand: not its business any more, and no error
        self.theirs.stop()
        self.assertNotIn("ERROR", self.theirs.said())

    def test_what_we_refuse_is_in_its_log_with_our_words_and_the_next_is_banned(self):
        self.begin(BANS)
        self.start(-1)
        self.write(*[HOST[4]] * 3, *[PEER[4]] * 3)
        self.assertTrue(eventually(lambda: list(self.bans()) == [PEER[4]], 20.0), self.theirs.said())
        self.assertIsNone(self.bans()[PEER[4]]["until"])
        self.assertIn(f"{HOST[4]} is an address of this host", self.theirs.said())

    def test_its_end_lifts_what_it_has_banned(self):
        self.begin(BANS)
        self.start(600)
        self.write(*[PEER[4]] * 3, *[PEER[6]] * 3)
        self.assertTrue(eventually(lambda: len(self.bans()) == 2, 20.0), self.theirs.said())
        self.theirs.stop()
        self.assertEqual(self.bans(), {})
        self.assertNotIn("ERROR", self.theirs.said())


if __name__ == "__main__":
    unittest.main()
