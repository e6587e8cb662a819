// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the shapes of others are made by, each in a file of its own.
#include "event/event.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace sallyport {

[[nodiscard]] nlohmann::ordered_json to_eve(const Event& event);
[[nodiscard]] nlohmann::ordered_json to_ecs(const Event& event);
[[nodiscard]] nlohmann::ordered_json to_ocsf(const Event& event);

// As OCSF counts: 1 informational, 2 low, 3 medium, 4 high.
[[nodiscard]] int severity_of(const Event& event);
// "drop no-rule tcp 192.0.2.7:50000 > 10.0.1.5:22", in UTF-8 with control characters as they are.
[[nodiscard]] std::string summary_of(const Event& event);

} // namespace sallyport
