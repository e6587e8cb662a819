// SPDX-License-Identifier: Apache-2.0
#pragma once
// The connections of who is banned. The programs drop what they send and get from the ban on;
// ending their sockets is so that the processes here learn of it at once. The peer is told
// nothing: what would tell him is dropped as well.
#include "base/ip.h"
#include "daemon/owner.h"

#include <functional>
#include <string>
#include <vector>

namespace sallyport {

struct BansCut {
    std::size_t ended = 0;
    std::string failure; // of the first that could not be; "" when all could
};
// TCP sockets with such a peer: in this network namespace all, in others those of processes
// under `cgroup`, which the egress rules bind.
[[nodiscard]] BansCut cut_banned(const std::function<bool(const Address&)>& is_banned,
                                 OwnerNames& owners, const std::string& cgroup);

} // namespace sallyport
