// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sets of numbers in the words of a policy file.
#include "base/ip.h"
#include "import/box.h"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::imported {

// One protocol of a set of services.
struct Protocol {
    std::uint8_t number = 0;
    bool is_whole = false;    // all ports; of ICMP all that open something
    std::vector<Range> ports; // else; of ICMP types
    bool operator==(const Protocol&) const = default;
};
// None for a part of an ICMP type. Protocols without ports are whole or not at all.
[[nodiscard]] std::optional<std::vector<Protocol>> protocols_of(const RangeSet& services,
                                                                Family family);
// Names, and those that begin alike as "eth*". None where only exceptions could say it.
[[nodiscard]] std::optional<std::vector<std::string>> globs_of(const RangeSet& interfaces);

struct Networks {
    std::vector<std::string> in;
    std::vector<std::string> except; // of these
};
// Whichever has fewer: networks alone, or all but some.
[[nodiscard]] Networks networks_of(const RangeSet& addresses, Family family);
[[nodiscard]] Wide number_of(const Address& address);
[[nodiscard]] RangeSet range_of(const Prefix& prefix);

// "tcp", or the number.
[[nodiscard]] std::string protocol_name(std::uint8_t number);
// A TOML basic string, quotes and all, whatever the bytes are.
[[nodiscard]] std::string quoted(std::string_view text);

} // namespace sallyport::imported
