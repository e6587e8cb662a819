// SPDX-License-Identifier: Apache-2.0
#include "daemon/auto_bans_advice.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint32_t kFew = 5;
constexpr unsigned kWide4 = 16; // a network with fewer bits holds others' machines too
constexpr unsigned kWide6 = 48;

bool is_for_tcp(const Services& services) {
    return services.any_protocol ||
           std::ranges::any_of(services.ranges,
                               [](const ServiceRange& range) { return range.proto == kTcp; });
}

struct Advice {
    std::string file;
    std::vector<Diagnostic> found;
    void warn(std::string message, std::string hint) {
        found.push_back({.severity = Severity::warning,
                         .file = file,
                         .line = 0,
                         .column = 0,
                         .message = std::move(message),
                         .hint = std::move(hint),
                         .source = {}});
    }
};

void warn_of_few(Advice& advice, const std::optional<BanAfter>& after, const char* key) {
    if (!after || after->count >= kFew) return;
    advice.warn(fmt::format("[bans] {} bans after {}: who tries again a few times is banned, and "
                            "all who share his address with him",
                            key, after->count),
                "ask for more: \"50 in 10m for 1h\"");
}

void warn_of_wide(Advice& advice, const Policy& policy) {
    for (const Rule& rule : policy.rules) {
        if (rule.direction != Direction::egress || rule.deny) continue;
        for (const PeerPart& part : rule.to.parts)
            for (const Prefix& network : *part.networks)
                if (const unsigned bits = network.family_length();
                    bits != 0 && bits < (network.is_v4() ? kWide4 : kWide6))
                    advice.warn(fmt::format("nobody of {} is ever banned automatically: egress "
                                            "rule \"{}\" names it",
                                            to_string(network), rule.name),
                                "name in the rule only whom this host talks to");
    }
}

} // namespace

std::vector<Diagnostic> advise_auto_bans(const Policy& policy, const std::string& policy_file) {
    const BanRules& bans = policy.bans;
    Advice advice{.file = policy_file, .found = {}};
    if (!bans.after_limits && !bans.after_probes) return {};
    if (policy.host.mode == Mode::observe)
        advice.warn("automatic bans ban nobody while the policy observes",
                    "mode = \"enforce\" in [host] when it is tried out");
    const auto is_counted = [](const Rule& rule) {
        return rule.limit && is_for_tcp(rule.services);
    };
    if (bans.after_limits && std::ranges::none_of(policy.rules, is_counted))
        advice.warn("[bans] after-limits bans nobody: no rule for TCP has a limit",
                    "add limit = \"20/minute\", say, to a rule, or leave after-limits out");
    warn_of_few(advice, bans.after_limits, "after-limits");
    warn_of_few(advice, bans.after_probes, "after-probes");
    if (bans.never.empty())
        advice.warn("automatic bans are on, and [bans] never names nobody",
                    "name the proxies, monitors and administrators that must stay welcome");
    warn_of_wide(advice, policy);
    return std::move(advice.found);
}

} // namespace sallyport
