// SPDX-License-Identifier: Apache-2.0
#pragma once
// Learned rules held against the evaluator: what they must let in, and what they must not.
#include "learn/findings.h"

namespace sallyport::learn {

// Of what the rules claim to let in, what this policy does not: by the evaluator.
[[nodiscard]] std::vector<std::string> unkept_claims(const Findings& findings,
                                                     const Policy& policy);

// What they let in that was not seen: beside each claim another port, protocol, process,
// interface or address, that no word of the rule holds. Each such sentence is a fault of ours.
[[nodiscard]] std::vector<std::string> overreach(const Findings& findings,
                                                 const ParsedPolicy& learned);

} // namespace sallyport::learn
