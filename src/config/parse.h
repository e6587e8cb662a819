// SPDX-License-Identifier: Apache-2.0
#pragma once
// A policy file (INTERFACE: docs/policy.md) to a Policy. Every error is found
// in one run; a policy with an error is never returned.
#include "base/result.h"
#include "config/diagnostic.h"
#include "policy/policy.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct NamedZone {
    std::string name;
    PeerSet peers;
};

struct ParsedPolicy {
    std::optional<Policy> policy; // empty when there is an error among the diagnostics
    std::vector<NamedZone> zones; // those of [zones], by name; for telling, no verdict needs them
    std::vector<Diagnostic> diagnostics;
    std::string sha256; // hex, of the file's bytes
};

// A policy as it was written: with this it can be read again when its files have changed.
struct PolicyText {
    std::string text;
    std::map<std::string, std::string> files; // content of zone files, by path as resolved
};

// The world outside the file, so that tests and fuzzers can do without it.
struct ParseWorld {
    // Content of a zone file by its path as resolved against the policy file's directory.
    std::function<Result<std::string>(const std::string& path)> read_file;
    std::function<std::optional<std::uint32_t>(const std::string& name)> user_id;
    std::function<std::optional<std::uint16_t>(const std::string& name, std::uint8_t proto)>
        service_port;
};
[[nodiscard]] ParseWorld system_world();

[[nodiscard]] ParsedPolicy parse_policy(std::string_view text, const std::string& file,
                                        const ParseWorld& world);

// Opens once (O_NOFOLLOW on the last component is not asked: a symlink is common),
// refuses what is not a regular file, is larger than 64 MiB, or can be written by
// others than its owner; the owner must be root or the caller.
// Into *read, where given, goes what was read.
[[nodiscard]] Result<ParsedPolicy> load_policy(const std::string& path, PolicyText* read = nullptr);
// What was read before, with users and services as the machine names them now.
[[nodiscard]] ParsedPolicy parse_again(const PolicyText& read, const std::string& path);

} // namespace sallyport
