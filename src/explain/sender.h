// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whose socket sends, and where the cgroup tree has him.
#include "base/ip.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::explain {

// Nothing set: a process of no unit and no user that the policy names.
struct Sender {
    std::string unit{};
    std::string cgroup{}; // path below the hierarchy's root
    std::optional<std::uint32_t> user{};
    bool operator==(const Sender&) const = default;
};

[[nodiscard]] bool is_below(const std::string& path, const std::string& ancestor);
// The path of the sender's cgroup below the mount, of a unit the one below `host_cgroup` as the
// policy's `unit` means it. nullopt: neither is named. not_found: there is none.
[[nodiscard]] Result<std::optional<std::string>>
find_cgroup(const Sender& sender, const std::string& mount, const std::string& host_cgroup);

// Does such a destination stay on this host? One of its own addresses, by the wall's map, a
// broadcast, or a group.
[[nodiscard]] Result<bool> is_for_host(int local, const Address& address);

} // namespace sallyport::explain
