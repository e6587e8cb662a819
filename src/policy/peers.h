// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who a rule is about: addresses and interfaces, zones inlined.
#include "base/ip.h"

#include <memory>
#include <string>
#include <vector>

namespace sallyport {

// Prefixes shared between the zones that name them; a list may hold a million.
using PrefixList = std::shared_ptr<const std::vector<Prefix>>;

// Part of a set of peers: inside `networks`, in none of `except`, and, when
// `interfaces` is not empty, only where one of its globs matches the interface.
struct PeerPart {
    PrefixList networks; // never null
    std::vector<PrefixList> except;
    std::vector<std::string> interfaces;
};

// The union of its parts. Empty: nobody. "any" is one part of 0.0.0.0/0 and ::/0.
// How specific a match is: the length, in its family, of the longest prefix of
// `networks` that covers the address, over the parts that match.
struct PeerSet {
    std::vector<PeerPart> parts;
};

// "any": one part with 0.0.0.0/0 and ::/0.
[[nodiscard]] PeerSet any_peer();

} // namespace sallyport
