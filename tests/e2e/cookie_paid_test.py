# SPDX-License-Identifier: Apache-2.0
"""After a flood the stack answers by cookies of its own: nobody pays for a connection twice."""
import struct
import time
import unittest

from cookie_flood import Flooded, limited
from harness import FAMILIES, FIRST, HOST, each_family, packets


class Paid(Flooded):
    """One rule for both families: what is waited for, until XDP answers no more, is long."""

    PORTS = (8200, 8201)
    POLICY = (limited("api", 8200, 'limit = "4/hour"\nlimit-total = "600/minute"')
              + limited("kept", 8201, 'limit = "2/hour"\nlimit-total = "600/minute"'))

    def wait_until_the_stack_answers(self):
        """Ten seconds after the last SYN too many, and by then the total has room again."""
        for number in range(60):
            time.sleep(0.5)
            before = self.cookies()[0]
            self.send(self.frame(packets.ip("10.78.0.1", HOST[4], packets.TCP, packets.tcp(
                "10.78.0.1", HOST[4], 20000 + number, 8200))))
            time.sleep(0.1)
            if self.cookies()[0] == before:
                return
        self.fail("XDP answers on")

    def test_a_source_opens_as_many_as_its_limit_while_cookies_of_the_flood_would_still_do(self):
        for family in FAMILIES:
            self.flood(family, 8200, 700)
        flooded = self.cookies()
        self.assertGreater(flooded[0], 100)
        self.wait_until_the_stack_answers()
        before = self.cookies()
        for family in FAMILIES:
            with self.subTest(family):
                results = [self.into(8200, family, src=FIRST[family], timeout=1.0)
                           for _ in range(5)]
                self.assertEqual(results, ["open"] * 4 + ["timeout"])
                self.expect_event(reason="over-limit", src=FIRST[family], dst_port=8200)
        self.assertEqual(self.cookies(), before, "the stack was to answer these")
        # An ACK to nothing shows that cookies are still asked for.
        self.send(self.frame(packets.ip("10.78.0.2", HOST[4], packets.TCP, packets.tcp(
            "10.78.0.2", HOST[4], 4711, 8200, "A", seq=7, ack=99))))
        self.expect_event(reason="bad-cookie", src="10.78.0.2")

    # Of nobody: the peer's own stack would end what these frames begin.
    REPLAYER = {4: "10.79.0.1", 6: "fd00:79::1"}

    def segment(self, family, port, flags, seq, ack=0):
        src = self.REPLAYER[family]
        self.send(self.frame(packets.ip(src, HOST[family], packets.TCP, packets.tcp(
            src, HOST[family], 4712, port, flags, seq=seq, ack=ack))))

    def cookie_given(self, family, port):
        """The first sequence number of what the stack answers to a SYN."""
        heard = self.there.call("capture", interface="eth0")["handle"]
        self.segment(family, port, "S", 1000)
        end = time.monotonic() + 5
        found = None
        while found is None and time.monotonic() < end:
            for frame in self.there.call("captured", handle=heard, end=False)["frames"]:
                head = bytes.fromhex(frame)[14 + (20 if family == 4 else 40):]
                if head[:4] == struct.pack("!HH", port, 4712) and head[13] == 0x12:
                    found = struct.unpack("!I", head[4:8])[0]
        self.there.call("captured", handle=heard)
        self.assertIsNotNone(found, "no answer")
        return found

    def comes_to(self, port, count):
        """So many connections at that port, soon."""
        end = time.monotonic() + 3
        while time.monotonic() < end:
            found = self.host.run("ss", "-tnH", "state", "established", f"sport = :{port}")
            if len(found.splitlines()) == count:
                return True
            time.sleep(0.05)
        return False

    @each_family
    def test_a_cookie_that_is_sent_again_opens_no_more_than_the_limit(self, family):
        port = 8201
        before = self.cookies()
        cookie = self.cookie_given(family, port)
        for time_ in range(2):  # paid for by its SYN, and by its ACK
            self.segment(family, port, "A", 1001, cookie + 1)
            self.assertTrue(self.comes_to(port, 1), time_)
            self.segment(family, port, "RA", 1001, cookie + 1)
            self.assertTrue(self.comes_to(port, 0), time_)
        self.segment(family, port, "A", 1001, cookie + 1)
        self.expect_event(reason="over-limit", src=self.REPLAYER[family], dst_port=port)
        self.assertTrue(self.comes_to(port, 0))
        self.assertEqual(self.cookies(), (before[0], before[1] + 1))


if __name__ == "__main__":
    unittest.main()
