// SPDX-License-Identifier: Apache-2.0
// What packets are made of beside layers: addresses, payloads, the two families.
#include "base/result.h"
#include "support/packet.h"

#include <arpa/inet.h>
#include <array>
#include <cstdio>

namespace sallyport::test {

vlan qinq(std::uint16_t id) {
    return vlan{.id = id, .tpid = 0x88a8};
}
raw text(std::string_view text) {
    return raw{.bytes = Bytes(text.begin(), text.end())};
}
raw filler(std::size_t size, std::uint8_t byte) {
    return raw{.bytes = Bytes(size, byte)};
}

Bytes address_bytes(const std::string& address) {
    Bytes out(16);
    if (inet_pton(AF_INET6, address.c_str(), out.data()) == 1) return out;
    out.resize(4);
    SP_CHECK(inet_pton(AF_INET, address.c_str(), out.data()) == 1);
    return out;
}

Bytes mapped_bytes(const std::string& address) {
    Bytes bytes = address_bytes(address);
    if (bytes.size() == 16) return bytes;
    Bytes out{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

Bytes mac_bytes(const std::string& mac) {
    std::array<unsigned, 6> b{};
    SP_CHECK(std::sscanf(mac.c_str(), "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4],
                         &b[5]) == 6);
    Bytes out;
    for (unsigned byte : b) out.push_back(static_cast<std::uint8_t>(byte));
    return out;
}

std::string hex(const Bytes& bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (std::uint8_t byte : bytes) {
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

Packet ip(Family family) {
    return ip(family, peer_of(family), host_of(family));
}

Packet ip(Family family, const std::string& src, const std::string& dst) {
    if (family == Family::v4) return ipv4{.src = src, .dst = dst};
    return ipv6{.src = src, .dst = dst};
}

const char* host_of(Family family) {
    return family == Family::v4 ? kHost4 : kHost6;
}
const char* peer_of(Family family) {
    return family == Family::v4 ? kPeer4 : kPeer6;
}
Packet to_host(Family family) {
    return eth{} / ip(family);
}

Packet from_host(Family family) {
    return eth{.dst = kPeerMac, .src = kHostMac} / ip(family, host_of(family), peer_of(family));
}

} // namespace sallyport::test
