// SPDX-License-Identifier: Apache-2.0
#pragma once
// A set of addresses in words: zones that are wholly in it, then prefixes; or "any" and what is
// not in it, where that is shorter.
#include "audit/address_set.h"

#include <string>
#include <utility>
#include <vector>

namespace sallyport::diff {

using ZoneSets = std::vector<std::pair<std::string, audit::AddressSet>>;
inline constexpr std::size_t kPrefixesShown = 16;

struct NetworkNames {
    bool is_any = false; // all addresses but these
    std::vector<std::string> zones;
    std::vector<std::string> prefixes;
    std::size_t left_out = 0; // prefixes
};
[[nodiscard]] NetworkNames name_networks(const audit::AddressSet& set, const ZoneSets& zones);
// "lan, 192.0.2.0/24 and 17 more", "any but lan"; "nobody" for none.
[[nodiscard]] std::string describe(const audit::AddressSet& set, const ZoneSets& zones);

} // namespace sallyport::diff
