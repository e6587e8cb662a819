// SPDX-License-Identifier: Apache-2.0
#pragma once
// What differs between what was written, what was loaded and what the kernel holds. Pure
// values; docs/drift.md says what is compared.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sallyport::drift {

enum class Level : std::uint8_t {
    note,  // to be known; no drift
    drift, // something is not as it was made
};

struct Finding {
    std::string id;    // "file", "record", "map", "hook", "pin", "foreign": never changes meaning
    std::string about; // the file, map, hook or pin
    Level level = Level::drift;
    std::string text;
    std::vector<std::string> details; // the first few
    std::size_t more = 0;             // details beyond these
    std::string next;                 // what to do
    bool operator==(const Finding&) const = default;
};

// How much was looked at, so that "nothing" can be told from "not looked".
struct Compared {
    std::size_t maps = 0;
    std::size_t entries = 0; // as they stand in the kernel
    std::size_t hooks = 0;
    std::size_t pins = 0;
    bool operator==(const Compared&) const = default;
};

struct Report {
    std::uint32_t generation = 0;
    std::vector<Finding> findings;
    Compared compared;
};

[[nodiscard]] bool has_drift(const Report& report);
// Drift alone, what is to be done below each; "" when there is none.
[[nodiscard]] std::string render(const Report& report);
// Notes, and how much was compared: for those who want to know what "nothing" means.
[[nodiscard]] std::string render_rest(const Report& report);
[[nodiscard]] nlohmann::ordered_json to_json(const Report& report);

} // namespace sallyport::drift
