// SPDX-License-Identifier: Apache-2.0
#pragma once
// The cgroup tree as the programs need it: ids, and each cgroup's state in a
// policy's automaton (abi/types.h).
#include "base/fd.h"
#include "base/result.h"
#include "compile/map_image.h"
#include "kernel/maps.h"

#include <cstdint>
#include <functional>
#include <string>

namespace sallyport {

struct Cgroup {
    Fd directory;
    std::uint64_t id = 0;
    unsigned level = 0; // 0: the root of the hierarchy
};

// `mount` is where cgroup2 is mounted, `path` absolute below it ("/", "/system.slice").
[[nodiscard]] Result<Cgroup> open_cgroup(const std::string& mount, const std::string& path);

// Each cgroup of the whole tree with the state that an image's automaton gives it, parents
// first; an error of `take` ends it.
using TakeCgroupState =
    std::function<Status(std::uint64_t id, std::uint32_t state, const std::string& path)>;
[[nodiscard]] Status each_cgroup_state(const MapImage& image, const std::string& mount,
                                       const TakeCgroupState& take);
// Walks the whole tree and notes each cgroup's state for `slot`, parents before
// their children are listed, so that what sp_cg_mkdir adds meanwhile is not missed.
[[nodiscard]] Status fill_cgroup_states(const Maps& maps, std::uint32_t slot, const MapImage& image,
                                        const std::string& mount);
// Forgets what was noted for a slot.
[[nodiscard]] Status clear_cgroup_states(const Maps& maps, std::uint32_t slot);

} // namespace sallyport
