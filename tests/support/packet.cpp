// SPDX-License-Identifier: Apache-2.0
// Layers to bytes, from the last to the first: each sees the bytes behind it
// and the layers before it, which is all that lengths and checksums need.
#include "support/packet.h"

#include <array>
#include <span>

namespace sallyport::test {
namespace {

class Writer {
  public:
    Writer& u8(unsigned value) {
        bytes_.push_back(static_cast<std::uint8_t>(value));
        return *this;
    }
    Writer& u16(unsigned value) { return u8(value >> 8 & 0xff).u8(value & 0xff); }
    Writer& u32(std::uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
    Writer& put(const Bytes& bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    Bytes take() { return std::move(bytes_); }

  private:
    Bytes bytes_;
};

// The Internet checksum (RFC 1071) over all parts, each of even length but the last.
std::uint16_t checksum(std::span<const Bytes> parts) {
    std::uint32_t sum = 0;
    for (const Bytes& part : parts) {
        for (std::size_t i = 0; i < part.size(); i += 2) {
            sum += static_cast<std::uint32_t>(part[i]) << 8;
            if (i + 1 < part.size()) sum += part[i + 1];
        }
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum & 0xffff);
}

void store16(Bytes& bytes, std::size_t at, std::uint16_t value) {
    bytes.at(at) = static_cast<std::uint8_t>(value >> 8);
    bytes.at(at + 1) = static_cast<std::uint8_t>(value & 0xff);
}

Bytes padded(Bytes bytes, std::size_t unit) {
    while (bytes.size() % unit != 0) bytes.push_back(0);
    return bytes;
}

// Pads the options of an extension header whose first two bytes are not among them.
Bytes padded_options(Bytes options) {
    std::size_t missing = (8 - (options.size() + 2) % 8) % 8;
    if (missing == 1) options.push_back(0);
    if (missing > 1) {
        options.push_back(1);
        options.push_back(static_cast<std::uint8_t>(missing - 2));
        options.insert(options.end(), missing - 2, 0);
    }
    return options;
}

// What stands around a layer.
struct Around {
    const std::vector<Layer>& layers;
    std::size_t at;
    const Bytes& body; // all behind it

    const Layer* next() const { return at + 1 < layers.size() ? &layers[at + 1] : nullptr; }
    // Addresses of the nearest IP header before it, for the pseudo header; empty when there is
    // none.
    Bytes pseudo(std::uint8_t proto, std::size_t length) const {
        for (std::size_t i = at; i-- > 0;) {
            if (const ipv4* v4 = std::get_if<ipv4>(&layers[i])) {
                return Writer()
                    .put(address_bytes(v4->src))
                    .put(address_bytes(v4->dst))
                    .u8(0)
                    .u8(proto)
                    .u16(static_cast<unsigned>(length))
                    .take();
            }
            if (const ipv6* v6 = std::get_if<ipv6>(&layers[i])) {
                return Writer()
                    .put(address_bytes(v6->src))
                    .put(address_bytes(v6->dst))
                    .u32(static_cast<std::uint32_t>(length))
                    .u32(proto)
                    .take();
            }
        }
        return {};
    }
};

struct EtherTypeOf {
    std::uint16_t operator()(const vlan& tag) const { return tag.tpid; }
    std::uint16_t operator()(const ipv4&) const { return 0x0800; }
    std::uint16_t operator()(const ipv6&) const { return 0x86dd; }
    std::uint16_t operator()(const arp&) const { return 0x0806; }
    template <typename T> std::uint16_t operator()(const T&) const {
        return 0x88b5;
    } // experimental
};

std::uint16_t ether_type(const Auto<std::uint16_t>& given, const Layer* next) {
    if (given) return *given;
    return next == nullptr ? std::uint16_t{0x88b5} : std::visit(EtherTypeOf{}, *next);
}

struct ProtocolOf {
    std::uint8_t operator()(const ipv4&) const { return 4; }
    std::uint8_t operator()(const ipv6&) const { return 41; }
    std::uint8_t operator()(const hop_by_hop&) const { return 0; }
    std::uint8_t operator()(const dest_options&) const { return 60; }
    std::uint8_t operator()(const routing&) const { return 43; }
    std::uint8_t operator()(const fragment&) const { return 44; }
    std::uint8_t operator()(const ah&) const { return 51; }
    std::uint8_t operator()(const tcp&) const { return 6; }
    std::uint8_t operator()(const udp&) const { return 17; }
    std::uint8_t operator()(const udplite&) const { return 136; }
    std::uint8_t operator()(const sctp&) const { return 132; }
    std::uint8_t operator()(const icmp&) const { return 1; }
    std::uint8_t operator()(const icmp6&) const { return 58; }
    template <typename T> std::uint8_t operator()(const T&) const { return 253; } // experimental
};

std::uint8_t protocol(const Auto<std::uint8_t>& given, const Layer* next) {
    if (given) return *given;
    return next == nullptr ? std::uint8_t{59}
                           : std::visit(ProtocolOf{}, *next); // 59: no next header
}

Bytes render(const eth& layer, const Around& around) {
    return Writer()
        .put(mac_bytes(layer.dst))
        .put(mac_bytes(layer.src))
        .u16(ether_type(layer.type, around.next()))
        .take();
}

Bytes render(const vlan& layer, const Around& around) {
    return Writer()
        .u16(static_cast<unsigned>(layer.priority << 13 | layer.id))
        .u16(ether_type(layer.type, around.next()))
        .take();
}

Bytes render(const ipv4& layer, const Around& around) {
    Bytes options = padded(layer.options, 4);
    std::size_t header = 20 + options.size();
    unsigned ihl = layer.ihl.value_or(static_cast<std::uint8_t>(header / 4));
    unsigned total =
        layer.total_length.value_or(static_cast<std::uint16_t>(header + around.body.size()));
    unsigned flags =
        (layer.evil ? 0x8000u : 0u) | (layer.df ? 0x4000u : 0u) | (layer.mf ? 0x2000u : 0u);
    Bytes out = Writer()
                    .u8(static_cast<unsigned>(layer.version << 4) | (ihl & 15))
                    .u8(layer.tos)
                    .u16(total)
                    .u16(layer.id)
                    .u16(flags | (layer.offset & 0x1fffu))
                    .u8(layer.ttl)
                    .u8(protocol(layer.proto, around.next()))
                    .u16(0)
                    .put(address_bytes(layer.src))
                    .put(address_bytes(layer.dst))
                    .put(options)
                    .take();
    store16(out, 10, layer.checksum.value_or(checksum(std::array{out})));
    return out;
}

Bytes render(const ipv6& layer, const Around& around) {
    std::uint32_t first = static_cast<std::uint32_t>(layer.version) << 28 |
                          static_cast<std::uint32_t>(layer.traffic_class) << 20 |
                          (layer.flow_label & 0xfffffu);
    return Writer()
        .u32(first)
        .u16(layer.payload_length.value_or(static_cast<std::uint16_t>(around.body.size())))
        .u8(protocol(layer.next, around.next()))
        .u8(layer.hop_limit)
        .put(address_bytes(layer.src))
        .put(address_bytes(layer.dst))
        .take();
}

Bytes options_header(const Bytes& given, const Auto<std::uint8_t>& next,
                     const Auto<std::uint8_t>& length, const Around& around) {
    Bytes options = padded_options(given);
    return Writer()
        .u8(protocol(next, around.next()))
        .u8(length.value_or(static_cast<std::uint8_t>((options.size() + 2) / 8 - 1)))
        .put(options)
        .take();
}

Bytes render(const hop_by_hop& layer, const Around& around) {
    return options_header(layer.options, layer.next, layer.length, around);
}

Bytes render(const dest_options& layer, const Around& around) {
    return options_header(layer.options, layer.next, layer.length, around);
}

Bytes render(const routing& layer, const Around& around) {
    Writer out;
    out.u8(protocol(layer.next, around.next()))
        .u8(layer.length.value_or(static_cast<std::uint8_t>(layer.segments.size() * 2)))
        .u8(layer.type)
        .u8(layer.segments_left)
        .u32(0);
    for (const std::string& segment : layer.segments) out.put(address_bytes(segment));
    return out.take();
}

Bytes render(const fragment& layer, const Around& around) {
    return Writer()
        .u8(protocol(layer.next, around.next()))
        .u8(0)
        .u16(static_cast<unsigned>(layer.offset << 3) | (layer.more ? 1u : 0u))
        .u32(layer.id)
        .take();
}

Bytes render(const ah& layer, const Around& around) {
    // Twelve fixed bytes and an integrity value of twelve more: a multiple of 8, as IPv6 asks.
    return Writer()
        .u8(protocol(layer.next, around.next()))
        .u8(layer.length.value_or(4))
        .u16(0)
        .u32(layer.spi)
        .u32(1)
        .put(Bytes(12, 0))
        .take();
}

Bytes render(const tcp& layer, const Around& around) {
    Bytes options = padded(layer.options, 4);
    unsigned offset = layer.offset.value_or(static_cast<std::uint8_t>((20 + options.size()) / 4));
    Bytes out = Writer()
                    .u16(layer.sport)
                    .u16(layer.dport)
                    .u32(layer.seq)
                    .u32(layer.ack)
                    .u8((offset << 4 & 0xf0u) | (layer.reserved & 15u))
                    .u8(layer.flags)
                    .u16(layer.window)
                    .u16(0)
                    .u16(layer.urgent)
                    .put(options)
                    .take();
    Bytes pseudo = around.pseudo(6, out.size() + around.body.size());
    store16(out, 16, layer.checksum.value_or(checksum(std::array{pseudo, out, around.body})));
    return out;
}

Bytes render(const udp& layer, const Around& around) {
    std::size_t length = 8 + around.body.size();
    Bytes out = Writer()
                    .u16(layer.sport)
                    .u16(layer.dport)
                    .u16(layer.length.value_or(static_cast<std::uint16_t>(length)))
                    .u16(0)
                    .take();
    std::uint16_t sum = checksum(std::array{around.pseudo(17, length), out, around.body});
    store16(out, 6, layer.checksum.value_or(sum == 0 ? std::uint16_t{0xffff} : sum));
    return out;
}

Bytes render(const udplite& layer, const Around& around) {
    Bytes out = Writer().u16(layer.sport).u16(layer.dport).u16(layer.coverage).u16(0).take();
    Bytes pseudo = around.pseudo(136, out.size() + around.body.size());
    store16(out, 6, checksum(std::array{pseudo, out, around.body}));
    return out;
}

Bytes render(const sctp& layer, const Around&) {
    // The CRC32c stays zero: no hook looks at it, and the stack is never reached.
    return Writer()
        .u16(layer.sport)
        .u16(layer.dport)
        .u32(layer.tag)
        .u32(0)
        .u8(layer.chunk)
        .u8(0)
        .u16(20)
        .put(Bytes(16, 0))
        .take();
}

Bytes render(const icmp& layer, const Around& around) {
    Bytes out = Writer().u8(layer.type).u8(layer.code).u16(0).u16(layer.id).u16(layer.seq).take();
    store16(out, 2, layer.checksum.value_or(checksum(std::array{out, around.body})));
    return out;
}

Bytes render(const icmp6& layer, const Around& around) {
    Bytes out = Writer().u8(layer.type).u8(layer.code).u16(0).u16(layer.id).u16(layer.seq).take();
    Bytes pseudo = around.pseudo(58, out.size() + around.body.size());
    store16(out, 2, layer.checksum.value_or(checksum(std::array{pseudo, out, around.body})));
    return out;
}

Bytes render(const arp& layer, const Around&) {
    return Writer()
        .u16(layer.hardware)
        .u16(layer.protocol)
        .u8(6)
        .u8(4)
        .u16(layer.operation)
        .put(mac_bytes(layer.sender_mac))
        .put(address_bytes(layer.sender))
        .put(mac_bytes(layer.target_mac))
        .put(address_bytes(layer.target))
        .take();
}

Bytes render(const raw& layer, const Around&) {
    return layer.bytes;
}

} // namespace

Bytes Packet::bytes() const {
    Bytes body;
    for (std::size_t i = layers.size(); i-- > 0;) {
        Around around{.layers = layers, .at = i, .body = body};
        Bytes head =
            std::visit([&](const auto& layer) { return render(layer, around); }, layers[i]);
        head.insert(head.end(), body.begin(), body.end());
        body = std::move(head);
    }
    return body;
}

Packet operator/(Packet head, const Packet& tail) {
    head.layers.insert(head.layers.end(), tail.layers.begin(), tail.layers.end());
    return head;
}

} // namespace sallyport::test
