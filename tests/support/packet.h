// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packets as one reads them aloud:
//
//     eth() / ipv4{.src = "10.1.2.3"} / tcp{.dport = 22, .flags = SYN}
//
// Every length, checksum and next-header number is right unless it is given: a
// field of type Auto<T> that is left empty is computed from what stands around
// the layer. So a malformed packet is a good one with one field named. Default
// addresses are of the documentation ranges; the peer speaks to the host.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sallyport::test {

using Bytes = std::vector<std::uint8_t>;
// Lists to loop over: for (std::uint16_t port : U16s{22, 80}).
using U8s = std::initializer_list<std::uint8_t>;
using U16s = std::initializer_list<std::uint16_t>;
template <typename T> using Auto = std::optional<T>;

inline constexpr const char* kHostMac = "02:00:00:00:00:01";
inline constexpr const char* kPeerMac = "02:00:00:00:00:02";
inline constexpr const char* kOtherMac = "02:00:00:00:00:03";
inline constexpr const char* kBroadcastMac = "ff:ff:ff:ff:ff:ff";
inline constexpr const char* kHost4 = "192.0.2.1";
inline constexpr const char* kPeer4 = "198.51.100.7";
inline constexpr const char* kHost6 = "2001:db8::1";
inline constexpr const char* kPeer6 = "2001:db8:1::7";
inline constexpr const char* kHostLink6 = "fe80::1";
inline constexpr const char* kPeerLink6 = "fe80::7";
inline constexpr std::uint16_t kClientPort = 40000;

inline constexpr std::uint8_t FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64,
                              CWR = 128;

struct eth {
    std::string dst = kHostMac;
    std::string src = kPeerMac;
    Auto<std::uint16_t> type{};
};

struct vlan {
    std::uint16_t id = 5;
    std::uint8_t priority = 0;
    std::uint16_t tpid = 0x8100; // what the layer before calls it
    Auto<std::uint16_t> type{};
};

struct ipv4 {
    std::string src = kPeer4;
    std::string dst = kHost4;
    Auto<std::uint8_t> proto{};
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    std::uint16_t id = 0;
    bool df = false;
    bool mf = false;
    bool evil = false;        // the reserved bit
    std::uint16_t offset = 0; // of the fragment, in units of 8 bytes
    Bytes options{};          // padded with zeroes to 4
    std::uint8_t version = 4;
    Auto<std::uint8_t> ihl{}; // in words
    Auto<std::uint16_t> total_length{};
    Auto<std::uint16_t> checksum{};
};

struct ipv6 {
    std::string src = kPeer6;
    std::string dst = kHost6;
    Auto<std::uint8_t> next{};
    std::uint8_t hop_limit = 64;
    std::uint8_t version = 6;
    std::uint8_t traffic_class = 0;
    std::uint32_t flow_label = 0;
    Auto<std::uint16_t> payload_length{};
};

// Extension headers. Options are padded with PadN to a multiple of 8.
struct hop_by_hop {
    Bytes options{};
    Auto<std::uint8_t> next{};
    Auto<std::uint8_t> length{}; // in units of 8 bytes, the first not counted
};

struct dest_options {
    Bytes options{};
    Auto<std::uint8_t> next{};
    Auto<std::uint8_t> length{};
};

struct routing {
    std::uint8_t type = 4;
    std::uint8_t segments_left = 0;
    std::vector<std::string> segments{};
    Auto<std::uint8_t> next{};
    Auto<std::uint8_t> length{};
};

struct fragment {
    std::uint16_t offset = 0; // in units of 8 bytes
    bool more = false;
    std::uint32_t id = 0x5a11;
    Auto<std::uint8_t> next{};
};

struct ah {
    std::uint32_t spi = 0x100;
    Auto<std::uint8_t> next{};
    Auto<std::uint8_t> length{}; // in words less two
};

struct tcp {
    std::uint16_t sport = kClientPort;
    std::uint16_t dport = 22;
    std::uint8_t flags = SYN;
    std::uint32_t seq = 1000;
    std::uint32_t ack = 0;
    std::uint16_t window = 64240;
    std::uint16_t urgent = 0;
    std::uint8_t reserved = 0;   // the four bits after the data offset
    Bytes options{};             // padded with zeroes to 4
    Auto<std::uint8_t> offset{}; // in words
    Auto<std::uint16_t> checksum{};
};

struct udp {
    std::uint16_t sport = kClientPort;
    std::uint16_t dport = 53;
    Auto<std::uint16_t> length{};
    Auto<std::uint16_t> checksum{};
};

struct udplite {
    std::uint16_t sport = kClientPort;
    std::uint16_t dport = 53;
    std::uint16_t coverage = 0;
};

struct sctp {
    std::uint16_t sport = kClientPort;
    std::uint16_t dport = 36412;
    std::uint32_t tag = 0;
    std::uint8_t chunk = 1; // INIT
};

struct icmp {
    std::uint8_t type = 8; // echo request
    std::uint8_t code = 0;
    std::uint16_t id = 77;
    std::uint16_t seq = 1;
    Auto<std::uint16_t> checksum{};
};

struct icmp6 {
    std::uint8_t type = 128; // echo request
    std::uint8_t code = 0;
    std::uint16_t id = 77;
    std::uint16_t seq = 1;
    Auto<std::uint16_t> checksum{};
};

struct arp {
    std::uint16_t operation = 1; // request
    std::string sender_mac = kPeerMac;
    std::string sender = kPeer4;
    std::string target_mac = "00:00:00:00:00:00";
    std::string target = kHost4;
    std::uint16_t hardware = 1;
    std::uint16_t protocol = 0x0800;
};

struct raw {
    Bytes bytes{};
};

using Layer = std::variant<eth, vlan, ipv4, ipv6, hop_by_hop, dest_options, routing, fragment, ah,
                           tcp, udp, udplite, sctp, icmp, icmp6, arp, raw>;

struct Packet {
    std::vector<Layer> layers;

    Packet() = default;
    template <typename T>
        requires std::is_constructible_v<Layer, T>
    Packet(T layer) : layers{Layer{std::move(layer)}} {} // NOLINT: what makes a/b/c read
    // As the wire has it.
    [[nodiscard]] Bytes bytes() const;
};

[[nodiscard]] Packet operator/(Packet head, const Packet& tail);

// An 802.1ad outer tag; write qinq() / vlan{} for the pair.
[[nodiscard]] vlan qinq(std::uint16_t id = 7);
[[nodiscard]] raw text(std::string_view text);
[[nodiscard]] raw filler(std::size_t size, std::uint8_t byte = 0);

[[nodiscard]] Bytes address_bytes(const std::string& address); // 4 or 16; aborts on nonsense
[[nodiscard]] Bytes mapped_bytes(const std::string& address);  // always 16, IPv4 as ::ffff:a.b.c.d
[[nodiscard]] Bytes mac_bytes(const std::string& mac);
[[nodiscard]] std::string hex(const Bytes& bytes);

// ---- both families -------------------------------------------------------------

enum class Family : std::uint8_t { v4, v6 };
inline const char* to_string(Family family) {
    return family == Family::v4 ? "IPv4" : "IPv6";
}

// An IP layer of that family; the overload without addresses is peer to host.
[[nodiscard]] Packet ip(Family family);
[[nodiscard]] Packet ip(Family family, const std::string& src, const std::string& dst);
[[nodiscard]] const char* host_of(Family family);
[[nodiscard]] const char* peer_of(Family family);
// Frames in both directions on the host's link.
[[nodiscard]] Packet to_host(Family family);
[[nodiscard]] Packet from_host(Family family);

} // namespace sallyport::test
