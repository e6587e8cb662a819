// SPDX-License-Identifier: Apache-2.0
#pragma once
// A world without a machine: files, users and services that a test made up.
#include "config/parse.h"

#include <map>
#include <string>

namespace sallyport::config_test {

struct World {
    std::map<std::string, std::string> files;
    std::map<std::string, std::uint32_t> users{{"ollama", 1001}, {"root", 0}};
    std::map<std::pair<std::string, int>, std::uint16_t> services{{{"ssh", 6}, 22},
                                                                  {{"domain", 6}, 53},
                                                                  {{"domain", 17}, 53},
                                                                  {{"odd", 6}, 1000},
                                                                  {{"odd", 17}, 2000}};

    [[nodiscard]] ParseWorld view() const {
        return ParseWorld{
            .read_file = [this](const std::string& path) -> Result<std::string> {
                const auto found = files.find(path);
                if (found == files.end()) return fail(ErrorKind::not_found, "cannot open " + path);
                return found->second;
            },
            .user_id = [this](const std::string& name) -> std::optional<std::uint32_t> {
                const auto found = users.find(name);
                return found == users.end() ? std::nullopt : std::optional(found->second);
            },
            .service_port = [this](const std::string& name,
                                   std::uint8_t proto) -> std::optional<std::uint16_t> {
                const auto found = services.find({name, proto});
                return found == services.end() ? std::nullopt : std::optional(found->second);
            },
        };
    }
};

inline const std::string kHead = "schema = 1\n[host]\ninterfaces = [\"eth0\"]\n";

// `text` below a good head: the findings' lines begin at 4.
inline ParsedPolicy parsed(const std::string& text, const World& world = {}) {
    return parse_policy(kHead + text, "p.toml", world.view());
}

// "LINE:COLUMN: message" of each finding, warnings with a "w" before it.
inline std::vector<std::string> findings(const ParsedPolicy& policy) {
    std::vector<std::string> lines;
    for (const Diagnostic& d : policy.diagnostics)
        lines.push_back((d.severity == Severity::warning ? "w" : "") + std::to_string(d.line) +
                        ":" + std::to_string(d.column) + ": " + d.message);
    return lines;
}
inline std::vector<std::string> findings(const std::string& text, const World& world = {}) {
    return findings(parsed(text, world));
}

// The policy, which must be good.
inline Policy good(const std::string& text, const World& world = {}) {
    ParsedPolicy result = parsed(text, world);
    SP_CHECK(result.policy && "the test's policy must be good");
    return *std::move(result.policy);
}

// "10.0.0.0/8,fd00::/8!10.1.0.0/16%eth1": networks, exceptions, interfaces; parts split by a blank.
inline std::string text_of(const PeerSet& peers) {
    std::string text;
    for (const PeerPart& part : peers.parts) {
        if (!text.empty()) text += " ";
        std::string separator;
        for (const Prefix& prefix : *part.networks)
            text += std::exchange(separator, ",") + to_string(prefix);
        for (const PrefixList& list : part.except) {
            separator = "!";
            for (const Prefix& prefix : *list)
                text += std::exchange(separator, ",") + to_string(prefix);
        }
        for (const std::string& glob : part.interfaces) text += "%" + glob;
    }
    return text;
}

} // namespace sallyport::config_test
