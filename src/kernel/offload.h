// SPDX-License-Identifier: Apache-2.0
#pragma once
// A NIC's VLAN offload: with it the tag of a frame is gone before XDP sees it.
#include "base/result.h"

#include <string>

namespace sallyport {

enum class VlanTags : unsigned char {
    seen,     // they are in the frame
    stripped, // the NIC takes them off; that may be switched
    hidden,   // a veth hands over what its peer has put beside the frame: nothing to switch here
};

// not_found when there is no such NIC.
[[nodiscard]] Result<VlanTags> vlan_tags_of(const std::string& nic);
// To `seen` or `stripped`; not_supported when the NIC cannot be switched.
[[nodiscard]] Status set_vlan_tags(const std::string& nic, VlanTags to);

} // namespace sallyport
