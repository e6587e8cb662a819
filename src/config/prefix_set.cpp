// SPDX-License-Identifier: Apache-2.0
// Set difference of prefixes: a prefix that an exception cuts into is halved
// until each half is either whole or gone.
#include "config/prefix_set.h"

#include <algorithm>
#include <span>

namespace sallyport::config {

namespace {

bool contains(const Prefix& outer, const Prefix& inner) {
    return outer.length <= inner.length && prefix_of(inner.base, outer.length).base == outer.base;
}

// Sorted, and without those within another. One family only: numerically ::/0
// contains the mapped form of all of IPv4.
std::vector<Prefix> reduced(const std::vector<Prefix>& prefixes, bool v4) {
    std::vector<Prefix> sorted;
    for (const Prefix& prefix : prefixes)
        if (prefix.is_v4() == v4) sorted.push_back(prefix);
    std::sort(sorted.begin(), sorted.end());
    std::vector<Prefix> kept;
    for (const Prefix& prefix : sorted)
        if (kept.empty() || !contains(kept.back(), prefix)) kept.push_back(prefix);
    return kept;
}

Prefix half(const Prefix& prefix, unsigned which) {
    Prefix result{.base = prefix.base, .length = static_cast<std::uint8_t>(prefix.length + 1)};
    if (which != 0)
        result.base.bytes[prefix.length / 8] |=
            static_cast<std::uint8_t>(0x80u >> prefix.length % 8);
    return result;
}

class Cutter {
  public:
    Cutter(bool v4, std::vector<Prefix>& result) : v4_(v4), result_(result) {}

    // `except`: reduced, and all of it within `prefix` or covering it.
    void cut(const Prefix& prefix, std::span<const Prefix> except) {
        if (except.empty()) {
            // A piece of an IPv6 network that would read as IPv4 covers no IPv6 address.
            if (prefix.is_v4() == v4_) result_.push_back(prefix);
            return;
        }
        if (contains(except.front(), prefix)) return;
        const Prefix upper = half(prefix, 1);
        const auto middle =
            std::lower_bound(except.begin(), except.end(), upper.base,
                             [](const Prefix& a, const Address& base) { return a.base < base; });
        const auto split = static_cast<std::size_t>(middle - except.begin());
        cut(half(prefix, 0), except.first(split));
        cut(upper, except.subspan(split));
    }

  private:
    bool v4_;
    std::vector<Prefix>& result_;
};

// Those of `except` that touch the prefix: they lie next to each other.
std::span<const Prefix> touching(const Prefix& prefix, const std::vector<Prefix>& except) {
    auto first =
        std::lower_bound(except.begin(), except.end(), prefix.base,
                         [](const Prefix& a, const Address& base) { return a.base < base; });
    if (first != except.begin() && contains(*(first - 1), prefix)) return {&*(first - 1), 1};
    auto last = first;
    while (last != except.end() && (contains(prefix, *last) || contains(*last, prefix))) ++last;
    return {first, last};
}

} // namespace

std::vector<Prefix> difference(const std::vector<Prefix>& networks,
                               const std::vector<Prefix>& except) {
    std::vector<Prefix> result;
    for (const bool v4 : {false, true}) {
        const std::vector<Prefix> without = reduced(except, v4);
        Cutter cutter(v4, result);
        for (const Prefix& prefix : reduced(networks, v4))
            cutter.cut(prefix, touching(prefix, without));
    }
    std::sort(result.begin(), result.end());
    return result;
}

} // namespace sallyport::config
