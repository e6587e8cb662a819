# SPDX-License-Identifier: Apache-2.0
"""More bans than there can be. With SP_LONG=1 alone, and SP_SLOW=4, since
a million take their time in a build for debugging."""
import os
import time
import unittest

from bans_support import BANS
from harness import PEER
from jails_support import JailE2e, jail

LONG = os.environ.get("SP_LONG") == "1"
MOST = 1048576  # SP_BANS_MAX


def key(address):
    """As the database has an IPv4 address."""
    return bytes(10) + b"\xff\xff" + bytes(int(part) for part in address.split(".")) + b"\x80"


class JailsFull(JailE2e):
    if LONG:
        def test_a_jail_may_ask_for_more_than_there_is_room_for(self):
            """What is one too many is told, and shuts nobody's ban out: it comes when there is room."""
            self.begin(BANS + jail(self.log()))
            self.guard.stop()
            self.guard.down()
            now = int(time.time() * 1000)
            self.sql("INSERT INTO bans VALUES(?,?,?,?,?,?,?,?)",
                     [(key(f"100.{64 + n // 65536}.{n // 256 % 256}.{n % 256}"), now, 0, 0, 0,
                       "another", "hand", "") for n in range(MOST)])
            self.guard.start(self.file)
            self.listen_in()
            self.assertEqual(self.guard.status()["bans"]["active"], MOST)
            self.write(*[PEER[4]] * 6)
            self.assertTrue(self.guard.wait_said(
                f'jail "api" does not ban {PEER[4]}: there are {MOST} bans already', patience=60.0))
            self.wait_jail(matched=6)
            self.assertEqual(self.guard.said().count("bans already"), 1)
            self.assertEqual(self.into(80, 4), "open")
            self.unban("100.64.0.0")
            self.write(*[PEER[4]] * 3)
            self.expect_event(event="ban", network=PEER[4])
            self.assertEqual(self.into(80, 4), "timeout")
            self.assertEqual(self.guard.status()["bans"]["active"], MOST)


if __name__ == "__main__":
    unittest.main()
