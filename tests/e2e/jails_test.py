# SPDX-License-Identifier: Apache-2.0
"""Jails at work: what a service logs bans who fails, by the daemon, while it runs."""
import os
import time
import unittest

from bans_support import BANS
from harness import CUT, FIRST, HOST, NET, PEER, each_family
from jails_support import FAILS, HOUR, JailE2e, jail

# What a jail bans of whom: the host is in the /64 of its peer, and in nobody else's.
BANNED_FIRST = {4: FIRST[4], 6: NET[6]}


class Jails(JailE2e):
    @each_family
    def test_who_fails_too_often_is_banned_and_what_he_has_open_is_cut(self, family):
        self.begin(BANS + jail(self.log()))
        held = self.there.call("hold", dst=HOST[family], port=80)
        self.assertEqual(held["result"], "open")
        self.write(PEER[family], PEER[family])
        self.wait_jail(matched=2)
        self.assertEqual(self.into(80, family), "open")
        self.write(PEER[family])
        event = self.expect_event(event="ban", origin="jail:api")
        self.assertIn(event["seconds"], (HOUR - 1, HOUR))
        self.assertEqual(self.into(80, family), "timeout")
        self.assertIn(self.there.result("exchange", handle=held["handle"]), (*CUT, "timeout"))
        self.assertEqual(self.into(80, family, src=FIRST[family]), "open")
        self.wait_jail(bans=1, lines=3)
        self.assertIn(FAILS.format(PEER[family]), self.bans()[PEER[family]]["reason"])
        self.assertRegex(self.guard.call("status").stdout, r"(?m)^jails.*\n.*WHY NOT\n *api ")

    @each_family
    def test_what_was_logged_before_the_start_counts_by_its_own_time(self, family):
        self.forget_logs()
        self.write(*[PEER[family]] * 3, ago=30.0)
        self.write(*[FIRST[family]] * 5, ago=2 * HOUR)
        self.write(*[FIRST[family]] * 5, ago=-HOUR)  # by a clock that is ahead: of any age
        with open(self.log(), "a", encoding="utf-8") as out:
            out.write(f"{FAILS.format(FIRST[family])}\n" * 5)  # of no known age
        self.begin(BANS + jail(self.log()), keep_logs=True)
        self.wait_banned(PEER[family])
        self.assertLess(self.bans()[PEER[family]]["seconds_left"], HOUR - 25)
        self.assertEqual(self.into(80, family), "timeout")
        self.assertEqual(self.into(80, family, src=FIRST[family]), "open")

    @each_family
    def test_a_log_that_comes_later_is_rotated_vanishes_and_comes_back_is_followed(self, family):
        self.begin(BANS + jail(self.log(), "ban-time-max = \"2h\""))
        self.wait_jail(why="none of its logs is there", files=[])
        self.write(FIRST[family])
        self.wait_jail(matched=1, why=None, files=[self.log()])
        os.rename(self.log(), self.log("service.log.1"))
        self.write(FIRST[family], file="service.log.1")  # its writer has not noticed yet
        self.wait_jail(matched=2)
        self.write(FIRST[family])
        self.expect_event(event="ban", origin="jail:api", network=BANNED_FIRST[family])
        self.write(PEER[family])
        self.wait_jail(matched=4)
        with open(self.log(), encoding="utf-8") as log, \
                open(self.log("service.log.2"), "w", encoding="utf-8") as copy:
            copy.write(log.read())
        os.truncate(self.log(), 0)
        self.write(PEER[family])
        self.wait_jail(matched=5)
        os.unlink(self.log())
        self.wait_jail(why="none of its logs is there")
        self.write(PEER[family])
        self.expect_event(event="ban", origin="jail:api", network=PEER[family])
        self.assertEqual(self.into(80, family), "timeout")
        self.assertEqual(self.into(80, family, src=FIRST[family]), "timeout")

    @each_family
    def test_a_reload_takes_jails_up_lets_them_go_and_leaves_the_others_where_they_are(self, family):
        self.begin(BANS)
        self.assertEqual(self.guard.status()["jails"], [])
        self.switch(BANS + jail(self.log()))
        self.write(*[PEER[family]] * 2)
        self.wait_jail(matched=2, lines=2)
        second = jail(self.log("service.log.other"), name="other")
        self.switch(f'# a line more\n{BANS}' + second + jail(self.log()))
        self.assertEqual(self.jail_state()["lines"], 2, "it was read again")
        self.write(PEER[family])
        self.expect_event(event="ban", origin="jail:api", network=PEER[family])
        self.unban(PEER[family])
        # Another jail now, which reads again; for what it reads he was banned already.
        self.switch(BANS + jail(self.log(), ban_time="2h"))
        self.wait_jail(lines=3)
        self.assertEqual(self.bans(), {})
        self.switch(BANS)
        self.write(*[FIRST[family]] * 3)
        time.sleep(0.5)
        self.assertEqual(self.guard.status()["jails"], [])
        self.assertEqual(self.into(80, family, src=FIRST[family]), "open")

    @each_family
    def test_a_restart_keeps_bans_and_counts_and_bans_nobody_twice_for_the_same(self, family):
        self.begin(BANS + jail(self.log()))
        self.write(*[FIRST[family]] * 3, *[PEER[family]] * 3)
        self.wait_banned(BANNED_FIRST[family], PEER[family])
        since = self.bans()[BANNED_FIRST[family]]["since"]
        self.unban(PEER[family])
        self.write(PEER[family], PEER[family])
        self.wait_jail(matched=8)
        for end in (self.guard.stop, self.guard.kill):
            end()
            time.sleep(1.1)
            self.guard.start(self.file)
            self.wait_jail(matched=8)
            self.wait_banned(BANNED_FIRST[family])
            self.assertEqual(self.bans()[BANNED_FIRST[family]]["since"], since)
        self.guard.stop()
        self.write(PEER[family])  # the third one, while nobody reads
        self.guard.start(self.file)
        self.wait_banned(BANNED_FIRST[family], PEER[family])
        self.assertEqual(self.into(80, family), "timeout")

    def test_an_edited_policy_is_no_jail_of_a_restart_until_it_is_loaded(self):
        self.begin(BANS)
        self.guard.stop()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(jail(self.log()))
        since = os.path.getsize(self.guard.log)
        self.guard.start(self.file)
        self.assertTrue(self.guard.wait_said("a restart never applies it by itself", since=since))
        self.write(*[PEER[4]] * 3)
        time.sleep(0.5)
        self.assertEqual((self.guard.status()["jails"], self.bans()), ([], {}))
        self.guard.reload()
        self.wait_banned(PEER[4])

    @each_family
    def test_who_comes_back_is_banned_for_longer_over_a_restart_too(self, family):
        self.begin(BANS + jail(self.log(), "growing = true", ban_time="10s"))
        self.write(*[PEER[family]] * 3)
        self.assertIn(self.expect_event(event="ban")["seconds"], (9, 10))
        self.unban(PEER[family])
        self.guard.stop()
        time.sleep(1.1)
        self.guard.start(self.file)
        self.listen_in()
        self.write(*[PEER[family]] * 3)
        self.assertIn(self.expect_event(event="ban")["seconds"], (19, 20))

    def test_a_database_of_before_there_were_jails_gets_what_it_lacks(self):
        self.begin(BANS + jail(self.log()))
        self.guard.stop()
        self.sql("DROP TABLE ban_counts")
        self.sql("PRAGMA user_version=1")
        self.guard.start(self.file)
        self.write(*[PEER[4]] * 3)
        self.wait_banned(PEER[4])
        self.unban(PEER[4])
        self.guard.stop()
        self.guard.start(self.file)
        self.wait_jail(matched=3)
        self.assertEqual(self.bans(), {})


if __name__ == "__main__":
    unittest.main()
