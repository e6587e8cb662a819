// SPDX-License-Identifier: Apache-2.0
#pragma once
// A list that the first match decides, as allow and deny rules without an order: of
// what opens something, never more than the list lets in, and exactly that where
// such rules can say it.
#include "import/flatten.h"
#include "policy/rule.h"

#include <functional>
#include <set>
#include <utility>

namespace sallyport::imported {

// A rule of ours, of one family: a box of which our rules can say each set.
struct Opening {
    bool deny = false;
    Box box;
    unsigned line = 0;
    std::string text;
    std::string name;
    std::string chain;
    bool log_new = false;
    bool is_policy = false;
    std::vector<Often> limits;         // at most one of each sort
    std::vector<unsigned> less_by;     // the lines that took from it
    std::vector<unsigned> limit_lines; // where the limits stand
};

struct Openings {
    std::vector<Opening> rules; // in the order of the list
    std::vector<Finding> findings;
};

// What a packet is that opens something in that direction, or might.
[[nodiscard]] Box openers(Direction direction, Family family);

// What is not to be opened, since what follows it is dropped: boxes, and the lines that do so.
struct Unanswered {
    std::vector<std::pair<Box, unsigned>> openings;
    std::set<unsigned> by_client_port;
};
using AskAnswers = std::function<Unanswered(const Box& opening)>;

// Of a connection that is open: its packets, but for those that no stack sends.
[[nodiscard]] Box followers(Family family);

[[nodiscard]] Openings openings_of(const std::vector<Entry>& entries, Direction direction,
                                   Family family, const AskAnswers& ask_answers);

// How many rules of a policy file it takes.
[[nodiscard]] std::size_t rules_for(const Opening& opening, Direction direction, Family family);

// Can one of our rules say the box, within what opens? Why not, or nothing.
[[nodiscard]] std::string obstacle(const Box& box, Direction direction, Family family, bool deny);

} // namespace sallyport::imported
