// SPDX-License-Identifier: Apache-2.0
#include "diff/networks.h"

#include "diff/words.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::diff {

using audit::AddressSet;
namespace {

constexpr std::size_t kFew = 4; // prefixes, which are no longer than "any but"

NetworkNames named(const AddressSet& set, const ZoneSets& zones) {
    NetworkNames names;
    AddressSet rest = set;
    for (const auto& [name, its] : zones) {
        // A zone of what is named already would only repeat it.
        if (its.is_empty() || !set.holds_all(its) || both(rest, its).is_empty()) continue;
        names.zones.push_back(name);
        rest = without(rest, its);
    }
    const std::vector<Prefix> prefixes = rest.prefixes();
    const std::size_t shown = std::min(prefixes.size(), kPrefixesShown);
    for (std::size_t i = 0; i < shown; ++i) names.prefixes.push_back(to_string(prefixes[i]));
    names.left_out = prefixes.size() - shown;
    return names;
}

std::size_t words_of(const NetworkNames& names) {
    return names.zones.size() + names.prefixes.size() + names.left_out;
}

} // namespace

NetworkNames name_networks(const AddressSet& set, const ZoneSets& zones) {
    NetworkNames names = named(set, zones);
    const AddressSet others = without(either(AddressSet::all_v4(), AddressSet::all_v6()), set);
    if (!others.is_empty() && words_of(names) <= kFew) return names;
    NetworkNames excepted = named(others, zones);
    if (words_of(excepted) >= words_of(names)) return names;
    excepted.is_any = true;
    return excepted;
}

std::string describe(const AddressSet& set, const ZoneSets& zones) {
    NetworkNames names = name_networks(set, zones);
    std::vector<std::string> words = std::move(names.zones);
    words.insert(words.end(), names.prefixes.begin(), names.prefixes.end());
    if (words.empty()) return names.is_any ? "any" : "nobody";
    std::string text = (names.is_any ? "any but " : "") + joined(words);
    if (names.left_out != 0) text += fmt::format(" and {} more", names.left_out);
    return text;
}

} // namespace sallyport::diff
