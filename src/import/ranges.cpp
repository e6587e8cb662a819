// SPDX-License-Identifier: Apache-2.0
#include "import/ranges.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

std::vector<Range> tidy(std::vector<Range> ranges) {
    std::ranges::sort(ranges, {}, &Range::low);
    std::vector<Range> kept;
    for (const Range& range : ranges) {
        if (range.low > range.high) continue;
        if (!kept.empty() && (range.low <= kept.back().high || range.low - 1 == kept.back().high))
            kept.back().high = std::max(kept.back().high, range.high);
        else
            kept.push_back(range);
    }
    return kept;
}

} // namespace

RangeSet::RangeSet(std::vector<Range> ranges)
    : ranges_(std::make_shared<const std::vector<Range>>(tidy(std::move(ranges)))) {}

std::span<const Range> RangeSet::ranges() const {
    return ranges_ ? std::span<const Range>(*ranges_) : std::span<const Range>();
}

bool RangeSet::operator==(const RangeSet& other) const {
    return ranges_ == other.ranges_ || std::ranges::equal(ranges(), other.ranges());
}

bool RangeSet::covers(const RangeSet& other) const {
    if (ranges_ == other.ranges_) return true;
    auto mine = ranges().begin();
    for (const Range& range : other.ranges()) {
        while (mine != ranges().end() && mine->high < range.low) ++mine;
        if (mine == ranges().end() || mine->low > range.low || mine->high < range.high)
            return false;
    }
    return true;
}

bool RangeSet::meets(const RangeSet& other) const {
    auto mine = ranges().begin();
    auto its = other.ranges().begin();
    while (mine != ranges().end() && its != other.ranges().end()) {
        if (mine->low <= its->high && its->low <= mine->high) return true;
        if (mine->high < its->high)
            ++mine;
        else
            ++its;
    }
    return false;
}

RangeSet RangeSet::operator&(const RangeSet& other) const {
    if (covers(other)) return other;
    if (other.covers(*this)) return *this;
    std::vector<Range> both;
    auto mine = ranges().begin();
    auto its = other.ranges().begin();
    while (mine != ranges().end() && its != other.ranges().end()) {
        const Range common{std::max(mine->low, its->low), std::min(mine->high, its->high)};
        if (common.low <= common.high) both.push_back(common);
        if (mine->high < its->high)
            ++mine;
        else
            ++its;
    }
    return RangeSet(std::move(both));
}

RangeSet RangeSet::operator|(const RangeSet& other) const {
    std::vector<Range> all(ranges().begin(), ranges().end());
    all.insert(all.end(), other.ranges().begin(), other.ranges().end());
    return RangeSet(std::move(all));
}

RangeSet RangeSet::operator-(const RangeSet& other) const {
    if (!meets(other)) return *this;
    std::vector<Range> left;
    auto its = other.ranges().begin();
    for (const Range& range : ranges()) {
        Wide at = range.low;
        bool is_over = false;
        while (its != other.ranges().end() && its->high < range.low) ++its;
        for (auto cut = its; cut != other.ranges().end() && cut->low <= range.high; ++cut) {
            if (cut->low > at) left.push_back({at, cut->low - 1});
            if (cut->high >= range.high) {
                is_over = true;
                break;
            }
            at = std::max(at, cut->high + 1);
        }
        if (!is_over) left.push_back({at, range.high});
    }
    return RangeSet(std::move(left));
}

} // namespace sallyport::imported
