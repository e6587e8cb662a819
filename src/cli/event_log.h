// SPDX-License-Identifier: Apache-2.0
#pragma once
// The event log on disk: the file, and those that were rotated, by the daemon (.1, .2, ...) or
// by logrotate (-DATE, .gz too). One line at a time, whatever there is.
#include "event/event.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sallyport {

struct LogRead {
    std::uint64_t unread_lines = 0; // that are no events
    std::uint64_t unread_files = 0; // compressed by what is not read here, broken, or not ours
    bool has_log = false;           // is there any file at all?
    // The time of the oldest line, or of a file that was passed over; none: there is neither.
    std::optional<WallTime> reaches_back;
};

// Gives each event from `from` on and before `to` to `take`, newest file first and no file twice,
// whoever rotates meanwhile. Files that were last written before `from` are passed over.
[[nodiscard]] LogRead read_event_log(const std::string& path, WallTime from, WallTime to,
                                     const std::function<void(const Event&)>& take);

} // namespace sallyport
