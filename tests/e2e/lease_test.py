# SPDX-License-Identifier: Apache-2.0
"""What the host's DHCP client asks of one server, and the error that comes back. (IPv6 asks
by link-local addresses; prog/lease has both families.)"""
import packets
from harness import HOST, LAST, PEER, E2e


class Lease(E2e):
    POLICY = ""

    def asks(self, port):
        return self.out(67, 4, "udp", dst=PEER[4], src=HOST[4], src_port=port, connected=True)

    def test_a_server_that_is_gone_is_told_to_the_client(self):
        self.assertEqual(self.asks(68), "refused")

    def test_another_port_asks_nobody(self):
        self.assertEqual(self.asks(69), "eperm")

    def test_an_error_about_what_was_not_asked_is_dropped(self):
        asked = packets.ip(HOST[4], LAST[4], packets.UDP, packets.udp(HOST[4], LAST[4], 68, 67))
        self.send(self.frame(packets.unreachable(LAST[4], HOST[4], asked)))
        self.expect_event(direction="ingress", reason="icmp-unrelated", src=LAST[4])
