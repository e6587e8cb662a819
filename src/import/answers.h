// SPDX-License-Identifier: Apache-2.0
#pragma once
// What Sallyport lets pass by itself - answers, errors about known flows, neighbour
// discovery - and whether a rule set does so too.
#include "import/openings.h"

#include <array>

namespace sallyport::imported {

// The lists of one family: ingress, egress, forward.
using Lists = std::array<std::vector<Entry>, 3>;

// Of `opening`, what opens a connection whose packets the rule set does not let pass later,
// one way or the other. Drops by few of the client's own ports are only named.
[[nodiscard]] Unanswered unanswered(const Lists& lists, Direction direction, Family family,
                                    const Box& opening);
// Do ICMP errors about known flows come in, but from some senders?
[[nodiscard]] bool lets_errors(const Lists& lists, Family family);
// Does IPv6 find its neighbours and routers?
[[nodiscard]] bool lets_neighbours(const Lists& lists);

} // namespace sallyport::imported
