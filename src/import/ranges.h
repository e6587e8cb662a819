// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sets of numbers as ranges. Addresses, ports, names of interfaces and users are
// all numbers here, so that what two rules have in common is one operation.
#include <memory>
#include <span>
#include <vector>

namespace sallyport::imported {

__extension__ typedef unsigned __int128 Wide;

struct Range {
    Wide low = 0;
    Wide high = 0; // within
    bool operator==(const Range&) const = default;
};

// A value; copies share their ranges, which are in order, apart and not adjacent.
class RangeSet {
  public:
    RangeSet() = default; // empty
    RangeSet(Wide low, Wide high) : RangeSet(std::vector<Range>{{low, high}}) {}
    explicit RangeSet(std::vector<Range> ranges); // in any order, overlapping or not

    [[nodiscard]] std::span<const Range> ranges() const;
    [[nodiscard]] bool is_empty() const { return ranges().empty(); }
    [[nodiscard]] bool covers(const RangeSet& other) const;
    [[nodiscard]] bool meets(const RangeSet& other) const;
    [[nodiscard]] bool operator==(const RangeSet& other) const;

    [[nodiscard]] RangeSet operator&(const RangeSet& other) const;
    [[nodiscard]] RangeSet operator|(const RangeSet& other) const;
    [[nodiscard]] RangeSet operator-(const RangeSet& other) const;

  private:
    std::shared_ptr<const std::vector<Range>> ranges_;
};

} // namespace sallyport::imported
