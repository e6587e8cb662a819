// SPDX-License-Identifier: Apache-2.0
#pragma once
// The generated skeleton, and what of it is what in C++.
#include "kernel/maps.h"
#include "kernel/programs.h"
#include "sallyport/abi/question.h"
#include "sp_bpf.skel.h"

#include <memory>

namespace sallyport {

struct SkeletonDeleter {
    void operator()(sp_bpf* skeleton) const { sp_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<sp_bpf, SkeletonDeleter>;

// Is it state of the wall, which is pinned? The programs' scratch and variables are nobody's:
// two instances must not share them.
[[nodiscard]] bool is_of_the_wall(const bpf_map* map);

[[nodiscard]] Maps maps_of(const sp_bpf& s);
[[nodiscard]] const bpf_program* program_of(const sp_bpf& s, Program program);

} // namespace sallyport
