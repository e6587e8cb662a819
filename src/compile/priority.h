// SPDX-License-Identifier: Apache-2.0
#pragma once
// The order among rules that match (docs/policy.md, "What a rule means") as one
// number, the higher the better. From the top: deny, length of the near prefix,
// [length of the far one], named protocol, narrow range, identity, file order.
// The far prefix is not in the number, because it differs by column: keys with
// the same group() stand in one group, within which it decides first.
#include "compile/table.h"

#include <cstdint>

namespace sallyport {

class Priority {
  public:
    Priority(const TableRule& rule, std::uint32_t near_length, std::uint32_t width)
        : key_(std::uint64_t{rule.rule->deny} << 48 | std::uint64_t{near_length} << 40 |
               std::uint64_t{!rule.rule->services.any_protocol} << 31 |
               std::uint64_t{65535u - width} << 15 |
               std::uint64_t{!rule.rule->identity.is_none()} << 14 |
               std::uint64_t{SP_RULES_MAX - 1u - rule.number}) {}

    [[nodiscard]] std::uint64_t group() const { return key_ >> 40; }
    [[nodiscard]] std::uint32_t number() const { // in Policy::rules
        return SP_RULES_MAX - 1u - static_cast<std::uint32_t>(key_ & (SP_RULES_MAX - 1u));
    }
    auto operator<=>(const Priority&) const = default;

  private:
    std::uint64_t key_;
};
static_assert((SP_RULES_MAX & (SP_RULES_MAX - 1)) == 0 && SP_RULES_MAX <= 1u << 14);

} // namespace sallyport
