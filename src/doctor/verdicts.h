// SPDX-License-Identifier: Apache-2.0
#pragma once
// What of a machine would weaken the wall, each with a next step. Pure.
#include "doctor/facts.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sallyport::doctor {

enum class Level : std::uint8_t { ok, warn, fail };
[[nodiscard]] const char* to_string(Level level);

struct Finding {
    std::string id;    // "kernel", "nic-queues": never changes meaning
    std::string about; // the NIC, program or table; "" for the machine
    Level level = Level::ok;
    std::string text;
    std::string next; // what to do; "" when there is nothing to do
    bool operator==(const Finding&) const = default;
};

[[nodiscard]] std::vector<Finding> examine(const Facts& facts);
// Those of one part each; examine() has them all, in this order.
void examine_kernel(const Facts& facts, std::vector<Finding>& findings);
void examine_nics(const Facts& facts, std::vector<Finding>& findings);
void examine_neighbours(const Facts& facts, std::vector<Finding>& findings);

[[nodiscard]] std::size_t count(const std::vector<Finding>& findings, Level level);
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<Finding>& findings);
// One line each and a line for what to do; what comes from elsewhere is escaped.
[[nodiscard]] std::string render(const std::vector<Finding>& findings);

} // namespace sallyport::doctor
