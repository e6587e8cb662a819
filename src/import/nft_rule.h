// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "import/nft_match.h"

namespace sallyport::imported {

struct NftPlace {
    Family family = Family::v4;
    std::string table;                   // before the names of chains in a ruleset's keys
    const NamedElements* sets = nullptr; // of the table
    unsigned line = 0;
    std::string text;
    std::string comment;
};

// The expressions of one rule: as many rules as its log, its verdict and its maps make.
[[nodiscard]] std::vector<Rule> read_nft_rule(const Json& expressions, const NftPlace& place);

} // namespace sallyport::imported
