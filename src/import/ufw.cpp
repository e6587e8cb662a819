// SPDX-License-Identifier: Apache-2.0
// ufw's user.rules and user6.rules. They are chains without a beginning: what calls them is
// in ufw's before.rules, which few people change, and is said here in short.
#include "import/import.h"
#include "import/iptables.h"
#include "import/words.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

// As ufw 0.36 has them, but for noise that nothing here would let in or report as new.
std::string frame(Family family, const std::map<std::string, std::string>& defaults) {
    const bool is_v4 = family == Family::v4;
    const std::string user = is_v4 ? "ufw-user-" : "ufw6-user-";
    const auto policy = [&defaults](const char* key, const char* otherwise) {
        const auto found = defaults.find(key);
        const std::string said = found == defaults.end() ? otherwise : found->second;
        return said == "ACCEPT" ? "ACCEPT" : "DROP";
    };
    std::string text = "*filter\n:INPUT " + std::string(policy("DEFAULT_INPUT_POLICY", "DROP")) +
                       "\n:OUTPUT " + policy("DEFAULT_OUTPUT_POLICY", "ACCEPT") + "\n:FORWARD " +
                       policy("DEFAULT_FORWARD_POLICY", "DROP") + "\n";
    const std::string known = " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
    for (const char* const chain : {"INPUT", "OUTPUT", "FORWARD"})
        text += std::string("-A ") + chain + known;
    text += "-A INPUT -m conntrack --ctstate INVALID -j DROP\n";
    const std::string echo = is_v4 ? " -p icmp --icmp-type 8 -j ACCEPT\n"
                                   : " -p ipv6-icmp --icmpv6-type 128 -j ACCEPT\n";
    text += "-A INPUT" + echo + "-A FORWARD" + echo;
    if (!is_v4)
        for (const char* const type : {"133", "134", "135", "136"})
            for (const char* const chain : {"INPUT", "OUTPUT"})
                text += std::string("-A ") + chain + " -p ipv6-icmp --icmpv6-type " + type +
                        " -m hl --hl-eq 255 -j ACCEPT\n";
    for (const auto& [chain, name] :
         {std::pair{"INPUT", "input"}, {"OUTPUT", "output"}, {"FORWARD", "forward"}})
        text += std::string("-A ") + chain + " -j " + user + name + "\n:" + user + name + " -\n";
    return text + "COMMIT\n";
}

// KEY="VALUE", as a shell reads it.
std::map<std::string, std::string> settings(std::string_view text) {
    std::map<std::string, std::string> found;
    for (const Line& line : lines_of(text)) {
        const std::size_t equals = line.text.find('=');
        if (line.text.starts_with('#') || equals == std::string_view::npos) continue;
        std::string value(line.text.substr(equals + 1));
        std::erase(value, '"');
        found[std::string(line.text.substr(0, equals))] = value;
    }
    return found;
}

Result<Ruleset> read_one(std::string_view text, Family family, const Options& options) {
    Tables how;
    if (family == Family::v4)
        how.ignore = options.ignore;
    else
        how.tag = "IPv6 ";
    Ruleset user = SP_TRY(read_iptables(text, family, how));
    Ruleset all = SP_TRY(read_iptables(frame(family, settings(options.ufw_defaults)), family, {}));
    for (auto& [key, chain] : all.chains) {
        chain.policy_line = 0;
        for (Rule& rule : chain.rules) {
            rule.line = 0;
            rule.text = "ufw's own: " + rule.text;
            rule.name.clear();
        }
    }
    const std::string input =
        family == Family::v4 ? "filter ufw-user-input" : "filter ufw6-user-input";
    if (!user.chains.contains(input))
        return fail(ErrorKind::invalid_input, "there is no chain of ufw's in it",
                    "it should be /etc/ufw/user.rules, and user6.rules by --ipv6");
    for (auto& [key, chain] : user.chains) all.chains[key] = std::move(chain);
    all.findings = std::move(user.findings);
    return all;
}

} // namespace

Result<Imported> import_ufw(std::string_view user_rules, std::string_view user6_rules,
                            const Options& options) {
    std::vector<Ruleset> rulesets;
    rulesets.push_back(SP_TRY(read_one(user_rules, Family::v4, options)));
    if (!user6_rules.empty())
        rulesets.push_back(SP_TRY(read_one(user6_rules, Family::v6, options)));
    auto& findings = rulesets.front().findings;
    findings.push_back({.sort = Finding::Sort::note,
                        .line = 0,
                        .text = {},
                        .why = "before.rules and after.rules are taken as ufw brings them, without "
                               "mDNS and UPnP from groups: what was added there is not read"});
    if (options.ufw_defaults.empty())
        findings.push_back({.sort = Finding::Sort::note,
                            .line = 0,
                            .text = {},
                            .why = "the policies are taken as ufw's own: in and through are "
                                   "denied, out is allowed (--ufw-defaults /etc/default/ufw)"});
    if (user6_rules.empty())
        findings.push_back({.sort = Finding::Sort::note,
                            .line = 0,
                            .text = {},
                            .why = "nothing of IPv6 is let in or out (--ipv6 user6.rules)"});
    return import_rulesets(std::move(rulesets), "ufw", options);
}

} // namespace sallyport::imported
