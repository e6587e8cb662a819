// SPDX-License-Identifier: Apache-2.0
#include "support/reference_packet.h"

#include <algorithm>

namespace sallyport::test {
namespace {

constexpr unsigned kTagsWalked = 2;       // docs/policy.md: more than two VLAN tags
constexpr std::size_t kExtensionsMax = 8; // docs/policy.md: more than eight extension headers
constexpr std::size_t kLengthMax = 65535; // beyond it a length field of 0 means "the rest"

// Bytes of a frame, up to where a header says that they end.
class Bytes {
  public:
    Bytes(std::span<const std::uint8_t> all, std::size_t end) : all_(all.first(end)) {}
    [[nodiscard]] bool has(std::size_t at, std::size_t count) const {
        return at <= all_.size() && count <= all_.size() - at;
    }
    [[nodiscard]] std::uint8_t u8(std::size_t at) const { return all_[at]; }
    [[nodiscard]] std::uint16_t u16(std::size_t at) const {
        return static_cast<std::uint16_t>(all_[at] * 256 + all_[at + 1]);
    }
    [[nodiscard]] std::uint32_t u32(std::size_t at) const {
        return std::uint32_t{u16(at)} * 65536 + u16(at + 2);
    }
    [[nodiscard]] Address v4(std::size_t at) const { return Address::v4(u32(at)); }
    [[nodiscard]] Address v6(std::size_t at) const {
        Address address;
        std::ranges::copy(all_.subspan(at, 16), address.bytes.begin());
        return address;
    }
    [[nodiscard]] std::size_t size() const { return all_.size(); }

