// SPDX-License-Identifier: Apache-2.0
#pragma once
// A rule set of netfilter's, of one family, whatever it was written for: what the
// readers make, and what is imported.
#include "import/box.h"

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::imported {

// How often: a match that holds for some of the packets of its box only.
struct Often {
    enum class Sort : std::uint8_t {
        rate,        // of a source, a bucket
        total,       // of all sources, a bucket
        window,      // of a source, in any such span
        connections, // of a source, at once
    };
    Sort sort = Sort::rate;
    std::uint64_t count = 0;
    std::chrono::seconds per{1};
    std::uint64_t burst = 5;
    unsigned prefix4 = 32;
    unsigned prefix6 = 128;
    bool beyond = false; // holds for what is more than that; else for what is within
    bool operator==(const Often&) const = default;
};

enum class Target : std::uint8_t { none, accept, drop, back, jump, go_to, log, rewrite };

struct Rule {
    unsigned line = 0;
    std::string text;
    std::string name;                 // what its author called it; empty: nothing
    std::vector<Box> boxes;           // what it can match: in any of these
    std::vector<std::string> unknown; // what it asks besides, of which nothing is known
    std::optional<Often> often;
    Target target = Target::none;
    std::string chain; // of jump and go_to
};

struct Chain {
    std::string name; // as people know it
    std::vector<Rule> rules;
    std::optional<Target> policy; // of a base chain
    unsigned policy_line = 0;
};

// What is to be told of a line.
struct Finding {
    enum class Sort : std::uint8_t { note, narrowed, not_carried };
    Sort sort = Sort::not_carried;
    unsigned line = 0; // 0: the whole
    std::string text;
    std::string why;
    bool operator==(const Finding&) const = default;
};

// Base chains of a hook, in the order in which a packet meets them: to be accepted by
// one is to go on to the next. ingress, egress, forward, as of Direction.
using Hooks = std::array<std::vector<std::string>, 3>;

struct Ruleset {
    Family family = Family::v4;
    std::map<std::string, Chain> chains;
    Hooks hooks;
    Hooks rewriting;                      // base chains before those that change destinations
    std::map<std::string, RangeSet> sets; // named, of addresses
    std::vector<Finding> findings;
};

} // namespace sallyport::imported
