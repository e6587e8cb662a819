// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is said of one packet: the verdict, why, by which rule of which line, and what would
// have to change.
#include "explain/advice.h"
#include "explain/policy_place.h"
#include "explain/wall_asked.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sallyport::explain {

struct Answer {
    std::string question{}; // in words
    Judged judged{};
    std::uint32_t generation = 0; // of the policy in force
    std::optional<RulePlace> rule{};
    std::optional<Advice> advice{}; // of what is dropped, or would be
    std::string file{};             // the policy's; "": not known
    bool changed = false;           // the file is another one by now
    std::vector<std::string> notes{};
};

// Judges, and asks on for a segment without a flow whether its opening would pass.
[[nodiscard]] Result<Answer> answer(WallAsked& wall, const PolicyPlace& place,
                                    const AskedOf& asked);

[[nodiscard]] bool is_dropped(const Answer& answer); // observed is not
[[nodiscard]] std::string to_text(const Answer& answer);
[[nodiscard]] nlohmann::ordered_json to_json(const Answer& answer);

} // namespace sallyport::explain
