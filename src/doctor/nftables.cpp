// SPDX-License-Identifier: Apache-2.0
#include "doctor/nftables.h"

#include <nlohmann/json.hpp>

namespace sallyport::doctor {

std::optional<std::vector<DroppingChain>> dropping_chains(std::string_view text) {
    using Json = nlohmann::json;
    const Json document = Json::parse(text, nullptr, false);
    if (!document.is_object() || !document.contains("nftables")) return std::nullopt;
    std::vector<DroppingChain> chains;
    for (const Json& object : document["nftables"]) {
        if (!object.is_object() || !object.contains("chain")) continue;
        const Json& chain = object["chain"];
        const auto word = [&](const char* key) {
            const auto at = chain.find(key);
            return at != chain.end() && at->is_string() ? at->get<std::string>() : std::string();
        };
        if (word("policy") != "drop") continue;
        chains.push_back({.table = word("family") + " " + word("table"),
                          .chain = word("name"),
                          .hook = word("hook")});
    }
    return chains;
}

} // namespace sallyport::doctor
