# SPDX-License-Identifier: Apache-2.0
"""What XDP's answers to SYNs offer: what the listener's own have shown, and no more."""
import struct
import time
import unittest

from cookie_flood import Flooded, limited
from harness import FIRST, HOST, PEER, each_family, packets

MUCH = 10_000_000
NOTHING = {"ts": False, "sack": False, "wscale": None}
# Of a Linux client: MSS, SACK permitted, a time stamp, window scale 7.
ASKED = bytes([2, 4, 5, 0xb4, 4, 2, 8, 10]) + struct.pack("!II", 4711, 0) + bytes([1, 3, 3, 7])
NAMES = ("same", "plain", "buffer", "changed", "bytes", "stranger")


class Options(Flooded):
    """Each test and family has a port of its own: what was learnt at one is no other's."""

    PORTS = tuple(8100 + 10 * i + f for i in range(len(NAMES)) for f in (4, 6))
    POLICY = "".join(limited(f"{name}{f}", 8100 + 10 * i + f,
                             'limit = "1000/hour"\nlimit-total = "20/hour"')
                     for i, name in enumerate(NAMES) for f in (4, 6))

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.stamps(2)

    @classmethod
    def stamps(cls, value):
        cls.host.run("sysctl", "-qw", f"net.ipv4.tcp_timestamps={value}")

    def port(self, name, family):
        return 8100 + 10 * NAMES.index(name) + family

    def connect(self, family, port, moves=0):
        """What both ends agreed on."""
        held = self.there.call("hold", dst=HOST[family], port=port, timeout=10.0)
        self.assertEqual(held["result"], "open")
        for _ in range(moves // (MUCH // 100)):
            self.assertEqual(self.there.result("exchange", handle=held["handle"], size=MUCH // 100,
                                               timeout=10.0), "open")
        ends = [self.agreed(machine, port) for machine in (self.host, self.peer)]
        self.there.call("release", handle=held["handle"])
        return ends

    def connect_in_flood(self, family, port, moves=0):
        with self.flooding(family, port):
            before = self.cookies()[1]
            ends = self.connect(family, port, moves)
            self.assertEqual(self.cookies()[1], before + 1, "XDP did not answer this one")
        return ends

    @each_family
    def test_in_a_flood_ten_megabytes_move_each_way_with_the_options_of_a_quiet_time(self, family):
        port = self.port("same", family)
        quiet = self.connect(family, port)
        self.assertTrue(quiet[0]["ts"] and quiet[0]["sack"] and quiet[0]["wscale"], quiet)
        self.assertEqual(self.connect_in_flood(family, port, MUCH), quiet)

    @each_family
    def test_of_a_listener_that_has_shown_nothing_the_mss_alone_is_offered(self, family):
        port = self.port("stranger", family)
        self.assertEqual(self.connect_in_flood(family, port), [NOTHING] * 2)

    @each_family
    def test_where_time_stamps_have_offsets_again_the_mss_alone_is_offered(self, family):
        port = self.port("plain", family)
        quiet = self.connect(family, port)
        self.assertTrue(quiet[0]["ts"], quiet)
        try:
            with self.flooding(family, port):
                self.assertEqual(self.connect(family, port), quiet)
                self.stamps(1)
                self.assertEqual(self.connect(family, port, MUCH), [NOTHING] * 2)
        finally:
            self.stamps(2)

    @each_family
    def test_another_receive_buffer_is_another_window_scale_and_is_learnt_again(self, family):
        port = self.port("buffer", family)
        wide = self.connect(family, port)
        self.here.call("unlisten", port=port)
        self.here.call("listen", port=port, buffer=20000)
        narrow = self.connect(family, port)
        self.assertNotEqual(narrow[0]["wscale"], wide[0]["wscale"])
        self.assertEqual(self.connect_in_flood(family, port, MUCH // 10), narrow)

    @each_family
    def test_a_listener_that_has_changed_since_offers_the_mss_alone(self, family):
        port = self.port("changed", family)
        self.assertTrue(self.connect(family, port)[0]["wscale"])
        self.here.call("unlisten", port=port)
        self.here.call("listen", port=port, buffer=20000)
        self.assertEqual(self.connect_in_flood(family, port), [NOTHING] * 2)

    def answer_to(self, family, port, options):
        """The TCP header of the SYN+ACK to a SYN with these options, from an address that
        nobody answers for."""
        src = FIRST[family]
        source_port = self.next_port = getattr(self, "next_port", 30000) + 1
        heard = self.there.call("capture", interface="eth0")["handle"]
        self.send(self.frame(packets.ip(src, HOST[family], packets.TCP, packets.tcp(
            src, HOST[family], source_port, port, options=options))))
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for frame in map(bytes.fromhex, self.there.call("captured", handle=heard,
                                                            end=False)["frames"]):
                head = frame[14 + (20 if family == 4 else 40):]
                if head[:4] == struct.pack("!HH", port, source_port) and head[13] & 0x12 == 0x12:
                    self.there.call("captured", handle=heard)
                    return head[:(head[12] >> 4) * 4]
            time.sleep(0.02)
        self.there.call("captured", handle=heard)
        self.fail("no answer")

    def shape(self, head):
        """Its options; of the time stamp what says what was agreed, and the age of the rest."""
        options = bytearray(head[20:])
        at = options.find(bytes([8, 10]))
        if at < 0:
            return bytes(options), 0
        stamp = struct.unpack("!I", options[at + 2:at + 6])[0]
        options[at + 2:at + 6] = struct.pack("!I", stamp & 63)
        return bytes(options), (int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000) - stamp) % 2**32

    @each_family
    def test_the_options_are_the_stacks_byte_by_byte(self, family):
        port = self.port("bytes", family)
        kinds = {"all": ASKED, "no sack": ASKED[:4] + b"\1\1" + ASKED[6:],
                 "no scale": ASKED[:16], "no stamp": ASKED[:4] + bytes([1, 1, 4, 2]) + ASKED[16:],
                 "a scale beyond 14": ASKED[:-1] + b"\xff", "cut off": ASKED[:4] + bytes([8, 10, 1, 1]),
                 "none": b""}
        quiet = {name: self.shape(self.answer_to(family, port, options))
                 for name, options in kinds.items()}
        with self.flooding(family, port):
            for name, options in kinds.items():
                with self.subTest(name):
                    before = self.cookies()[0]
                    bytes_, age = self.shape(self.answer_to(family, port, options))
                    self.assertGreater(self.cookies()[0], before)
                    self.assertEqual(bytes_.hex(), quiet[name][0].hex())
                    self.assertLess(age, 5000)


class GenericOptions(Options):
    XDP = "generic"


if __name__ == "__main__":
    unittest.main()
