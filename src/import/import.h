// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rule sets of others into a policy file. Pure: texts in, text out.
//
// What is imported never lets open what the source would not. Where our rules, which
// have no order, cannot say what the source says, they say less, and a finding tells.
#include "base/result.h"
#include "import/ruleset.h"

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::imported {

struct Options {
    std::vector<std::string> interfaces; // to guard; none: all
    std::set<unsigned> ignore;           // lines that are read as if they were not there
    std::string ipsets;                  // what `ipset save` printed
    std::string ufw_defaults;            // /etc/default/ufw
};

struct Imported {
    std::string policy; // TOML
    std::vector<Finding> findings;
    std::size_t rules = 0;
    // Is there a finding that is more than a note?
    [[nodiscard]] bool is_whole() const;
};

// One rule set a family; `source` is said in the first line.
[[nodiscard]] Result<Imported> import_rulesets(std::vector<Ruleset> rulesets,
                                               const std::string& source, const Options& options);

// `text` of the one family, `other` of the other one; other may be empty.
[[nodiscard]] Result<Imported> import_iptables(std::string_view text, Family family,
                                               std::string_view other, const Options& options);
[[nodiscard]] Result<Imported> import_ufw(std::string_view user_rules, std::string_view user6_rules,
                                          const Options& options);
[[nodiscard]] Result<Imported> import_nft(std::string_view json, const Options& options);

} // namespace sallyport::imported
