// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packets that somebody else has written down: as hex, or in a capture file.
#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::explain {

inline constexpr std::size_t kCapturedMax = 65535; // bytes of a packet
inline constexpr std::size_t kCaptureFileMax = 16u << 20;

enum class Layer : std::uint8_t {
    frame, // from an Ethernet header on
    ip,    // from the IP header on
};

struct Captured {
    Layer layer = Layer::frame;
    std::vector<std::uint8_t> bytes{};
    std::uint32_t wire_size = 0; // more than bytes: the capture has cut it short
};

// Digits, with blanks, colons and "0x" as people paste them. What has IP's EtherType (or a
// VLAN's, or ARP's) where a frame has it is a frame; else what begins with 4 or 6 is IP.
[[nodiscard]] Result<Captured> parse_hex(std::string_view text);

// A libpcap or pcapng file of Ethernet, bare IP or Linux "cooked" packets, of either byte order, in
// microseconds or nanoseconds. Every packet, in order; an error names the first that is wrong.
[[nodiscard]] Result<std::vector<Captured>> parse_pcap(std::span<const std::uint8_t> file);
[[nodiscard]] Result<std::vector<Captured>> read_pcap(const std::string& path);

// From its IP header on; empty when it is no IP packet.
[[nodiscard]] std::span<const std::uint8_t> ip_of(const Captured& packet);

} // namespace sallyport::explain
