// SPDX-License-Identifier: Apache-2.0
// Zones for those who ask for networks, or for a file of them, rather than for peers.
#include "config/prefix_set.h"
#include "config/zones.h"

namespace sallyport::config {

std::vector<Prefix> Zones::networks_of(const Value& value, std::string_view key,
                                       const std::string& why) {
    std::vector<Prefix> all;
    for (const PeerPart& part : peers(value, key).parts) {
        if (!part.interfaces.empty()) {
            findings_.error(value.place,
                            "a zone with \"interfaces\" cannot be in " + quoted(key) + ": " + why);
            return {};
        }
        std::vector<Prefix> holes;
        for (const PrefixList& hole : part.except)
            holes.insert(holes.end(), hole->begin(), hole->end());
        const std::vector<Prefix> left =
            holes.empty() ? *part.networks : difference(*part.networks, holes);
        all.insert(all.end(), left.begin(), left.end());
    }
    return all;
}

std::string Zones::file_of(const Value& name) {
    const auto zone = zones_.find(name.text);
    if (zone == zones_.end()) {
        unknown(name);
        return {};
    }
    static_cast<void>(zone_at(name)); // its errors, once, and that it is used
    const Value& value = zone->second.entry->value;
    const Entry* const path = value.kind == ValueKind::table ? value.find("file") : nullptr;
    if (path == nullptr || value.entries.size() != 1) {
        findings_.error(name.place, "zone " + quoted(name.text) + " is not a file alone",
                        "write a zone like { file = \"blocked.netset\" } and name it here");
        return {};
    }
    return path->value.kind == ValueKind::string ? beside(findings_.file(), path->value.text)
                                                 : std::string();
}

} // namespace sallyport::config
