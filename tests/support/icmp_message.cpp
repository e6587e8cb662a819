// SPDX-License-Identifier: Apache-2.0
#include "support/icmp_message.h"

#include <algorithm>

namespace sallyport::test {
namespace {

// The second word of an ICMP header is id and seq in echo; elsewhere it is
// unused, an MTU or flags, and written through the same two fields.
Packet message6(std::uint8_t type, std::uint8_t code, Bytes body) {
    return icmp6{.type = type, .code = code, .id = 0, .seq = 0} /
           Packet(raw{.bytes = std::move(body)});
}

void append(Bytes& bytes, const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

Bytes with_link_option(Bytes body, std::uint8_t kind, const std::string& mac) {
    body.push_back(kind);
    body.push_back(1);
    append(body, mac_bytes(mac));
    return body;
}

} // namespace

raw quote(const Packet& inner, std::size_t limit) {
    Packet bare;
    for (const Layer& layer : inner.layers) {
        if (!std::holds_alternative<eth>(layer) && !std::holds_alternative<vlan>(layer))
            bare.layers.push_back(layer);
    }
    Bytes bytes = bare.bytes();
    bytes.resize(std::min(bytes.size(), limit));
    return raw{.bytes = std::move(bytes)};
}

Packet unreachable(Family family, const Packet& inner) {
    if (family == Family::v4)
        return icmp{.type = 3, .code = 3, .id = 0, .seq = 0} / Packet(quote(inner));
    return icmp6{.type = 1, .code = 4, .id = 0, .seq = 0} / Packet(quote(inner));
}

Packet too_big(Family family, const Packet& inner) {
    if (family == Family::v4)
        return icmp{.type = 3, .code = 4, .id = 0, .seq = 1400} / Packet(quote(inner));
    return icmp6{.type = 2, .code = 0, .id = 0, .seq = 1400} / Packet(quote(inner));
}

Packet echo_request(Family family, std::uint16_t id) {
    if (family == Family::v4) return icmp{.type = 8, .id = id} / Packet(text("ping"));
    return icmp6{.type = 128, .id = id} / Packet(text("ping"));
}

Packet echo_reply(Family family, std::uint16_t id) {
    if (family == Family::v4) return icmp{.type = 0, .id = id} / Packet(text("ping"));
    return icmp6{.type = 129, .id = id} / Packet(text("ping"));
}

Packet neighbour_solicitation(const Discovery& fields) {
    return message6(135, fields.code,
                    with_link_option(address_bytes(fields.target), 1, fields.mac));
}

Packet neighbour_advertisement(const Discovery& fields) {
    return message6(136, fields.code,
                    with_link_option(address_bytes(fields.target), 2, fields.mac));
}

Packet router_solicitation(const Discovery& fields) {
    return message6(133, fields.code, with_link_option({}, 1, fields.mac));
}

Packet router_advertisement(const Discovery& fields) {
    return message6(134, fields.code, with_link_option(Bytes(8, 0), 1, fields.mac));
}

Packet redirect6(const Discovery& fields) {
    Bytes body = address_bytes(fields.target);
    append(body, address_bytes(kPeer6));
    return message6(137, fields.code, with_link_option(body, 2, fields.mac));
}

Packet redirect4() {
    return icmp{.type = 5, .code = 1, .id = 0xc633, .seq = 0x6401} /
           Packet(quote(ipv4{.src = kHost4, .dst = kPeer4} / Packet(udp{}) / text("12345678"), 28));
}

Packet listener(std::uint8_t type, const std::string& group) {
    if (type == 143) { // one record: to exclude nothing, which is to join
        Bytes record{4, 0, 0, 0};
        append(record, address_bytes(group));
        return icmp6{.type = type, .id = 0, .seq = 1} / Packet(raw{.bytes = record});
    }
    return message6(type, 0, address_bytes(group));
}

hop_by_hop router_alert() {
    return hop_by_hop{.options = {5, 2, 0, 0}};
}

} // namespace sallyport::test
