// SPDX-License-Identifier: Apache-2.0
#pragma once
// Chains as one list, of which the first that holds a packet decides.
#include "base/result.h"
#include "import/ruleset.h"

namespace sallyport::imported {

enum class Says : std::uint8_t { accept, drop, log };

struct Entry {
    Says says = Says::drop;
    Box box;
    unsigned line = 0;
    std::string text;
    std::string name;
    std::string chain;
    std::vector<std::string> unknown; // not empty: the box is more than what it holds for
    std::optional<Often> often;
    bool is_policy = false; // of a base chain, not a rule
    bool is_taken = false;  // of drop: taken out of what is accepted, never a deny rule
};

// Every packet that is not loopback's is in the box of an accept or drop of the list.
// Fails for a chain that calls itself or is not there, and for more than some 100000 entries.
[[nodiscard]] Result<std::vector<Entry>> flatten(const Ruleset& rules,
                                                 const std::vector<std::string>& base_chains);

} // namespace sallyport::imported
