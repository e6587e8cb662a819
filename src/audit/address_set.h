// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sets of addresses as sorted ranges: what a policy's lists make of "who may", exactly and
// without asking about addresses one by one. Both families live in one line of 128 bits, the
// mapped addresses (::ffff:0:0/96) being IPv4's; a prefix of the other family has none of them.
#include "base/ip.h"

#include <span>
#include <vector>

namespace sallyport::audit {

__extension__ using Number = unsigned __int128;

struct Range {
    Number first = 0;
    Number last = 0; // inclusive
    bool operator==(const Range&) const = default;
};

class AddressSet {
  public:
    AddressSet() = default;
    [[nodiscard]] static AddressSet of(std::span<const Prefix> prefixes);
    [[nodiscard]] static AddressSet all_v4();
    [[nodiscard]] static AddressSet all_v6(); // but for IPv4's

    [[nodiscard]] bool is_empty() const { return ranges_.empty(); }
    [[nodiscard]] bool holds(const Address& address) const;
    [[nodiscard]] bool holds_all(const AddressSet& other) const;
    // Sorted, IPv4 last as its mapped addresses are.
    [[nodiscard]] std::vector<Prefix> prefixes() const;
    bool operator==(const AddressSet&) const = default;

    friend AddressSet either(const AddressSet& a, const AddressSet& b);
    friend AddressSet both(const AddressSet& a, const AddressSet& b);
    friend AddressSet without(const AddressSet& a, const AddressSet& b);

  private:
    [[nodiscard]] static AddressSet merged(std::vector<Range> ranges);
    std::vector<Range> ranges_; // sorted, disjoint, not adjacent
};

[[nodiscard]] AddressSet either(const AddressSet& a, const AddressSet& b);
[[nodiscard]] AddressSet both(const AddressSet& a, const AddressSet& b);
[[nodiscard]] AddressSet without(const AddressSet& a, const AddressSet& b); // a, but not b

} // namespace sallyport::audit
