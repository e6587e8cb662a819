// SPDX-License-Identifier: Apache-2.0
#include "support/shape.h"

#include "base/result.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>

namespace sallyport::test {
namespace {

using nlohmann::json;

bool is_of(const json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    SP_CHECK(false);
    return false;
}

void check_object(const json& value, const json& shape, const std::string& place,
                  std::vector<std::string>& wrong) {
    const json properties = shape.value("properties", json::object());
    for (const auto& [key, part] : value.items()) {
        const auto known = properties.find(key);
        if (known != properties.end())
            for (std::string& one : misfits(part, *known, place + "." + key))
                wrong.push_back(std::move(one));
        else if (!shape.value("additionalProperties", true))
            wrong.push_back(place + "." + key + ": no such field");
    }
    for (const json& key : shape.value("required", json::array()))
        if (!value.contains(key.get<std::string>()))
            wrong.push_back(place + ": lacks " + key.get<std::string>());
    const json alternatives = shape.value("atLeastOne", json::array());
    if (!alternatives.empty() && std::ranges::none_of(alternatives, [&](const json& key) {
            return value.contains(key.get<std::string>());
        }))
        wrong.push_back(place + ": lacks one of " + alternatives.dump());
}

} // namespace

std::vector<std::string> misfits(const json& value, const json& shape, const std::string& place) {
    static const std::vector<std::string> known{"type",  "properties", "additionalProperties",
                                                "items", "required",   "atLeastOne",
                                                "enum",  "pattern",    "$comment"};
    for (const auto& [word, part] : shape.items())
        SP_CHECK(std::ranges::find(known, word) != known.end());
    std::vector<std::string> wrong;
    if (shape.contains("type") && !is_of(value, shape["type"])) {
        wrong.push_back(place + ": " + value.dump() + " is no " + shape["type"].get<std::string>());
        return wrong;
    }
    if (shape.contains("enum") && std::ranges::find(shape["enum"], value) == shape["enum"].end())
        wrong.push_back(place + ": " + value.dump() + " is none of " + shape["enum"].dump());
    if (shape.contains("pattern") &&
        !std::regex_search(value.get<std::string>(),
                           std::regex(shape["pattern"].get<std::string>())))
        wrong.push_back(place + ": " + value.dump() + " does not match");
    if (value.is_object()) check_object(value, shape, place, wrong);
    if (value.is_array() && shape.contains("items"))
        for (std::size_t i = 0; i < value.size(); ++i)
            for (std::string& one :
                 misfits(value[i], shape["items"], place + "[" + std::to_string(i) + "]"))
                wrong.push_back(std::move(one));
    return wrong;
}

const json& published_shape(const std::string& name) {
    static std::map<std::string, json> read;
    const auto [at, is_new] = read.try_emplace(name);
    if (is_new) {
        std::ifstream file(std::string(SP_SOURCE_DIR "/tests/support/shapes/") + name + ".json");
        at->second = json::parse(file, nullptr, false);
        SP_CHECK(at->second.is_object());
    }
    return at->second;
}

} // namespace sallyport::test
