// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a wall has in the kernel, by the kernel's own ids, so that after its end somebody else
// than the one who ended it can ask whether it is gone.
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

enum class KernelObject : unsigned char { link, program };

struct Pinned {
    KernelObject kind = KernelObject::link;
    std::uint32_t id = 0;
    std::string pin; // the path it is known by
    bool operator==(const Pinned&) const = default;
};

// Every link and program pinned below the directory, and the programs that those links hold.
// Nothing there is an empty list; permission when it may not be read.
[[nodiscard]] Result<std::vector<Pinned>> pinned_below(const std::string& directory);

// Those of them that the kernel still has when `patience` is over: it lets go of them an RCU
// grace period after their last holder.
[[nodiscard]] std::vector<Pinned> still_there(const std::vector<Pinned>& pinned,
                                              std::chrono::milliseconds patience);

} // namespace sallyport
