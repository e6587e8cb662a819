// SPDX-License-Identifier: Apache-2.0
#include "jail/settings.h"

#include <algorithm>
#include <tuple>

namespace sallyport::jail {

namespace {

bool is_same(const Pattern& a, const Pattern& b) {
    return std::tie(a.text, a.key, a.index) == std::tie(b.text, b.key, b.index);
}

bool is_same(const std::vector<Pattern>& a, const std::vector<Pattern>& b) {
    return std::ranges::equal(
        a, b, [](const Pattern& one, const Pattern& other) { return is_same(one, other); });
}

bool is_same(const FilterSettings& a, const FilterSettings& b) {
    const auto values = [](const FilterSettings& filter) {
        return std::tie(filter.name, filter.journal, filter.max_lines, filter.names,
                        filter.zone_minutes);
    };
    const bool same_prefix = a.prefregex && b.prefregex ? is_same(*a.prefregex, *b.prefregex)
                                                        : !a.prefregex && !b.prefregex;
    return values(a) == values(b) && same_prefix && is_same(a.failregex, b.failregex) &&
           is_same(a.ignoreregex, b.ignoreregex) && is_same(a.datepatterns, b.datepatterns);
}

bool is_same(const PeerSet& a, const PeerSet& b) {
    const auto same_lists = [](const PrefixList& one, const PrefixList& other) {
        return *one == *other;
    };
    return std::ranges::equal(a.parts, b.parts, [&](const PeerPart& one, const PeerPart& other) {
        return same_lists(one.networks, other.networks) && one.interfaces == other.interfaces &&
               std::ranges::equal(one.except, other.except, same_lists);
    });
}

} // namespace

bool is_same(const JailSettings& a, const JailSettings& b) {
    const auto values = [](const JailSettings& jail) {
        return std::tie(jail.name, jail.logs, jail.from_journal, jail.max_retry, jail.find_time,
                        jail.ban_time, jail.growth, jail.ignore_self, jail.ipv6_length);
    };
    return values(a) == values(b) && is_same(a.filter, b.filter) && is_same(a.ignored, b.ignored);
}

} // namespace sallyport::jail
