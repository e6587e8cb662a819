// SPDX-License-Identifier: Apache-2.0
#include "explain/asked_packet.h"

#include "event/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sallyport::explain {
namespace {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::uint8_t kTcp = 6, kUdp = 17, kSctp = 132, kUdpLite = 136;
constexpr std::uint8_t kIcmp = 1, kIcmp6 = 58;

void put16(Bytes& to, unsigned value) {
    to.push_back(static_cast<std::uint8_t>(value >> 8));
    to.push_back(static_cast<std::uint8_t>(value));
}

std::uint16_t get16(View from, std::size_t at) {
    return static_cast<std::uint16_t>(from[at] << 8 | from[at + 1]);
}

void set16(Bytes& bytes, std::size_t at, unsigned value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint32_t sum_of(View bytes, std::uint32_t sum) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
    return sum;
}

unsigned folded(std::uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

// CRC32c, which SCTP has in place of a checksum.
std::uint32_t crc32c(View bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

View address_bytes(const Address& address) {
    const View all(address.bytes);
    return address.is_v4() ? all.subspan(12) : all;
}

Bytes tcp_header(const AskedPacket& p) {
    Bytes header;
    put16(header, p.src_port);
    put16(header, p.dst_port);
    header.insert(header.end(), {0, 0, 0x10, 0}); // sequence number
    header.insert(header.end(), {0, 0, static_cast<std::uint8_t>((p.tcp_flags & 0x10) != 0), 0});
    header.insert(header.end(), {0x50, p.tcp_flags, 0xfa, 0xf0, 0, 0, 0, 0});
    return header;
}

Bytes sctp_header(const AskedPacket& p) {
    Bytes header;
    put16(header, p.src_port);
    put16(header, p.dst_port);
    // Verification tag and checksum, then an INIT chunk: what opens an association.
    header.insert(header.end(), {0, 0, 0, 0, 0,    0,    0, 0, 1, 0, 0, 20, 0, 0,
                                 0, 1, 0, 0, 0xfa, 0xf0, 0, 1, 0, 1, 0, 0,  0, 1});
    const std::uint32_t crc = crc32c(header);
    for (std::size_t i = 0; i < 4; ++i) header[8 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
    return header;
}

Bytes transport(const AskedPacket& p) {
    if (p.proto == kTcp) return tcp_header(p);
    if (p.proto == kSctp) return sctp_header(p);
    Bytes header;
    if (is_icmp(p.proto)) return {p.icmp_type, p.icmp_code, 0, 0, 0, 1, 0, 1};
    if (!has_ports(p.proto)) return Bytes(8);
    put16(header, p.src_port);
    put16(header, p.dst_port);
    put16(header, 8); // its length; of UDP-Lite what the checksum covers
    put16(header, 0);
    return header;
}

// Where its checksum stands, over a pseudo header for all but ICMP for IPv4; none: it has none.
std::optional<std::size_t> checksum_at(std::uint8_t proto) {
    if (proto == kTcp) return 16;
    if (proto == kUdp || proto == kUdpLite) return 6;
    if (is_icmp(proto)) return 2;
    return std::nullopt;
}

void fill_checksum(const AskedPacket& p, Bytes& segment) {
    const std::optional<std::size_t> at = checksum_at(p.proto);
    if (!at) return;
    std::uint32_t sum = 0;
    if (p.proto != kIcmp) {
        sum = sum_of(address_bytes(p.src), sum);
        sum = sum_of(address_bytes(p.dst), sum);
        sum += p.proto + static_cast<std::uint32_t>(segment.size());
    }
    unsigned value = folded(sum_of(segment, sum));
    if (value == 0 && p.proto != kTcp && !is_icmp(p.proto)) value = 0xffff;
    set16(segment, *at, value);
}

std::optional<AskedPacket> with_transport(AskedPacket p, View segment) {
    if (has_ports(p.proto)) {
        if (segment.size() < 4) return std::nullopt;
        p.src_port = get16(segment, 0);
        p.dst_port = get16(segment, 2);
    }
    if (p.proto == kTcp) {
        if (segment.size() < 14) return std::nullopt;
        p.tcp_flags = segment[13];
    }
    if (is_icmp(p.proto)) {
        if (segment.size() < 2) return std::nullopt;
        p.icmp_type = segment[0];
        p.icmp_code = segment[1];
    }
    return p;
}

std::optional<AskedPacket> read_v4(View bytes) {
    const std::size_t header = (bytes[0] & 15u) * 4u;
    if (header < 20 || bytes.size() < header) return std::nullopt;
    AskedPacket p{.proto = bytes[9]};
    p.src = Address::v4(static_cast<std::uint32_t>(get16(bytes, 12)) << 16 | get16(bytes, 14));
    p.dst = Address::v4(static_cast<std::uint32_t>(get16(bytes, 16)) << 16 | get16(bytes, 18));
    if ((get16(bytes, 6) & 0x1fff) != 0) return std::nullopt; // a later fragment
    return with_transport(p, bytes.subspan(header));
}

std::optional<AskedPacket> read_v6(View bytes) {
    if (bytes.size() < 40) return std::nullopt;
    AskedPacket p{.proto = bytes[6]};
    std::ranges::copy(bytes.subspan(8, 16), p.src.bytes.begin());
    std::ranges::copy(bytes.subspan(24, 16), p.dst.bytes.begin());
    View rest = bytes.subspan(40);
    // Hop-by-hop, routing, destination options; and a fragment that is the first.
    for (int i = 0; i < 8 && (p.proto == 0 || p.proto == 43 || p.proto == 60 || p.proto == 44);
         ++i) {
        if (rest.size() < 8) return std::nullopt;
        if (p.proto == 44 && get16(rest, 2) >> 3 != 0) return std::nullopt;
        const std::size_t size = p.proto == 44 ? 8 : (rest[1] + 1u) * 8u;
        if (rest.size() < size) return std::nullopt;
        p.proto = rest[0];
        rest = rest.subspan(size);
    }
    return with_transport(p, rest);
}

} // namespace

const char* to_string(Way way) {
    switch (way) {
    case Way::in:
        return "in";
    case Way::out:
        return "out";
    case Way::forward:
        return "forward";
    }
    return "in";
}

bool has_ports(std::uint8_t proto) {
    return proto == kTcp || proto == kUdp || proto == kSctp || proto == kUdpLite;
}

bool is_icmp(std::uint8_t proto) {
    return proto == kIcmp || proto == kIcmp6;
}

bool is_opening(const AskedPacket& packet) {
    return packet.proto != kTcp || (packet.tcp_flags & 0x12) == kSyn;
}

std::string to_string(const AskedPacket& p) {
    const auto end = [&](const Address& address, std::uint16_t port) {
        if (!has_ports(p.proto)) return sallyport::to_string(address);
        return fmt::format(fmt::runtime(address.is_v4() ? "{}:{}" : "[{}]:{}"),
                           sallyport::to_string(address), port);
    };
    std::string text = fmt::format("{} {} > {}", is_icmp(p.proto) ? "icmp" : proto_name(p.proto),
                                   end(p.src, p.src_port), end(p.dst, p.dst_port));
    if (p.proto == kTcp) text += p.tcp_flags == 0 ? " none" : " " + tcp_flag_letters(p.tcp_flags);
    if (is_icmp(p.proto)) text += fmt::format(" type {} code {}", p.icmp_type, p.icmp_code);
    return text;
}

std::vector<std::uint8_t> to_bytes(const AskedPacket& p) {
    Bytes segment = transport(p);
    fill_checksum(p, segment);
    Bytes packet;
    if (p.dst.is_v4()) {
        packet = {0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, p.proto, 0, 0};
        set16(packet, 2, static_cast<unsigned>(20 + segment.size()));
    } else {
        packet = {0x60, 0, 0, 0, 0, 0, p.proto, 64};
        set16(packet, 4, static_cast<unsigned>(segment.size()));
    }
    for (const Address* address : {&p.src, &p.dst}) {
        const View bytes = address_bytes(*address);
        packet.insert(packet.end(), bytes.begin(), bytes.end());
    }
    if (p.dst.is_v4()) set16(packet, 10, folded(sum_of(packet, 0)));
    packet.insert(packet.end(), segment.begin(), segment.end());
    return packet;
}

std::optional<AskedPacket> read_packet(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < 20) return std::nullopt;
    if (bytes[0] >> 4 == 4) return read_v4(bytes);
    if (bytes[0] >> 4 == 6) return read_v6(bytes);
    return std::nullopt;
}

} // namespace sallyport::explain
