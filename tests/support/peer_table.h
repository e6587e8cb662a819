// SPDX-License-Identifier: Apache-2.0
#pragma once
// The connections that sources have, in the kernel, from a test's side.
#include "support/instance.h"

#include <cstdint>
#include <vector>

namespace sallyport::test {

// Nobody has any.
void forget_peers(const Instance& instance);
// That source has so many open, whichever set it belongs to.
void set_open(const Instance& instance, const sp_bucket_key& key, std::uint32_t open);
// Every entry is somebody else's.
void fill_peers(const Instance& instance);

// Who has something open or on its way.
struct PeerSeen {
    sp_bucket_key key;
    std::uint32_t open;
    std::uint32_t begun;
};
[[nodiscard]] std::vector<PeerSeen> read_peers(const Instance& instance);

} // namespace sallyport::test