  private:
    std::span<const std::uint8_t> all_;
};

// RFC 768, 793, 3828, 4960: those with ports in their first four bytes.
bool is_ported(std::uint8_t proto) {
    return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

// ---- link ------------------------------------------------------------------------

void read_ethernet(const Bytes& frame, ReferencePacket& packet) {
    if (!frame.has(0, 14)) {
        packet.link.add(SP_REASON_TRUNCATED);
        return;
    }
    for (std::size_t i = 0; i < 6; ++i) packet.to[i] = frame.u8(i);
    std::size_t type_at = 12;
    auto is_tag = [&] { return frame.u16(type_at) == 0x8100 || frame.u16(type_at) == 0x88a8; };
    while (is_tag()) {
        if (packet.tags == kTagsWalked) {
            packet.link.add(SP_REASON_VLAN_DEPTH);
            return;
        }
        ++packet.tags;
        type_at += 4;
        if (!frame.has(type_at, 2)) {
            packet.link.add(SP_REASON_TRUNCATED);
            return;
        }
    }
    packet.ether_type = frame.u16(type_at);
    packet.ip_at = type_at + 2;
    if (packet.ether_type == 0x0800) packet.version = 4;
    if (packet.ether_type == 0x86dd) packet.version = 6;
}

void read_bare(const Bytes& frame, ReferencePacket& packet) {
    if (!frame.has(0, 1)) {
        packet.link.add(SP_REASON_TRUNCATED);
        return;
    }
    packet.version = frame.u8(0) / 16;
    if (packet.version != 4 && packet.version != 6) packet.link.add(SP_REASON_ETHERTYPE);
    packet.ether_type = packet.version == 4 ? 0x0800 : 0x86dd;
}

// ---- IPv4: RFC 791 ---------------------------------------------------------------

// Type, length, value; 0 ends the list, 1 stands alone.
void read_options(const Bytes& frame, std::size_t at, std::size_t end, ReferencePacket& packet) {
    packet.router_alert = end - at == 4 && frame.u8(at) == 148 && frame.u8(at + 1) == 4;
    packet.options = end != at && !packet.router_alert;
    while (at < end && frame.u8(at) != 0) {
        std::uint8_t type = frame.u8(at);
        if (type == 1) {
            ++at;
            continue;
        }
        if (type == 131 || type == 137) packet.network.add(SP_REASON_SOURCE_ROUTE);
        std::size_t length = at + 1 < end ? frame.u8(at + 1) : 0;
        if (length < 2 || at + length > end) {
            packet.network.add(SP_REASON_MALFORMED);
            return;
        }
        at += length;
    }
}

void read_v4(const Bytes& frame, ReferencePacket& packet) {
    std::size_t at = packet.ip_at;
    if (!frame.has(at, 20)) {
        packet.network.add(SP_REASON_TRUNCATED);
        return;
    }
    packet.src = frame.v4(at + 12);
    packet.dst = frame.v4(at + 16);
    packet.hops = frame.u8(at + 8);
    packet.proto = frame.u8(at + 9);
    std::uint16_t pieces = frame.u16(at + 6);
    packet.fragment = (pieces & 0x2000) != 0 || (pieces & 0x1fff) != 0;
    std::size_t header = frame.u8(at) % 16 * 4u;
    std::size_t room = frame.size() - at;
    std::size_t total = frame.u16(at + 2);
    if (total == 0 && room > kLengthMax) total = room;
    if (frame.u8(at) / 16 != 4 || header < 20 || total < header)
        packet.network.add(SP_REASON_MALFORMED);
    if (total > room) packet.network.add(SP_REASON_TRUNCATED);
    if (!packet.network.empty()) return;
    packet.end = at + total;
    packet.body_at = at + header;
    read_options(frame, at + 20, packet.body_at, packet);
}

// ---- IPv6: RFC 8200 --------------------------------------------------------------

// RFC 2711, value 0; alone, or with two bytes of padding before it as KAME has it.
bool is_listener_alert(const Bytes& frame, std::size_t at) {
    auto is = [&](std::size_t from) { return frame.u32(from) == 0x05020000; };
    std::uint16_t first = frame.u16(at + 2);
    return is(at + 2) || ((first == 0x0100 || first == 0) && is(at + 4));
}

// False when nothing more can be walked.
bool read_extension(const Bytes& frame, ReferencePacket& packet) {
    std::uint8_t kind = packet.proto;
    std::size_t at = packet.body_at;
    if (packet.extensions.size() == kExtensionsMax || (kind == 0 && !packet.extensions.empty()))
        packet.network.add(SP_REASON_EXT_CHAIN);
    if (!frame.has(at, 8)) {
        packet.network.add(SP_REASON_TRUNCATED);
        return false;
    }
    std::size_t size = kind == 44 ? 8 : 8 + 8 * std::size_t{frame.u8(at + 1)};
    if (!frame.has(at, size)) packet.network.add(SP_REASON_TRUNCATED);
    // RFC 5095; and nobody asks an end host to route on.
    if (kind == 43 && (frame.u8(at + 2) == 0 || frame.u8(at + 3) != 0))
        packet.network.add(SP_REASON_EXT_CHAIN);
    if (!packet.network.empty()) return false;
    if (kind == 0) packet.router_alert = is_listener_alert(frame, at);
    packet.extensions.push_back({.kind = kind, .at = at, .size = size});
    packet.proto = frame.u8(at);
    packet.body_at = at + size;
    packet.fragment = kind == 44;
    return !packet.fragment; // what is behind need not be a whole header
}

void read_v6(const Bytes& frame, ReferencePacket& packet, std::span<const std::uint8_t> all) {
    std::size_t at = packet.ip_at;
    if (!frame.has(at, 40)) {
        packet.network.add(SP_REASON_TRUNCATED);
        return;
    }
    packet.src = frame.v6(at + 8);
    packet.dst = frame.v6(at + 24);
    packet.proto = frame.u8(at + 6);
    packet.hops = frame.u8(at + 7);
    std::size_t room = frame.size() - at - 40;
    std::size_t payload = frame.u16(at + 4);
    if (payload == 0 && room > kLengthMax) payload = room;
    if (frame.u8(at) / 16 != 6) packet.network.add(SP_REASON_MALFORMED);
    if (payload > room) packet.network.add(SP_REASON_TRUNCATED);
    if (!packet.network.empty()) return;
    packet.end = at + 40 + payload;
    packet.body_at = at + 40;
    Bytes inside(all, packet.end);
    auto walks = [](std::uint8_t next) {
        return next == 0 || next == 43 || next == 44 || next == 60;
    };
    while (walks(packet.proto) && read_extension(inside, packet)) {
    }
}

// ---- transport -------------------------------------------------------------------

void read_tcp(const Bytes& packet_bytes, ReferencePacket& packet) {
    std::size_t at = packet.body_at;
    std::size_t header = packet_bytes.u8(at + 12) / 16 * 4u;
    packet.tcp_flags = packet_bytes.u8(at + 13) & 0x3f;
    if (header < 20) packet.transport.add(SP_REASON_MALFORMED);
    if (at + header > packet.end) packet.transport.add(SP_REASON_TRUNCATED);
    packet.loaded = at + header < packet.end;
    bool fin = (packet.tcp_flags & 1) != 0;
    bool syn = (packet.tcp_flags & 2) != 0;
    bool rst = (packet.tcp_flags & 4) != 0;
    bool ack = (packet.tcp_flags & 16) != 0;
    if ((syn && (fin || rst)) || (!syn && !ack && !rst)) packet.transport.add(SP_REASON_TCP_FLAGS);
}

void read_udp_length(const Bytes& packet_bytes, ReferencePacket& packet) {
    std::size_t room = packet.end - packet.body_at;
    std::size_t length = packet_bytes.u16(packet.body_at + 4);
    // UDP-Lite: this is the coverage, and 0 covers all (RFC 3828).
    if (length == 0 && (packet.proto == 136 || room > kLengthMax)) return;
    if (length < 8 || length > room) packet.transport.add(SP_REASON_MALFORMED);
}

bool is_obsolete(const ReferencePacket& packet) {
    static const std::vector<std::uint8_t> kV4{4,  6,  15, 16, 30, 31, 32,
                                               33, 34, 35, 36, 37, 38, 39};
    static const std::vector<std::uint8_t> kV6{0, 127, 255};
    return std::ranges::count(packet.version == 4 ? kV4 : kV6, packet.icmp_type) != 0;
}

// From the quote's IPv6 header to its transport header, over four others at most; false
// where there is none to be seen, as in a later fragment.
bool pass_extensions(const Bytes& packet_bytes, std::uint8_t& proto, std::size_t& at) {
    static const std::vector<std::uint8_t> kHeaders{0, 43, 44, 60};
    for (int passed = 0; std::ranges::count(kHeaders, proto) != 0; ++passed) {
        if (passed == 4 || !packet_bytes.has(at, 8)) return false;
        bool fragment = proto == 44;
        if (fragment && packet_bytes.u16(at + 2) / 8 != 0) return false;
        proto = packet_bytes.u8(at);
        at += fragment ? 8 : 8 + 8u * packet_bytes.u8(at + 1);
    }
    return true;
}

// RFC 792 and 4443: the packet in question, from its IP header on.
Quoted read_quote(const Bytes& packet_bytes, const ReferencePacket& outer) {
    Quoted quoted;
    std::size_t at = outer.body_at + 8;
    std::size_t header = 40;
    if (!packet_bytes.has(at, outer.version == 4 ? 20 : 40)) return quoted;
    if (packet_bytes.u8(at) / 16 != outer.version) return quoted;
    if (outer.version == 4) {
        header = packet_bytes.u8(at) % 16 * 4u;
        bool later = (packet_bytes.u16(at + 6) & 0x1fff) != 0;
        if (header < 20 || later) return quoted;
        quoted.src = packet_bytes.v4(at + 12);
        quoted.dst = packet_bytes.v4(at + 16);
        quoted.proto = packet_bytes.u8(at + 9);
    } else {
        quoted.src = packet_bytes.v6(at + 8);
        quoted.dst = packet_bytes.v6(at + 24);
        quoted.proto = packet_bytes.u8(at + 6);
    }
    if (quoted.src != outer.dst) return quoted;
    at += header;
    if (outer.version == 6 && !pass_extensions(packet_bytes, quoted.proto, at)) return quoted;
    bool icmp = quoted.proto == (outer.version == 4 ? 1 : 58);
    quoted.readable = !icmp && !is_ported(quoted.proto);
    if (quoted.readable || !packet_bytes.has(at, 8)) return quoted;
    quoted.readable = true;
    if (!icmp) {
        quoted.src_port = packet_bytes.u16(at);
        quoted.dst_port = packet_bytes.u16(at + 2);
        return quoted;
    }
    ReferencePacket inner;
    inner.version = outer.version;
    inner.proto = quoted.proto;
    inner.icmp_type = packet_bytes.u8(at);
    quoted.readable = !inner.is_icmp_error();
    quoted.asks_time = outer.version == 4 && (inner.icmp_type == 13 || inner.icmp_type == 14);
    if (inner.is_echo_request() || inner.is_echo_reply())
        quoted.src_port = quoted.dst_port = packet_bytes.u16(at + 4);
    return quoted;
}

void read_icmp(const Bytes& packet_bytes, ReferencePacket& packet) {
    packet.icmp_type = packet_bytes.u8(packet.body_at);
    packet.icmp_code = packet_bytes.u8(packet.body_at + 1);
    if (packet.is_echo_request() || packet.is_echo_reply())
        packet.src_port = packet.dst_port = packet_bytes.u16(packet.body_at + 4);
    if (is_obsolete(packet)) packet.transport.add(SP_REASON_ICMP_TYPE);
    if (packet.is_icmp_error()) packet.quoted = read_quote(packet_bytes, packet);
}

void read_transport(const Bytes& packet_bytes, ReferencePacket& packet) {
    if (packet.fragment) return;
    if (packet.proto == (packet.version == 4 ? 58 : 1)) {
        packet.transport.add(SP_REASON_MALFORMED);
        return;
    }
    std::size_t least = packet.proto == 6                             ? 20
                        : packet.proto == 132                         ? 12
                        : is_ported(packet.proto) || packet.is_icmp() ? 8
                                                                      : 0;
    if (!packet_bytes.has(packet.body_at, least)) {
        packet.transport.add(SP_REASON_TRUNCATED);
        return;
    }
    if (packet.is_icmp()) read_icmp(packet_bytes, packet);
    if (!is_ported(packet.proto)) return;
    packet.src_port = packet_bytes.u16(packet.body_at);
    packet.dst_port = packet_bytes.u16(packet.body_at + 2);
    if (packet.proto == 6) read_tcp(packet_bytes, packet);
    if (packet.proto == 17 || packet.proto == 136) read_udp_length(packet_bytes, packet);
}

} // namespace

bool ReferencePacket::is_icmp_error() const {
    if (!is_icmp()) return false;
    if (version == 6) return icmp_type >= 1 && icmp_type <= 4;
    return icmp_type == 3 || icmp_type == 11 || icmp_type == 12;
}

bool ReferencePacket::is_echo_request() const {
    return is_icmp() && icmp_type == (version == 4 ? 8 : 128);
}

bool ReferencePacket::is_echo_reply() const {
    return is_icmp() && icmp_type == (version == 4 ? 0 : 129);
}

ReferencePacket read_frame(std::span<const std::uint8_t> frame, Carrier carrier) {
    ReferencePacket packet;
    Bytes all(frame, frame.size());
    if (carrier == Carrier::ethernet)
        read_ethernet(all, packet);
    else
        read_bare(all, packet);
    if (!packet.link.empty() || packet.version == 0) return packet;
    if (packet.version == 4)
        read_v4(all, packet);
    else
        read_v6(all, packet, frame);
    if (!packet.network.empty()) return packet;
    read_transport(Bytes(frame, packet.end), packet);
    return packet;
}

std::string to_string(const Objections& objections) {
    std::string text;
#define X(name, number, slug, meaning)                                                             \
    if (objections.has(SP_REASON_##name)) text += (text.empty() ? "" : " or ") + std::string(slug);
    SP_REASONS(X)
#undef X
    return text.empty() ? "none" : text;
}

} // namespace sallyport::test
