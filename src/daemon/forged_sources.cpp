// SPDX-License-Identifier: Apache-2.0
#include "daemon/forged_sources.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {
namespace {

// Not routed on the internet (RFC 1918, 6598, 3927, 4193, 4291): only forged there.
bool is_private(const Prefix& prefix) {
    static const std::vector<Prefix> kPrivate = [] {
        std::vector<Prefix> list;
        for (const char* text :
             {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
              "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"})
            if (const Result<Prefix> parsed = parse_prefix(text)) list.push_back(*parsed);
        return list;
    }();
    return std::ranges::any_of(kPrivate, [&](const Prefix& p) {
        return p.length <= prefix.length && p.covers(prefix.base);
    });
}

bool is_everywhere_private(const PeerPart& part) {
    return part.interfaces.empty() && !part.networks->empty() &&
           std::ranges::all_of(*part.networks, is_private);
}

// The first guarded interface that has a public address; "" when there is none.
std::string public_nic(const Policy& policy, std::span<const Interface> interfaces) {
    for (const Interface& interface : interfaces) {
        const bool guarded =
            !interface.is_loopback &&
            std::ranges::any_of(policy.host.interfaces, [&](const std::string& glob) {
                return glob_matches(glob, interface.name);
            });
        const bool is_public =
            std::ranges::any_of(interface.addresses, [](const InterfaceAddress& a) {
                return a.kind == SP_LOCAL_HOST && !is_private(prefix_of(a.address, 128));
            });
        if (guarded && is_public) return interface.name;
    }
    return {};
}

} // namespace

std::vector<Diagnostic> advise_forged_sources(const Policy& policy, const std::string& policy_file,
                                              std::span<const Interface> interfaces) {
    std::vector<Diagnostic> out;
    const std::string nic = public_nic(policy, interfaces);
    if (nic.empty()) return out;
    for (const Rule& rule : policy.rules) {
        if (rule.deny || rule.direction != Direction::ingress || !rule.interfaces.empty()) continue;
        if (!std::ranges::any_of(rule.from.parts, is_everywhere_private)) continue;
        out.push_back({.severity = Severity::warning,
                       .file = policy_file,
                       .line = rule.line,
                       .column = 0,
                       .message = fmt::format(
                           "rule \"{}\" allows private addresses by every interface, and {} "
                           "has a public address: anybody there can forge them",
                           rule.name, nic),
                       .hint = "name the interfaces they come in by: interfaces = [\"...\"] in the "
                               "rule or the zone",
                       .source = {}});
    }
    return out;
}

} // namespace sallyport
