// SPDX-License-Identifier: Apache-2.0
#pragma once
// A difference as text and as JSON.
#include "diff/difference.h"
#include "diff/space.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sallyport::diff {

// Which policies these are: "policy 3 of the history", a path.
struct Titles {
    std::string before;
    std::string after;
};

// `zones` of the later policy first; of zones of one name the first is meant.
[[nodiscard]] std::string to_text(const Difference& difference, const Space& space,
                                  const std::vector<Zone>& zones, const Titles& titles);
[[nodiscard]] nlohmann::ordered_json to_json(const Difference& difference, const Space& space,
                                             const std::vector<Zone>& zones, const Titles& titles);

} // namespace sallyport::diff
