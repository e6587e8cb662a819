// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packet sockets as the daemon follows them: what is held now, and what is news.
#include "config/diagnostic.h"
#include "policy/policy.h"
#include "sallyport/abi/packet_socket.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sallyport {

class PacketSocketWatch {
  public:
    // What a look has found; returns those that are news: a socket not seen before, one
    // that has come into another cgroup, one that goes past the NIC's hook since. What is
    // gone is forgotten.
    [[nodiscard]] std::vector<sp_found_socket> take(const std::vector<sp_found_socket>& found);
    // One entry for each socket and cgroup, with the lowest pid that holds it.
    [[nodiscard]] const std::vector<sp_found_socket>& held() const { return held_; }

  private:
    using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint8_t>; // inode, cgroup, bypass
    std::set<Key> known_;
    std::vector<sp_found_socket> held_;
};

// packet-sockets = "deny" on a machine that cannot (`obstacle` as lsm_obstacle says): a
// warning about the file as a whole, with what to do.
[[nodiscard]] std::vector<Diagnostic> advise_packet_sockets(const Policy& policy,
                                                            const std::string& policy_file,
                                                            const std::string& obstacle);

// Is that cgroup one of these, or below one?
[[nodiscard]] bool is_in_cgroups(std::string_view path, const std::vector<std::string>& cgroups);

} // namespace sallyport
