// SPDX-License-Identifier: Apache-2.0
#pragma once
// The policy that observed, as it was written, and below it what was learned.
#include "learn/findings.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::learn {

// Where this was learned.
struct Place {
    std::string file;   // the policy's
    std::string source; // "the event stream", or a file of events
    std::uint64_t events = 0;
    WallTime first{}, last{};
    bool knows_served = false;
    // Packets that rules of the policy let in meanwhile; none: not known.
    std::optional<std::map<std::string, std::uint64_t>> hits;
};

[[nodiscard]] std::string policy_text(std::string_view current, const Findings& findings,
                                      const Place& place);
// For stderr.
[[nodiscard]] std::string summary(const Findings& findings, const Place& place);
[[nodiscard]] nlohmann::ordered_json to_json(const Findings& findings, const Place& place);

} // namespace sallyport::learn
