// SPDX-License-Identifier: Apache-2.0
#pragma once
// Identities: the automaton over cgroup paths (abi/types.h, "identity"), the
// classes of its states, and the users that rules name.
#include "base/result.h"
#include "compile/classes.h"
#include "policy/policy.h"
#include "sallyport/abi/types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

struct IdentityClasses {
    bool asked = false;        // some egress rule has an identity
    std::uint32_t cgroups = 1; // cgroup classes; 0: no selector holds
    std::uint32_t users = 1;   // user classes; 0: no rule names the user
    std::vector<std::pair<sp_cg_step, std::uint32_t>> steps;
    std::vector<sp_cg_state> states;
    std::map<std::string, std::uint32_t> units; // selector numbers
    std::map<std::string, std::uint32_t> paths;
    std::map<std::uint32_t, std::uint32_t> user_classes;
    std::optional<std::uint32_t> packet_users; // one selector for all of packet-socket-users
    Interner selectors; // by cgroup class: the selectors that hold, ascending

    [[nodiscard]] std::uint32_t count() const { return cgroups * users; }
    // The identities (cgroup class * users + user class) that it is for, ascending.
    [[nodiscard]] std::vector<std::uint32_t> members(const Identity& identity) const;
};

// Fails on a name that is too long to be compared in the kernel, and when the
// selectors combine in too many ways.
[[nodiscard]] Result<IdentityClasses> classify_identities(const Policy& policy);

} // namespace sallyport
