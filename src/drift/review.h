// SPDX-License-Identifier: Apache-2.0
#pragma once
// The review of a week, as a value, and as text that a mail can carry: ASCII, 78 columns.
#include "base/ranking.h"
#include "drift/finding.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::drift {

// Drops of a direction within a span: who, and how often.
struct Drops {
    std::vector<Ranked> top;
    std::uint64_t total = 0;
    std::uint64_t before = 0; // in the span of the same length before
    std::uint64_t short_by = 0;
};

struct Review {
    std::string host;
    std::string from, to; // RFC 3339, UTC
    std::string state;    // as `status` says it
    std::string policy;   // file, hash, when and by whom
    std::optional<Report> drift;
    std::string drift_failed;              // why there is no report
    std::vector<std::string> unused_rules; // 'ingress "ssh"'
    std::size_t rules = 0;
    Drops arriving, leaving;
    std::uint64_t bans_active = 0;
    std::uint64_t bans_made = 0;
    std::map<std::string, std::uint64_t> bans_by;    // origin
    std::map<std::string, std::uint64_t> bans_ended; // why
    std::vector<std::string> changes;
    std::map<std::string, std::uint64_t> lost; // events, by where
    std::uint64_t lines = 0;                   // of the log that were read
    std::uint64_t unread = 0;                  // that were none of ours
    std::uint64_t compressed = 0;              // files of these two weeks that could not be read
    std::string reaches_back;                  // the oldest line's time; "": no log
};

// `text` in lines of at most 78 columns, all but the first set in; ASCII alone.
[[nodiscard]] std::string wrapped(const std::string& text, std::size_t indent);
[[nodiscard]] std::string render(const Review& review);
[[nodiscard]] nlohmann::ordered_json to_json(const Review& review);

} // namespace sallyport::drift
