// SPDX-License-Identifier: Apache-2.0
#pragma once
// nftables flowtables of this network namespace: what is routed by an entry of one
// goes past netfilter's hooks, and past programs there. Never loads nf_tables.
#include "kernel/netlink.h"

#include <string>
#include <vector>

namespace sallyport {

struct Flowtables {
    std::vector<std::string> names; // sorted, each once; as the ruleset has them, any bytes
    bool more = false;              // than kFlowtablesListed
};
inline constexpr std::size_t kFlowtablesListed = 16;

// What a message of the kernel's dump says to that list.
void note_flowtable(const NetlinkMessage& message, Flowtables& found);

// None on a kernel without nf_tables or without flowtables.
[[nodiscard]] Result<Flowtables> flowtables();

} // namespace sallyport
