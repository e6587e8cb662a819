// SPDX-License-Identifier: Apache-2.0
#include "learn/merged.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace sallyport::learn {
namespace {

constexpr std::size_t kExamples = 4;

using Texts = std::vector<std::string>;
using Key = std::tuple<std::string, Service, Texts, Texts, Texts>;

Key key_of(const LearnedRule& rule) {
    Service service = rule.service;
    service.port = 0;
    return {rule.what, service, rule.from, rule.to, rule.interfaces};
}

void add_new(Texts& to, const Texts& from, std::size_t most) {
    for (const std::string& one : from)
        if (to.size() < most && std::ranges::find(to, one) == to.end()) to.push_back(one);
}

void take(LearnedRule& rule, LearnedRule other) {
    rule.ports.insert(rule.ports.end(), other.ports.begin(), other.ports.end());
    rule.openings += other.openings;
    rule.running += other.running;
    rule.first = std::min(rule.first, other.first);
    rule.last = std::max(rule.last, other.last);
    add_new(rule.examples, other.examples, kExamples);
    add_new(rule.warnings, other.warnings, rule.warnings.size() + other.warnings.size());
    rule.claims.insert(rule.claims.end(), other.claims.begin(), other.claims.end());
}

} // namespace

std::vector<LearnedRule> merged(std::vector<LearnedRule> rules) {
    std::vector<LearnedRule> kept;
    std::map<Key, std::size_t> places;
    for (LearnedRule& rule : rules) {
        if (has_ports(rule.service.proto)) {
            const auto [at, is_new] = places.try_emplace(key_of(rule), kept.size());
            if (!is_new) {
                take(kept[at->second], std::move(rule));
                continue;
            }
        }
        kept.push_back(std::move(rule));
    }
    for (LearnedRule& rule : kept) std::ranges::sort(rule.ports, {}, &LearnedPort::port);
    return kept;
}

} // namespace sallyport::learn
