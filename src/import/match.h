// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the words of a match stand for, whichever tool they were written for.
#include "import/ruleset.h"

#include <optional>
#include <string_view>

namespace sallyport::imported {

// "tcp", "ipv6-icmp", "47"; none for what is not known. "all" is not a protocol.
[[nodiscard]] std::optional<std::uint8_t> protocol_number(std::string_view name);
// "22", "1024:65535", ":1023", with the separator given; none when it is neither.
[[nodiscard]] std::optional<Range> port_range(std::string_view text, char separator);
// "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1", host bits or not; none of the other family.
[[nodiscard]] std::optional<RangeSet> addresses(std::string_view text, Family family);
// "10.0.0.1-10.0.0.9".
[[nodiscard]] std::optional<RangeSet> address_range(std::string_view text, Family family);
// "echo-request", "8", "3/4"; of the family's ICMP, as services.
[[nodiscard]] std::optional<RangeSet> icmp_type(std::string_view text, Family family);
// NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED, in either case.
[[nodiscard]] std::optional<State> conntrack_state(std::string_view name);
// LOCAL, MULTICAST, BROADCAST, UNICAST.
[[nodiscard]] std::optional<Kind> destination_kind(std::string_view name);
// The values of TCP's flags of which `mask` are as in `set`.
[[nodiscard]] RangeSet tcp_flags(unsigned mask, unsigned set);
// "SYN,ACK", "ALL", "NONE".
[[nodiscard]] std::optional<unsigned> flag_bits(std::string_view names);
// "20/min", "1/s", "5/hour": count and span.
[[nodiscard]] bool read_rate(std::string_view text, Often& often);

} // namespace sallyport::imported
