// SPDX-License-Identifier: Apache-2.0
#pragma once
// Interfaces by what the globs of a policy say of them. Class 0 is the one that
// no glob matches; an interface that nobody asked about belongs to it.
#include "compile/map_image.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// The sets of globs that rules and peers name. Set 0 is the empty one, which
// stands for every interface.
class GlobSets {
  public:
    std::uint32_t add(const std::vector<std::string>& globs);
    [[nodiscard]] const std::vector<std::vector<std::string>>& sets() const { return sets_; }

  private:
    std::vector<std::vector<std::string>> sets_{{}};
};

struct InterfaceClasses {
    std::uint32_t count = 1;
    std::vector<InterfaceClass> names;      // of the interfaces asked about, in their order
    std::vector<std::vector<bool>> matches; // by class, then by set
};

// At most 65535 interfaces.
[[nodiscard]] InterfaceClasses classify_interfaces(const GlobSets& globs,
                                                   const std::vector<std::string>& interfaces);

} // namespace sallyport
