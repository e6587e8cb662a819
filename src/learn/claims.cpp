// SPDX-License-Identifier: Apache-2.0
#include "learn/claims.h"

#include "learn/words.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace sallyport::learn {

namespace {

// The same claim, with one thing changed that the rule asks for.
std::vector<Opening> beside(const Opening& claim, const LearnedRule& rule) {
    std::vector<Opening> others;
    const auto other = [&](const auto& change) {
        others.push_back(claim);
        change(others.back());
    };
    const std::uint16_t most = claim.proto == 1 || claim.proto == 58 ? 255 : 65535;
    if (has_ports(claim.proto) || most == 255) {
        const auto is_its = [&](unsigned port) {
            return std::ranges::find(rule.ports, port, &LearnedPort::port) != rule.ports.end();
        };
        if (claim.port < most && !is_its(claim.port + 1U)) other([](Opening& one) { ++one.port; });
        if (claim.port > 0 && !is_its(claim.port - 1U)) other([](Opening& one) { --one.port; });
    }
    other([](Opening& one) { one.proto = one.proto == 6 ? 17 : 6; });
    other([](Opening& one) { one.proto = one.proto == 47 ? 50 : 47; });
    if (!rule.interfaces.empty()) other([](Opening& one) { one.interface = "!"; });
    if (!rule.service.unit.empty()) other([](Opening& one) { one.cgroup = "/!"; });
    if (rule.service.unit.empty() && rule.service.user)
        other([](Opening& one) { one.user = one.user.value_or(0) + 1; });
    return others;
}

// Just outside of each network, and what is nobody's.
std::vector<Address> edges(const std::vector<std::string>& words) {
    std::vector<Address> edges;
    for (const char* text : {"192.0.2.255", "2001:db8:ffff::ffff", "10.255.255.254", "fdff::fffe"})
        if (const std::optional<Address> address = parse_address(text)) edges.push_back(*address);
    for (const std::string& word : words) {
        const Result<Prefix> prefix = parse_prefix(word);
        if (!prefix || prefix->family_length() == 0) continue;
        // The network whose last bit is the other one.
        Address near = prefix->base;
        const unsigned last = prefix->length - 1U;
        near.bytes[last / 8] ^= static_cast<std::uint8_t>(0x80U >> (last % 8));
        edges.push_back(near);
    }
    return edges;
}

bool is_held(const std::vector<std::string>& words, const Address& address,
             const std::string& interface, const ParsedPolicy& policy) {
    return std::ranges::any_of(words, [&](const std::string& word) {
        if (word == "any") return true;
        if (const Result<Prefix> prefix = parse_prefix(word)) return prefix->covers(address);
        const auto zone = std::ranges::find(policy.zones, word, &NamedZone::name);
        return zone != policy.zones.end() && matches(zone->peers, address, interface);
    });
}

void outside(const Opening& claim, const LearnedRule& rule, const ParsedPolicy& policy,
             std::vector<Opening>& others) {
    if (claim.direction != Direction::egress)
        for (const Address& edge : edges(rule.from))
            if (!is_held(rule.from, edge, claim.interface, policy)) {
                others.push_back(claim);
                others.back().source = edge;
            }
    if (claim.direction != Direction::ingress)
        for (const Address& edge : edges(rule.to))
            if (!is_held(rule.to, edge,
                         claim.direction == Direction::forward ? "" : claim.interface, policy)) {
                others.push_back(claim);
                others.back().destination = edge;
            }
}

} // namespace

std::vector<std::string> unkept_claims(const Findings& findings, const Policy& policy) {
    std::vector<std::string> unkept;
    for (const LearnedRule& rule : findings.rules)
        for (const Opening& claim : rule.claims)
            if (evaluate(policy, claim).answer != Answer::allowed)
                unkept.push_back(fmt::format(
                    "{} {} of {}", to_string(claim.direction), service_text(rule.service),
                    to_string(claim.direction == Direction::egress ? claim.destination
                                                                   : claim.source)));
    return unkept;
}

std::vector<std::string> overreach(const Findings& findings, const ParsedPolicy& learned) {
    std::vector<std::string> sentences;
    if (!learned.policy) return sentences;
    for (const LearnedRule& rule : findings.rules) {
        if (rule.claims.empty()) continue;
        const auto its = std::ranges::find(learned.policy->rules, rule.name, &Rule::name);
        if (its == learned.policy->rules.end()) continue;
        Policy alone; // what other rules let in is no matter
        alone.host = learned.policy->host;
        alone.rules = {*its};
        std::vector<Opening> others;
        std::set<std::uint16_t> asked;
        for (const Opening& claim : rule.claims) { // one of each port
            if (!asked.insert(claim.port).second) continue;
            const std::vector<Opening> near = beside(claim, rule);
            others.insert(others.end(), near.begin(), near.end());
            outside(claim, rule, learned, others);
        }
        for (const Opening& one : others)
            if (evaluate(alone, one).answer == Answer::allowed)
                sentences.push_back(fmt::format(
                    "{}: protocol {} port {} of {}", rule.name, one.proto, one.port,
                    to_string(one.direction == Direction::egress ? one.destination : one.source)));
    }
    return sentences;
}

} // namespace sallyport::learn
