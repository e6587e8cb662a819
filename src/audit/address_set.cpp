// SPDX-License-Identifier: Apache-2.0
#include "audit/address_set.h"

#include <algorithm>

namespace sallyport::audit {
namespace {

constexpr Number kMax = ~Number{0};
constexpr Number kMappedFirst = Number{0xffff} << 32;
constexpr Number kMappedLast = kMappedFirst | 0xffffffff;

Number number_of(const Address& address) {
    Number number = 0;
    for (const std::uint8_t byte : address.bytes) number = number << 8 | byte;
    return number;
}

Address address_of(Number number) {
    Address address;
    for (std::size_t i = 16; i-- > 0; number >>= 8)
        address.bytes[i] = static_cast<std::uint8_t>(number & 0xff);
    return address;
}

// The prefixes of a range, fewest first to last.
void split(Range range, std::vector<Prefix>& prefixes) {
    for (;;) {
        unsigned bits = 0; // of the host part of the next prefix
        while (bits < 128) {
            const Number size_less_one = bits == 127 ? kMax : (Number{2} << bits) - 1;
            if ((range.first & size_less_one) != 0 || range.last - range.first < size_less_one)
                break;
            ++bits;
        }
        const Number size_less_one = bits == 128 ? kMax : (Number{1} << bits) - 1;
        prefixes.push_back(prefix_of(address_of(range.first), 128 - bits));
        if (range.last - range.first == size_less_one) return;
        range.first += size_less_one + 1;
    }
}

} // namespace

AddressSet AddressSet::merged(std::vector<Range> ranges) {
    std::ranges::sort(ranges, {}, &Range::first);
    AddressSet set;
    for (const Range& range : ranges) {
        if (!set.ranges_.empty()) {
            Range& back = set.ranges_.back();
            if (back.last == kMax || range.first <= back.last + 1) {
                back.last = std::max(back.last, range.last);
                continue;
            }
        }
        set.ranges_.push_back(range);
    }
    return set;
}

AddressSet AddressSet::of(std::span<const Prefix> prefixes) {
    std::vector<Range> v4, v6;
    for (const Prefix& prefix : prefixes) {
        const Number first = number_of(prefix.base);
        const Number host = prefix.length == 0 ? kMax : (Number{1} << (128 - prefix.length)) - 1;
        (prefix.is_v4() ? v4 : v6).push_back({first, first | host});
    }
    const AddressSet set6 = both(merged(std::move(v6)), all_v6());
    return either(merged(std::move(v4)), set6);
}

AddressSet AddressSet::all_v4() {
    return merged({{kMappedFirst, kMappedLast}});
}

AddressSet AddressSet::all_v6() {
    return merged({{0, kMappedFirst - 1}, {kMappedLast + 1, kMax}});
}

bool AddressSet::holds(const Address& address) const {
    const Number number = number_of(address);
    const auto after = std::ranges::upper_bound(ranges_, number, {}, &Range::first);
    return after != ranges_.begin() && number <= std::prev(after)->last;
}

bool AddressSet::holds_all(const AddressSet& other) const {
    return without(other, *this).is_empty();
}

std::vector<Prefix> AddressSet::prefixes() const {
    const AddressSet v6 = both(*this, all_v6());
    std::vector<Range> ranges = v6.ranges_;
    // All around IPv4's addresses is one prefix, as policies write it.
    for (std::size_t i = 0; i + 1 < ranges.size(); ++i) {
        if (ranges[i].last != kMappedFirst - 1 || ranges[i + 1].first != kMappedLast + 1) continue;
        ranges[i].last = ranges[i + 1].last;
        ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
    std::vector<Prefix> prefixes;
    for (const Range& range : ranges) split(range, prefixes);
    for (const Range& range : both(*this, all_v4()).ranges_) split(range, prefixes);
    return prefixes;
}

AddressSet either(const AddressSet& a, const AddressSet& b) {
    std::vector<Range> ranges = a.ranges_;
    ranges.insert(ranges.end(), b.ranges_.begin(), b.ranges_.end());
    return AddressSet::merged(std::move(ranges));
}

AddressSet both(const AddressSet& a, const AddressSet& b) {
    AddressSet set;
    for (auto x = a.ranges_.begin(), y = b.ranges_.begin();
         x != a.ranges_.end() && y != b.ranges_.end();) {
        const Number first = std::max(x->first, y->first);
        const Number last = std::min(x->last, y->last);
        if (first <= last) set.ranges_.push_back({first, last});
        x->last < y->last ? ++x : ++y;
    }
    return set;
}

AddressSet without(const AddressSet& a, const AddressSet& b) {
    AddressSet set;
    auto cut = b.ranges_.begin();
    for (Range range : a.ranges_) {
        while (cut != b.ranges_.end() && cut->last < range.first) ++cut;
        bool is_left = true;
        for (auto at = cut; is_left && at != b.ranges_.end() && at->first <= range.last; ++at) {
            if (at->first > range.first) set.ranges_.push_back({range.first, at->first - 1});
            is_left = at->last < range.last;
            if (is_left) range.first = at->last + 1;
        }
        if (is_left) set.ranges_.push_back(range);
    }
    return set;
}

} // namespace sallyport::audit
