// SPDX-License-Identifier: Apache-2.0
#pragma once
// VLAN offload of the guarded NICs: off while a NIC has VLANs, so that XDP sees
// whose a frame is, and back on after that. What was switched is written down
// first, so that `down` restores it after any crash.
#include "kernel/hooks.h"
#include "kernel/interfaces.h"

#include <map>
#include <string>
#include <vector>

namespace sallyport {

// Guarded NICs with VLANs whose tags XDP does not see: their own policy covers these.
[[nodiscard]] std::vector<std::string> covers_vlans_unseen(const std::vector<std::string>& guarded,
                                                           const std::vector<Interface>& all);

class VlanOffloads {
  public:
    // Reads what an earlier process has switched; a broken file is none.
    explicit VlanOffloads(std::string state_dir);
    // Notes are for the operator, each once.
    void follow(const std::vector<GuardedNic>& guarded, const std::vector<Interface>& all,
                std::vector<std::string>& notes);
    // Everything as it was found; nothing to do is no error.
    void restore();

  private:
    void save(std::vector<std::string>& notes) const;
    std::string file_;
    std::map<unsigned, std::string> switched_; // ifindex to the name it had
    std::map<unsigned, std::string> told_;     // those that refuse, with what was said
};

} // namespace sallyport
