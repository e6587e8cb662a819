// SPDX-License-Identifier: Apache-2.0
// Asking nft and iptables what they rewrite. Only what is installed is run, only to list, and
// iptables-legacy only where its table is there already: asking would make it.
#include "audit/nat.h"
#include "cli/audit_world.h"
#include "cli/run_tool.h"

#include <fmt/format.h>
#include <fstream>

namespace sallyport {
namespace {

using namespace audit;

bool has_legacy_nat(const char* names) {
    std::ifstream file(names);
    for (std::string name; std::getline(file, name);)
        if (name == "nat") return true;
    return false;
}

void add(Nat& nat, const NatRules& rules, const std::string& by) {
    nat.published.insert(nat.published.end(), rules.published.begin(), rules.published.end());
    if (rules.not_understood == 0) return;
    nat.known = Known::partly;
    nat.notes.push_back(
        fmt::format("{} NAT rules of {} that are not understood here", rules.not_understood, by));
}

void add_iptables(Nat& nat, const std::string& program) {
    const std::string path = find_tool(program);
    const auto text = path.empty() ? std::nullopt : output_of_tool({path, "-t", "nat"});
    if (text) return add(nat, nat_of_iptables(*text), program);
    nat.known = Known::partly;
    nat.notes.push_back("iptables' NAT rules: " + program + " is not there, or failed");
}

} // namespace

Nat read_nat() {
    Nat nat{.known = Known::yes, .published = {}, .notes = {}};
    const std::string nft = find_tool("nft");
    std::size_t foreign = 0;
    if (nft.empty()) {
        nat.known = Known::no;
        nat.notes.emplace_back("what nftables rewrites: nft is not installed");
    } else {
        const auto text = output_of_tool({nft, "-j", "list", "ruleset"});
        const auto rules = text ? nat_of_nft(*text) : std::nullopt;
        if (rules) {
            foreign = rules->foreign;
            add(nat, *rules, "nftables");
        } else {
            nat.known = Known::no;
            nat.notes.emplace_back(
                "what nftables rewrites: nft list ruleset failed; it needs root");
        }
    }
    if (foreign != 0) {
        add_iptables(nat, "iptables-nft-save");
        add_iptables(nat, "ip6tables-nft-save");
    }
    if (has_legacy_nat("/proc/net/ip_tables_names")) add_iptables(nat, "iptables-legacy-save");
    if (has_legacy_nat("/proc/net/ip6_tables_names")) add_iptables(nat, "ip6tables-legacy-save");
    return nat;
}

} // namespace sallyport
