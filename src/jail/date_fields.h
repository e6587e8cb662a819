// SPDX-License-Identifier: Apache-2.0
#pragma once
// From what a date template has found to a point in time.
#include "jail/date_template.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace sallyport::jail {

using LogTime = std::chrono::sys_time<std::chrono::microseconds>;

// The date of the template's last match; none when there is no such day or time. What
// a line leaves out is taken from `now`: a time alone is the last one that was, a day
// without a year the last such day. Without a zone it is in `zone_minutes` east of
// UTC, or local when that is none.
[[nodiscard]] std::optional<LogTime> time_of(const DateTemplate& found, LogTime now,
                                             std::optional<int> zone_minutes);

// "UTC", "CET", "+02:00", "CET+0100": minutes east of UTC; none when it is not known.
[[nodiscard]] std::optional<int> parse_zone(std::string_view text);

} // namespace sallyport::jail
