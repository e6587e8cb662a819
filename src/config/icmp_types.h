// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

// What a name means in each family; none where the family has no such message.
struct IcmpType {
    std::optional<std::uint8_t> v4;
    std::optional<std::uint8_t> v6;
};

[[nodiscard]] std::optional<IcmpType> icmp_type(std::string_view name);
[[nodiscard]] std::vector<std::string> icmp_type_names();

// Why a rule of that direction that names this type of protocol 1 or 58 opens nothing by
// it; empty when it does. The programs have checks of their own before they ask a rule.
[[nodiscard]] std::string why_icmp_opens_nothing(Direction direction, std::uint8_t proto,
                                                 std::uint8_t type);

} // namespace sallyport::config
