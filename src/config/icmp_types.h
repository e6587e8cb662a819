// SPDX-License-Identifier: Apache-2.0
#pragma once
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

} // namespace sallyport::config
