// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/document.h"
#include "config/findings.h"

#include <cstddef>

namespace sallyport::config {

// What the kernel side can tell apart: bytes of one name, and names of one path.
inline constexpr std::size_t kCgroupNameMax = 123;
inline constexpr std::size_t kCgroupDepthMax = 32;

// Is the string an absolute cgroup path, "/" or "/a/b", that the kernel side can
// follow? An error when not.
[[nodiscard]] bool is_good_cgroup(const Value& path, Findings& findings);
// Is it the name of a systemd unit that has a cgroup? An error when not.
[[nodiscard]] bool is_good_unit(const Value& unit, Findings& findings);

} // namespace sallyport::config
