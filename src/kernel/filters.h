// SPDX-License-Identifier: Apache-2.0
#pragma once
// Our TC filter on an interface by clsact, for kernels without TCX (6.6) and for the
// TC ingress of interfaces that are not guarded. It has no link and no pin.
#include "base/result.h"

#include <cstdint>
#include <string>

namespace sallyport {

// "?" when there is none of that id.
[[nodiscard]] std::string program_name(std::uint32_t id);
// Is ours on that interface?
[[nodiscard]] bool filter_stands(unsigned ifindex, bool ingress);
// Makes the clsact qdisc where there is none, and puts the program there or in the place
// of ours that stands.
[[nodiscard]] Status attach_filter(unsigned ifindex, bool ingress, int program);
// Ours alone, where it stands.
void detach_filter(unsigned ifindex, bool ingress);

} // namespace sallyport
