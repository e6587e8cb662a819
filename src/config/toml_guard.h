// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/findings.h"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::config {

struct Objection {
    Place place;
    std::string message;
};

// Why the text must not be given to the TOML parser at all: its tree would be too
// deep to walk. Nothing for all that the parser should judge.
[[nodiscard]] std::optional<Objection> objection_to(std::string_view text);

} // namespace sallyport::config
