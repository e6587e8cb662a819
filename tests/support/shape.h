// SPDX-License-Identifier: Apache-2.0
#pragma once
// Does a JSON value have a published shape? The shapes lie in support/shapes, as JSON Schema with
// these words: type, properties, additionalProperties, required, items, enum, pattern, and
// atLeastOne, of OCSF's. A word that is not known here is an error of the shape.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sallyport::test {

// What is wrong, each with its place ("$.event.kind: ..."); none when it fits.
[[nodiscard]] std::vector<std::string>
misfits(const nlohmann::json& value, const nlohmann::json& shape, const std::string& place = "$");
// "eve", "ecs", "ocsf", "ocsf_base".
[[nodiscard]] const nlohmann::json& published_shape(const std::string& name);

} // namespace sallyport::test
