// SPDX-License-Identifier: Apache-2.0
#pragma once
// All openings there can be, as two policies see them: cut into classes of interfaces, services
// and processes so that only addresses are left to ask about.
#include "diff/difference.h"
#include "diff/identities.h"
#include "diff/interfaces.h"
#include "diff/services.h"
#include "policy/evaluate.h"
#include "policy/policy.h"

#include <optional>
#include <vector>

namespace sallyport::diff {

class Space {
  public:
    // Both must outlive this.
    Space(const Policy& before, const Policy& after);

    [[nodiscard]] const Policy& policy(Side side) const {
        return side == Side::before ? before_ : after_;
    }
    [[nodiscard]] const InterfaceClasses& interfaces() const { return interfaces_; }
    [[nodiscard]] const IdentityClasses& identities() const { return identities_; }
    [[nodiscard]] const std::vector<ServiceCell>& services() const { return services_; }
    // None when no such opening can be: an interface whose name is too long, or that is not
    // known where every name is matched.
    [[nodiscard]] std::optional<bool> holds(const Region& region, const Opening& opening) const;

  private:
    const Policy& before_;
    const Policy& after_;
    InterfaceClasses interfaces_;
    IdentityClasses identities_;
    std::vector<ServiceCell> services_;
};

} // namespace sallyport::diff
