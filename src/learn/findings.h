// SPDX-License-Identifier: Apache-2.0
#pragma once
// What was seen, sorted: rules that would have allowed it, and what is better left out.
#include "learn/networks.h"
#include "learn/seen.h"
#include "learn/why.h"
#include "policy/evaluate.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::learn {

struct LearnOptions {
    std::uint64_t least = 2;      // openings of a destination, or of a public source
    std::vector<Address> session; // where the caller's session comes from: no stranger
    std::size_t networks = 16;    // in a rule
    std::size_t rules = 512;
};

// One of a rule's ports, and what was counted of it.
struct LearnedPort {
    std::uint16_t port = 0; // as Service::port
    std::uint64_t openings = 0;
    WallTime first{}, last{};
};

// A rule, and what it stands for.
struct LearnedRule {
    std::string name;
    std::string what; // it is named after: "ollama", "rag.service", "forward", "host"
    Service service;  // the first, if it is for several ports
    std::vector<LearnedPort> ports{};      // all, by port
    std::vector<std::string> from{}, to{}; // zones, then networks; "any" alone
    std::vector<std::string> interfaces{}; // ingress by networks: where they came in
    std::uint64_t openings = 0;
    std::uint64_t running = 0; // packets of what was open already
    WallTime first{}, last{};
    std::vector<std::string> examples{}; // peers; processes of egress
    std::vector<std::string> warnings{}; // sentences
    std::vector<Opening> claims{};       // that the rule lets in
};

struct LeftOut {
    Why why = Why::one_off;
    std::string what; // "tcp 23 from 192.0.2.7"; fit for a line
    std::uint64_t events = 0;
    WallTime first{}, last{};
};

struct Findings {
    std::vector<LearnedRule> rules;
    std::vector<LeftOut> left; // the most frequent of each kind first
    std::vector<std::string> losses;
    [[nodiscard]] std::size_t left_for(Why why) const;
};

// `policy` is that which observed; its zones and the names of its rules are known.
[[nodiscard]] Findings sort_out(const Seen& seen, const ParsedPolicy& policy,
                                const LearnOptions& options);

} // namespace sallyport::learn
