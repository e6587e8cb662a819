// SPDX-License-Identifier: Apache-2.0
#pragma once
// The service line of one direction (abi/types.h, "ports"), cut into classes:
// places that every rule sees alike, the width of its narrowest range included,
// because that width breaks ties between rules.
#include "base/result.h"
#include "compile/classes.h"
#include "policy/policy.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

// What "any protocol" holds of ICMP: every type, as a deny rule means it, or echo requests
// alone, as an allow rule does.
enum class AnyIcmp : std::uint8_t { every_type, echo_requests };

// Rules with equal services share a number, so that ten thousand rules for one
// port are one service to the line.
class ServiceTable {
  public:
    std::uint32_t add(const Services& services, AnyIcmp icmp = AnyIcmp::every_type);
    [[nodiscard]] std::uint32_t size() const { return known_.size(); }
    [[nodiscard]] bool is_any(std::uint32_t service) const;
    [[nodiscard]] bool is_any_but_types(std::uint32_t service) const;
    [[nodiscard]] std::vector<ServiceRange> ranges(std::uint32_t service) const;

  private:
    Interner known_;
};

struct ServedClass {
    std::uint32_t port_class = 0;
    std::uint32_t width = 0; // high - low of the narrowest range; 0 for any protocol
};

struct PortClasses {
    std::uint32_t count = 1;                      // 0, "no rule names it", included
    std::vector<std::uint16_t> line;              // class by place; SP_LINE_END of them
    std::vector<std::vector<ServedClass>> served; // by service: the classes it covers
};

// Fails when there are more than 65535 classes or the ranges overlap without measure.
[[nodiscard]] Result<PortClasses> classify_ports(const ServiceTable& services);

} // namespace sallyport
