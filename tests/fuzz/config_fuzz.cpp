// SPDX-License-Identifier: Apache-2.0
// A policy file of any bytes: no crash, no policy beside an error, and what is
// said of it is fit for a terminal.
#include "config/parse.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace sallyport;

namespace {

ParseWorld made_up() {
    return ParseWorld{
        .read_file = [](const std::string& path) -> Result<std::string> {
            if (path.size() % 2 == 0) return fail(ErrorKind::not_found, "cannot open " + path);
            return path + "\n10.0.0.0/8\nfd00::/8\n";
        },
        .user_id = [](const std::string& name) -> std::optional<std::uint32_t> {
            return name.size() % 2 == 0 ? std::nullopt : std::optional<std::uint32_t>(1001);
        },
        .service_port = [](const std::string& name, std::uint8_t) -> std::optional<std::uint16_t> {
            return name == "ssh" ? std::optional<std::uint16_t>(22) : std::nullopt;
        },
    };
}

void require(bool holds) {
    if (!holds) std::abort();
}

void check_diagnostic(const Diagnostic& diagnostic) {
    require(!diagnostic.message.empty());
    require((diagnostic.line == 0) == (diagnostic.column == 0));
    require(diagnostic.caret <= diagnostic.source.size() + 1);
    const std::string text = to_text(diagnostic);
    require(text.ends_with('\n'));
    for (const char c : text)
        require(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
}

void check_peers(const PeerSet& peers) {
    for (const PeerPart& part : peers.parts) {
        require(part.networks != nullptr && !part.networks->empty());
        for (const PrefixList& except : part.except) require(except != nullptr);
        for (const Prefix& prefix : *part.networks)
            require(prefix_of(prefix.base, prefix.length) == prefix);
    }
}

void check_policy(const Policy& policy) {
    require(!policy.host.interfaces.empty());
    for (const Rule& rule : policy.rules) {
        require(!rule.name.empty() && rule.line > 0);
        require(rule.services.any_protocol == rule.services.ranges.empty());
        for (const ServiceRange& range : rule.services.ranges) require(range.low <= range.high);
        require(rule.direction == Direction::egress || rule.identity.is_none());
        check_peers(rule.from);
        check_peers(rule.to);
    }
    check_peers(policy.exfil_inside);
    check_peers(policy.essentials.ping);
    check_peers(policy.essentials.routers);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const ParsedPolicy parsed = parse_policy(text, "dir/p.toml", made_up());
    const bool has_error = std::any_of(
        parsed.diagnostics.begin(), parsed.diagnostics.end(),
        [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; });
    require(has_error != parsed.policy.has_value());
    for (const Diagnostic& diagnostic : parsed.diagnostics) check_diagnostic(diagnostic);
    if (parsed.policy) check_policy(*parsed.policy);
    return 0;
}
