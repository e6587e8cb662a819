// SPDX-License-Identifier: Apache-2.0
#pragma once
// The decisions of one direction over classes: which rule decides for each
// interface class, address class, port class and, where a rule asks for it, a
// second class (egress: the identity; forward: the other address).
#include "base/result.h"
#include "compile/addresses.h"
#include "compile/classes.h"
#include "compile/interfaces.h"
#include "compile/peers.h"
#include "compile/ports.h"
#include "policy/policy.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

// A second class that a rule holds for.
struct SecondMatch {
    std::uint32_t second = 0;
    std::uint32_t rank = 1; // above 0; the higher is the more specific
};

// A rule as the tables see it.
struct TableRule {
    std::uint32_t number = 0; // in Policy::rules
    const Rule* rule = nullptr;
    PeerRefs near;
    PeerRefs far;                     // forward
    std::uint32_t globs = 0;          // of GlobSets
    std::uint32_t service = 0;        // of the direction's ServiceTable
    std::vector<SecondMatch> seconds; // those it holds for, unless for_all
    bool for_all = true;              // whatever the second class is
};

struct DirectionRules {
    Direction direction = Direction::ingress;
    std::vector<TableRule> rules; // in the order of the policy
    ServiceTable services;
    std::uint32_t n_second = 1; // egress: as sp_dims has it; forward: found by build_table
};

// Rows of the first table are sparse: pairs of port class and word, ascending.
// Class 0 of every kind is the one for which there is no rule.
struct DirectionTable {
    Direction direction = Direction::ingress;
    PortClasses ports;
    std::uint32_t n_second = 1;
    std::vector<std::uint32_t> near_of; // by address class
    std::vector<std::uint32_t> far_of;  // by address class; forward
    Interner rows;
    Interner
        nears; // by near class: a row for each interface class, those of nothing at the end cut
    Interner seconds; // rows of the second table, zeros at the end cut
};

// Fails when a bound of abi/limits.h is passed.
[[nodiscard]] Result<DirectionTable> build_table(DirectionRules rules, const Peers& peers,
                                                 const AddressClasses& addresses,
                                                 const InterfaceClasses& interfaces);

} // namespace sallyport
