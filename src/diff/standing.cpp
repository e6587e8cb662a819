// SPDX-License-Identifier: Apache-2.0
#include "diff/standing.h"

#include <functional>

namespace sallyport::diff {

const Standings::Lengths& Standings::lengths_of(const PeerSet& peers, Interface interface) {
    const std::pair key{&peers, interface};
    if (const auto at = lengths_.find(key); at != lengths_.end()) return at->second;
    std::map<unsigned, SetId, std::greater<>> held;
    for (const PeerPart& part : peers.parts) {
        if (!part.interfaces.empty() &&
            !(interface && space_.interfaces().is_matched(*interface, part.interfaces)))
            continue;
        SetId spared = Sets::kEmpty;
        for (const PrefixList& except : part.except)
            spared = sets_.either(spared, sets_.id_of(AddressSet::of(*except)));
        std::map<unsigned, std::vector<Prefix>> by_length;
        for (const Prefix& prefix : *part.networks)
            by_length[prefix.family_length()].push_back(prefix);
        for (const auto& [length, prefixes] : by_length) {
            SetId& sum = held.try_emplace(length, Sets::kEmpty).first->second;
            const SetId its = sets_.id_of(AddressSet::of(prefixes));
            sum = sets_.either(sum, sets_.without(its, spared));
        }
    }
    Lengths found;
    SetId longer = Sets::kEmpty;
    for (const auto& [length, set] : held) {
        found.emplace_back(length, sets_.without(set, longer));
        longer = sets_.either(longer, set);
    }
    return lengths_[key] = std::move(found);
}

const Standing& Standings::of(const PeerSet& a, const PeerSet& b, Interface interface) {
    const std::tuple key{&a, &b, interface};
    if (const auto at = standings_.find(key); at != standings_.end()) return at->second;
    Standing its;
    for (const auto& [length, mine] : lengths_of(a, interface))
        for (const auto& [other, theirs] : lengths_of(b, interface)) {
            SetId& sum = length > other ? its.more : length == other ? its.equal : its.less;
            sum = sets_.either(sum, sets_.both(mine, theirs));
        }
    return standings_[key] = its;
}

} // namespace sallyport::diff
