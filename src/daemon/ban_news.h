// SPDX-License-Identifier: Apache-2.0
#pragma once
// What happened to bans, for events and the log.
#include "base/ip.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

using Milliseconds = std::chrono::milliseconds;

struct BanNews {
    bool banned = false;             // else lifted, or over
    std::optional<Prefix> network{}; // none: of a list
    std::string origin{};
    std::string detail{};
    std::optional<Milliseconds> duration{};
    std::uint64_t count = 1; // networks
};

} // namespace sallyport
