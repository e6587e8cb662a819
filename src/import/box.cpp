// SPDX-License-Identifier: Apache-2.0
#include "import/box.h"

#include <algorithm>

namespace sallyport::imported {

bool Box::is_empty() const {
    return std::ranges::any_of(sets, &RangeSet::is_empty);
}

bool Box::covers(const Box& other) const {
    for (std::size_t i = 0; i < kDims; ++i)
        if (!sets[i].covers(other.sets[i])) return false;
    return true;
}

bool Box::meets(const Box& other) const {
    for (std::size_t i = 0; i < kDims; ++i)
        if (!sets[i].meets(other.sets[i])) return false;
    return true;
}

Box Box::operator&(const Box& other) const {
    Box both;
    for (std::size_t i = 0; i < kDims; ++i) both.sets[i] = sets[i] & other.sets[i];
    return both;
}

std::vector<Box> Box::operator-(const Box& other) const {
    if (!meets(other)) return {*this};
    std::vector<Box> left;
    Box rest = *this;
    for (std::size_t i = 0; i < kDims; ++i) {
        Box piece = rest;
        piece.sets[i] = rest.sets[i] - other.sets[i];
        if (!piece.sets[i].is_empty()) left.push_back(std::move(piece));
        rest.sets[i] = rest.sets[i] & other.sets[i];
    }
    return left;
}

RangeSet all_of(Dim dim, Family family) {
    const Wide most = ~Wide{0};
    switch (dim) {
    case Dim::src:
    case Dim::dst:
        return {0, family == Family::v4 ? Wide{0xffffffff} : most};
    case Dim::in:
    case Dim::out:
        return RangeSet(0, most) - interface_named("lo", false);
    case Dim::service:
        return {0, 0xffffff};
    case Dim::sport:
        return {0, 65535};
    case Dim::state:
        return {0, 4};
    case Dim::flags:
        return {0, 63};
    case Dim::kind:
        return {0, 3};
    case Dim::user:
        return {0, kNoUser + 65535};
    }
    return {};
}

Box everything(Family family) {
    Box box;
    for (std::size_t i = 0; i < kDims; ++i) box.sets[i] = all_of(static_cast<Dim>(i), family);
    return box;
}

RangeSet states(std::initializer_list<State> list) {
    std::vector<Range> ranges;
    for (const State state : list)
        ranges.push_back({static_cast<Wide>(state), static_cast<Wide>(state)});
    return RangeSet(std::move(ranges));
}

RangeSet ports_of(std::uint8_t proto, Wide low, Wide high) {
    const Wide base = Wide{proto} << 16;
    return {base | low, base | high};
}

bool has_ports(std::uint8_t proto) {
    return proto == kTcp || proto == kUdp || proto == kSctp || proto == kUdpLite;
}

RangeSet interface_named(const std::string& name, bool is_prefix) {
    if (name.size() > 15) return {};
    Wide low = 0;
    for (std::size_t i = 0; i < 16; ++i)
        low = low << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0u);
    if (!is_prefix) return {low, low};
    if (name.empty()) return {0, ~Wide{0}};
    const unsigned bits = 8 * (16 - static_cast<unsigned>(name.size()));
    return {low, low | ((Wide{1} << bits) - 1)};
}

} // namespace sallyport::imported
