// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/policy.h"

#include <map>
#include <string>

namespace sallyport::config {

// Finds rules that say what another one says already. Rules are shown to it in
// file order.
class RuleDoubles {
  public:
    // Why this rule never decides, for a warning; empty when it may.
    [[nodiscard]] std::string shadow(const Rule& rule);

  private:
    struct First {
        std::string name;
        unsigned line;
    };
    std::map<std::string, First> seen_;
};

} // namespace sallyport::config
