// SPDX-License-Identifier: Apache-2.0
// A list of a million prefixes is hashed once; after that its pointer is enough.
#include "compile/peers.h"

#include "base/result.h"

#include <algorithm>
#include <cstring>

namespace sallyport {

namespace {

std::uint64_t hash_of(const std::vector<Prefix>& list) {
    std::uint64_t hash = list.size();
    for (const Prefix& prefix : list) {
        std::uint64_t halves[2];
        std::memcpy(halves, prefix.base.bytes.data(), sizeof halves);
        hash = (hash ^ halves[0]) * 0x9e3779b97f4a7c15u;
        hash = (hash ^ hash >> 32 ^ halves[1]) * 0xd6e8feb86659fd93u;
        hash = (hash ^ hash >> 32 ^ prefix.length) * 0x9e3779b97f4a7c15u;
    }
    return hash;
}

} // namespace

PeerRefs Peers::add(const PeerSet& peers, GlobSets& globs) {
    PeerRefs refs;
    for (const PeerPart& part : peers.parts) {
        std::vector<std::uint32_t> lists;
        for (const PrefixList& except : part.except) lists.push_back(list_number(except));
        std::ranges::sort(lists);
        lists.erase(std::ranges::unique(lists).begin(), lists.end());
        lists.insert(lists.begin(), list_number(part.networks));
        refs.push_back({.atom = atoms_.id_of(lists), .globs = globs.add(part.interfaces)});
    }
    return refs;
}

std::uint32_t Peers::list_number(const PrefixList& list) {
    SP_CHECK(list != nullptr);
    if (const auto known = by_pointer_.find(list.get()); known != by_pointer_.end())
        return known->second;
    const std::uint64_t hash = hash_of(*list);
    const auto [first, last] = by_content_.equal_range(hash);
    const auto equal = std::find_if(
        first, last, [&](const auto& entry) { return *lists_[entry.second] == *list; });
    std::uint32_t number = static_cast<std::uint32_t>(lists_.size());
    if (equal != last) {
        number = equal->second;
    } else {
        lists_.push_back(list);
        by_content_.emplace(hash, number);
    }
    by_pointer_.emplace(list.get(), number);
    kept_.push_back(list);
    return number;
}

} // namespace sallyport
