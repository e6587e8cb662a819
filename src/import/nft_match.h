// SPDX-License-Identifier: Apache-2.0
#pragma once
// Matches of `nft -j list ruleset`.
#include "import/ruleset.h"

#include <nlohmann/json.hpp>

namespace sallyport::imported {

using Json = nlohmann::json;

// Elements of named sets and maps of a table, by name.
using NamedElements = std::map<std::string, Json>;

// The boxes in which `left` is (or, with is_not, is not) one of `values`; none where that is
// not known. Throws what nlohmann throws for JSON of another shape.
[[nodiscard]] std::optional<std::vector<Box>> nft_boxes(const Json& left, const Json& values,
                                                        bool is_not, Family family,
                                                        const NamedElements& sets);

} // namespace sallyport::imported
