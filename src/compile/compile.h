// SPDX-License-Identifier: Apache-2.0
#pragma once
// Policy to map image: equivalence classes of ports, addresses, interfaces and
// identities, and flat tables over the classes, so that the cost of a packet
// does not depend on the number of rules. Pure: no kernel, no clock, no file.
#include "base/result.h"
#include "compile/map_image.h"
#include "policy/policy.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport {

struct CompileInput {
    std::uint32_t generation = 1;        // not 0
    std::vector<std::string> interfaces; // names of the machine's interfaces that matter
    std::map<std::string, std::uint32_t>
        counters; // rule name to counter; one without gets the next free
};

// An error when a bound of abi/limits.h is passed ("the rules make N cells ...").
[[nodiscard]] Result<MapImage> compile(const Policy& policy, const CompileInput& input);

} // namespace sallyport
