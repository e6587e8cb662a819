// SPDX-License-Identifier: Apache-2.0
#pragma once
// Protocols with their ports or ICMP types, in cells: no rule of either policy tells two
// openings of one cell apart.
#include "policy/rule.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::diff {

struct ServiceCell {
    std::optional<std::uint8_t> proto; // none: every protocol that has no cell of its own
    std::uint16_t low = 0;
    std::uint16_t high = 65535; // inclusive
    bool operator==(const ServiceCell&) const = default;
};

// Of all that these name; sorted by protocol and port, the rest of the protocols last.
[[nodiscard]] std::vector<ServiceCell> service_cells(const std::vector<const Services*>& named);
// Does a rule of that kind speak of the cell?
[[nodiscard]] bool holds(const Services& services, const ServiceCell& cell, bool is_deny);
[[nodiscard]] bool is_echo_request(const ServiceCell& cell);
[[nodiscard]] std::size_t cell_of(const std::vector<ServiceCell>& cells, std::uint8_t proto,
                                  std::uint16_t port);

// "tcp 80, 8000-8010", "udp", "icmp type 8, icmpv6 type 128", "any protocol": each an item.
[[nodiscard]] std::vector<std::string> describe(const std::vector<ServiceCell>& all,
                                                const std::vector<std::size_t>& cells);

} // namespace sallyport::diff
