# SPDX-License-Identifier: Apache-2.0
"""Bans outlive their daemon, its killing, a reboot and a bad disk."""
import os
import re
import signal
import sqlite3
import threading
import time
import unittest

from bans_support import BANS, BanE2e
from slow import patient
from harness import PEER, OUTSIDE, LAST, each_family, eventually

MANY = 100000


def key(address, length=128):
    """As the database has an IPv4 network."""
    packed = bytes(10) + b"\xff\xff" + bytes(int(part) for part in address.split("."))
    return packed + bytes([length])


class Kept(BanE2e):
    def barred(self, family, **more):
        return self.into(80, family, timeout=0.5, **more) == "timeout"

    def kept(self):
        """How many are on disk; it may just be being made."""
        try:
            return self.sql("SELECT count(*) FROM bans")[0][0]
        except sqlite3.OperationalError:
            return 0

    def reboot(self, boot="another-boot"):
        """The pins are gone, and what is on disk was said in another boot."""
        self.guard.stop()
        self.guard.down()
        self.sql(f"UPDATE bans SET boot='{boot}', until_boot=1")
        self.guard.start(self.file)

    @each_family
    def test_a_ban_outlives_a_stop_a_kill_and_a_reboot(self, family):
        self.begin(BANS)
        self.ban(PEER[family], "--reason", "for good")
        self.ban(OUTSIDE[family], "--for", "1h")
        for end in (self.guard.stop, self.guard.kill):
            end()
            self.assertTrue(self.barred(family), "without a daemon")
            self.guard.start(self.file)
            self.assertTrue(self.barred(family))
        self.reboot()
        self.assertTrue(self.barred(family))
        self.assertTrue(self.barred(family, src=OUTSIDE[family]))
        self.assertFalse(self.barred(family, src=LAST[family]))
        listed = self.bans()
        self.assertEqual(listed[PEER[family]]["reason"], "for good")
        self.assertLessEqual(listed[OUTSIDE[family]]["seconds_left"], 3600)

    def test_over_a_reboot_the_wall_clock_counts_and_never_adds(self):
        self.begin(BANS)
        for address in (PEER[4], OUTSIDE[4], LAST[4]):
            self.ban(address, "--for", "1h")
        self.guard.stop()
        now = int(time.time() * 1000)
        for address, until, given in ((PEER[4], now - 1000, 3600000),  # over while it was off
                                      (OUTSIDE[4], now + 900000, 3600000),
                                      (LAST[4], now + 10 ** 12, 4000)):  # a clock that was wrong
            self.sql("UPDATE bans SET until=?, given=? WHERE network=?",
                     [(until, given, key(address))])
        self.reboot()
        self.assertFalse(self.barred(4))
        listed = self.bans()
        self.assertNotIn(PEER[4], listed)
        self.assertTrue(800 < listed[OUTSIDE[4]]["seconds_left"] <= 900)
        self.assertLessEqual(listed[LAST[4]]["seconds_left"], 4)
        self.assertTrue(eventually(lambda: not self.barred(4, src=LAST[4]), 8.0))

    @each_family
    def test_without_a_daemon_bans_are_made_lifted_and_end(self, family):
        self.begin(BANS)
        self.guard.kill()
        held = self.there.call("hold", dst="10.1.0.1" if family == 4 else "fd00:1::1", port=80)
        done = self.ban(PEER[family], "--for", "1h")
        self.assertEqual((done["banned"], done["cut"]), (True, 1))
        self.assertTrue(self.barred(family))
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "timeout")
        self.assertEqual(self.guard.status()["bans"]["active"], 1)
        self.assertEqual(list(self.bans()), [PEER[family]])
        self.unban(PEER[family])
        self.assertFalse(self.barred(family))
        self.ban(PEER[family], "--for", "2s")
        self.assertTrue(self.barred(family))
        self.assertTrue(eventually(lambda: not self.barred(family), 8.0), "it never ended")
        self.ban(PEER[family], "--for", "1h")
        self.guard.start(self.file)
        self.assertTrue(self.barred(family))
        self.assertEqual(list(self.bans()), [PEER[family]])

    def test_a_kill_amid_many_bans_loses_none_that_was_answered(self):
        self.begin(BANS)
        answered, enough = [], threading.Event()

        def go_on():
            for number in range(400):
                if enough.is_set():
                    return
                done = self.command("ban", f"192.0.{number // 200}.{number % 200}", "--for", "1h")
                if done.returncode != 0:
                    return
                answered.append(f"192.0.{number // 200}.{number % 200}")
        thread = threading.Thread(target=go_on)
        thread.start()
        self.assertTrue(eventually(lambda: len(answered) > 20, 30.0))
        self.guard.process.send_signal(signal.SIGKILL)
        self.guard.process.wait()
        time.sleep(0.3)
        self.guard.start(self.file)
        after = len(answered)
        eventually(lambda: len(answered) > after + 10 or not thread.is_alive(), 30.0)
        enough.set()
        thread.join()
        listed = self.bans()
        self.assertEqual([a for a in answered if a not in listed], [])

    def test_a_damaged_database_lifts_nothing_and_is_kept_aside(self):
        self.begin(BANS)
        self.ban(PEER[4])
        self.guard.kill()
        for suffix in ("-wal", "-shm"):
            if os.path.exists(self.database() + suffix):
                os.unlink(self.database() + suffix)
        with open(self.database(), "wb") as file:
            file.write(b"no database at all " * 1000)
        self.guard.start(self.file)
        self.assertTrue(self.barred(4))
        self.assertIn("is kept as", self.guard.said())
        self.assertIn("record of it was lost", self.bans()[PEER[4]]["reason"])
        self.assertEqual(len([n for n in os.listdir(self.state()) if ".damaged-" in n]), 1)
        self.guard.kill()
        self.guard.start(self.file)  # and it is in the new one
        self.assertTrue(self.barred(4))
        self.unban(PEER[4])
        self.assertFalse(self.barred(4))

    def test_a_disk_that_refuses_hinders_no_ban_and_is_written_when_it_can(self):
        self.begin(BANS)
        self.guard.stop()
        self.forget_bans()
        os.mkdir(self.database())
        self.guard.start(self.file)
        done = self.ban(PEER[4])
        self.assertTrue(done["banned"])
        self.assertIn("database", done["not_kept"])
        self.assertTrue(self.barred(4))
        self.assertEqual(list(self.bans()), [PEER[4]])
        self.assertIn("would not survive", self.command("ban", OUTSIDE[4]).stderr)
        os.rmdir(self.database())
        self.assertTrue(eventually(lambda: self.kept() == 2, 15.0))
        self.reboot()
        self.assertTrue(self.barred(4))

    def test_a_wall_of_a_version_that_knew_no_bans_is_brought_up_to_date(self):
        self.begin(BANS)
        self.guard.kill()
        for name in ("sp_ban_state", "sp_ban_bits", "sp_bans4", "sp_bans6",
                     "sp_challenges", "sp_proofs"):
            self.host.run("rm", os.path.join(self.guard.pins, "v1/maps", name))
        done = self.command("ban", PEER[4])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("knew no bans", done.stderr)
        self.assertEqual(self.guard.status()["bans"], {"active": 0})
        self.assertFalse(self.barred(4))
        self.guard.start(self.file)
        self.ban(PEER[4])
        self.assertTrue(self.barred(4))

    def test_a_hundred_thousand_bans_are_restored(self):
        self.begin(BANS)
        self.guard.stop()
        self.guard.down()
        began = time.monotonic()
        self.guard.start(self.file)
        bare = time.monotonic() - began
        self.guard.stop()
        self.guard.down()
        now = int(time.time() * 1000)
        rows = [(key(f"172.{16 + n // 65536}.{n // 256 % 256}.{n % 256}"), now, now + 10 ** 9,
                 10 ** 9, 1, "another", "jail:web", "too many") for n in range(MANY - 1)]
        rows.append((key(PEER[4]), now, 0, 0, 0, "another", "hand", ""))
        self.sql("INSERT INTO bans VALUES(?,?,?,?,?,?,?,?)", rows)
        began = time.monotonic()
        self.guard.start(self.file)
        took = time.monotonic() - began
        said = re.findall(r"(\d+) bans stand, restored in (\d+) ms", self.guard.said())
        self.assertEqual(int(said[-1][0]), MANY)
        # Under a second where nothing else runs; here anything may.
        print(f"{MANY} bans in {said[-1][1]} ms: a start takes {took:.2f} s, without {bare:.2f} s")
        self.assertLess(int(said[-1][1]), patient(10000))
        self.assertEqual(self.guard.status()["bans"]["active"], MANY)
        self.assertTrue(self.barred(4))
        self.assertFalse(self.barred(6))
        self.assertEqual(len(self.bans()), MANY)
        began = time.monotonic()
        self.ban(OUTSIDE[4])
        self.assertLess(time.monotonic() - began, 5.0)
        self.guard.kill()
        self.guard.start(self.file)
        self.assertTrue(self.barred(4))
        self.unban(PEER[4])
        self.assertFalse(self.barred(4))
        self.assertEqual(self.guard.status()["bans"]["active"], MANY)


if __name__ == "__main__":
    unittest.main()
