# SPDX-License-Identifier: Apache-2.0
"""What the host's DHCP client asks of one server, and the error that comes back. IPv6 asks by
link-local addresses, and only by those."""
import unittest

import packets
from harness import HOST, LAST, PEER, E2e, each_family, eventually

CLIENT, SERVER = {4: 68, 6: 546}, {4: 67, 6: 547}


class Lease(E2e):
    POLICY = ""

    @classmethod
    def prepare(cls):
        cls.host4, cls.peer4 = HOST[4], PEER[4]
        cls.host6, cls.peer6 = cls.link_local(cls.host), cls.link_local(cls.peer)

    @staticmethod
    def link_local(machine):
        """Of eth0, once it may be used."""
        def usable():
            for address in machine.ip_json("-6", "addr", "show", "dev", "eth0", "scope",
                                           "link")[0]["addr_info"]:
                if "local" in address and not address.get("tentative"):
                    return address["local"]
            return None
        return eventually(usable)

    def ends(self, family):
        return {4: (self.host4, self.peer4), 6: (self.host6, self.peer6)}[family]

    def asks(self, family, port):
        host, peer = self.ends(family)
        return self.out(SERVER[family], family, "udp", dst=peer, src=host, src_port=port,
                        connected=True, interface="eth0")

    @each_family
    def test_a_server_that_is_gone_is_told_to_the_client(self, family):
        self.assertEqual(self.asks(family, CLIENT[family]), "refused")

    @each_family
    def test_another_port_asks_nobody(self, family):
        self.assertEqual(self.asks(family, CLIENT[family] + 1), "eperm")

    def test_by_a_global_address_ipv6_asks_nobody(self):
        self.assertEqual(self.out(547, 6, "udp", src=HOST[6], src_port=546, connected=True),
                         "eperm")

    @each_family
    def test_an_error_about_what_was_not_asked_is_dropped(self, family):
        host, other = self.ends(family)[0], {4: LAST[4], 6: "fe80::99"}[family]
        asked = packets.ip(host, other, packets.UDP, packets.udp(
            host, other, CLIENT[family], SERVER[family]))
        self.send(self.frame(packets.unreachable(other, host, asked)))
        self.expect_event(direction="ingress", reason="icmp-unrelated", src=other)


if __name__ == "__main__":
    unittest.main()
