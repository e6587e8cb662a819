// SPDX-License-Identifier: Apache-2.0
#pragma once
// A packet that is asked about, as a plain value: in words, and in bytes.
#include "base/ip.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::explain {

enum class Way : std::uint8_t { in, out, forward };
[[nodiscard]] const char* to_string(Way way);

inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint16_t kSomePort = 40000; // where a question names none

struct AskedPacket {
    std::uint8_t proto = 0;
    Address src{}; // of one family, both
    Address dst{};
    std::uint16_t src_port = 0; // of protocols with ports
    std::uint16_t dst_port = 0;
    std::uint8_t tcp_flags = 0; // as on the wire
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    bool operator==(const AskedPacket&) const = default;
};

[[nodiscard]] bool has_ports(std::uint8_t proto);
[[nodiscard]] bool is_icmp(std::uint8_t proto);
// A SYN without ACK, or of another protocol anything.
[[nodiscard]] bool is_opening(const AskedPacket& packet);

struct AskedWords {
    Way way = Way::in;
    std::string on{}; // interface where it arrives, of `out` where it leaves; "": by its route
    std::string to{}; // forward: where it leaves; "": by its route
    std::optional<AskedPacket> packet{}; // none: the bytes say
    bool operator==(const AskedWords&) const = default;
};

// "in tcp 10.0.0.5:40000 > 10.0.1.5:11434 syn on eth0"; docs/explain.md has the grammar.
// invalid_input names the word that is wrong and what would do in its place.
[[nodiscard]] Result<AskedWords> parse_question(std::string_view text);
// The way back, but for the interfaces.
[[nodiscard]] std::string to_string(const AskedPacket& packet);

// From the IP header on, with its checksums; no payload but what the protocol must have.
[[nodiscard]] std::vector<std::uint8_t> to_bytes(const AskedPacket& packet);
// What the header fields of an IP packet say, none when it has not got so far. Of extension
// headers it walks the usual ones; what the programs find in it is theirs to say.
[[nodiscard]] std::optional<AskedPacket> read_packet(std::span<const std::uint8_t> bytes);

} // namespace sallyport::explain
