// SPDX-License-Identifier: Apache-2.0
#pragma once
// The maps of a wall that stands, opened by their pins, without loading anything.
#include "base/fd.h"
#include "base/result.h"
#include "kernel/maps.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport {

struct StandingMaps {
    std::map<std::string, Fd> held; // by name
    Maps maps;                      // of these, those that hold a policy or describe the machine
    std::vector<std::uint32_t> ids; // of all of them
    std::vector<std::string> missing;
};

// The names of all that this version pins.
[[nodiscard]] Result<std::vector<std::string>> names_of_maps();
[[nodiscard]] std::vector<std::string> names_of_pinned_programs();
// Those that are there. An error for what cannot be opened though it is.
[[nodiscard]] Result<StandingMaps> open_standing_maps(const std::string& layout_dir);

} // namespace sallyport
