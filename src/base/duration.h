// SPDX-License-Identifier: Apache-2.0
#pragma once
// Spans of time and rates as users write them.
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// "10s", "5m", "2h", "7d": a whole number and one unit. At most 100 years.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);
// In the largest unit that divides it: 3600 s is "1h".
[[nodiscard]] std::string to_string(std::chrono::seconds duration);

// So many things in each span of `per`.
struct Rate {
    std::uint32_t count = 0;
    std::chrono::seconds per{1};
    bool operator==(const Rate&) const = default;
};

// "20/minute": second, minute, hour or day, or their first letters, or a span: "20/90s".
// At least 1.
[[nodiscard]] Result<Rate> parse_rate(std::string_view text);

} // namespace sallyport
