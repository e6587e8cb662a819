// SPDX-License-Identifier: Apache-2.0
#pragma once
// ICMP and ICMPv6 messages that have a body of their own: errors that quote a
// packet, neighbour discovery, router discovery, multicast listeners. Each is
// the part behind the IP header.
#include "support/packet.h"

namespace sallyport::test {

// Bytes of a packet without its link layer, at most `limit`, as an error quotes them.
[[nodiscard]] raw quote(const Packet& inner, std::size_t limit = 1232);

// Destination unreachable, and the message that keeps large transfers alive
// (fragmentation needed, packet too big), quoting `inner`.
[[nodiscard]] Packet unreachable(Family family, const Packet& inner);
[[nodiscard]] Packet too_big(Family family, const Packet& inner);
// An echo request or reply.
[[nodiscard]] Packet echo_request(Family family, std::uint16_t id = 77);
[[nodiscard]] Packet echo_reply(Family family, std::uint16_t id = 77);

// Neighbour discovery (RFC 4861). `code` is 0 in every legitimate one.
struct Discovery {
    std::string target = kHostLink6;
    std::string mac = kPeerMac; // of the link-layer address option
    std::uint8_t code = 0;
};
[[nodiscard]] Packet neighbour_solicitation(const Discovery& fields = {});
[[nodiscard]] Packet neighbour_advertisement(const Discovery& fields = {});
[[nodiscard]] Packet router_solicitation(const Discovery& fields = {});
[[nodiscard]] Packet router_advertisement(const Discovery& fields = {});
[[nodiscard]] Packet redirect6(const Discovery& fields = {});
[[nodiscard]] Packet redirect4();
// Multicast listener messages: 130 query, 131 report, 132 done, 143 version 2 report.
[[nodiscard]] Packet listener(std::uint8_t type, const std::string& group = "ff02::1:2");
// The hop-by-hop router alert of MLD (RFC 2711).
[[nodiscard]] hop_by_hop router_alert();

} // namespace sallyport::test
