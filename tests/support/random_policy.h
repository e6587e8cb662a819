// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random policies and openings over a universe so small that everything
// overlaps: a handful of networks, ports, interfaces, cgroups and users, and
// the values one beside each of their edges.
#include "policy/evaluate.h"
#include "policy/policy.h"
#include "support/dice.h"

#include <functional>
#include <string>
#include <vector>

namespace sallyport::test {

// What a random policy may hold. A test that cannot drive a part leaves it out.
struct PolicyShape {
    std::vector<Direction> directions{Direction::ingress, Direction::egress, Direction::forward};
    std::size_t rules = 8; // at most
    bool identities = true;
    bool interfaces = true;
    bool limits = false; // and whether new flows are logged
};

// The interfaces of the universe; each policy is compiled for these. "lo" matches no glob.
[[nodiscard]] const std::vector<std::string>& universe_interfaces();
// uids that rules name, and one that none names.
[[nodiscard]] const std::vector<std::uint32_t>& universe_users();

[[nodiscard]] Policy random_policy(Dice& dice, const PolicyShape& shape = {});
// Half of them aim at a rule of the policy: an address in or beside one of its
// networks, a port in or beside one of its ranges.
[[nodiscard]] Opening random_opening(Dice& dice, const Policy& policy,
                                     const PolicyShape& shape = {});
// A cgroup of the universe, below or beside the policy's [host] cgroup; empty: unknown.
[[nodiscard]] std::string random_cgroup(Dice& dice, const Policy& policy);

// The smallest policy found by leaving out rules, parts, prefixes, ranges and
// conditions for which `fails` still holds. It holds for `policy`.
[[nodiscard]] Policy shrink(Policy policy, const std::function<bool(const Policy&)>& fails);

// For a person who reads a failure.
[[nodiscard]] std::string describe(const Policy& policy);
[[nodiscard]] std::string describe(const Opening& opening);
[[nodiscard]] std::string describe(const Verdict& verdict);

} // namespace sallyport::test
