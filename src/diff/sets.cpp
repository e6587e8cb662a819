// SPDX-License-Identifier: Apache-2.0
#include "diff/sets.h"

#include <algorithm>

namespace sallyport::diff {

Sets::Sets(const InterfaceClasses& interfaces) : interfaces_(interfaces) {
    sets_.push_back(std::make_unique<const AddressSet>());
    sets_.push_back(std::make_unique<const AddressSet>(
        audit::either(AddressSet::all_v4(), AddressSet::all_v6())));
}

SetId Sets::id_of(AddressSet set) {
    const auto at = std::ranges::find_if(sets_, [&](const auto& known) { return *known == set; });
    if (at != sets_.end()) return static_cast<SetId>(at - sets_.begin());
    sets_.push_back(std::make_unique<const AddressSet>(std::move(set)));
    return sets_.size() - 1;
}

const AddressSet& Sets::set_of(const PrefixList& list) {
    const auto at = lists_.find(list);
    return at != lists_.end() ? at->second
                              : lists_.emplace(list, AddressSet::of(*list)).first->second;
}

SetId Sets::id_of(const PeerSet& peers, std::optional<std::size_t> interfaces) {
    const std::pair key{&peers, interfaces.value_or(interfaces_.count())};
    if (const auto at = peers_.find(key); at != peers_.end()) return at->second;
    AddressSet sum;
    for (const PeerPart& part : peers.parts) {
        if (!part.interfaces.empty() &&
            !(interfaces && interfaces_.is_matched(*interfaces, part.interfaces)))
            continue;
        AddressSet its = set_of(part.networks);
        for (const PrefixList& except : part.except) its = audit::without(its, set_of(except));
        sum = audit::either(sum, its);
    }
    return peers_[key] = id_of(std::move(sum));
}

SetId Sets::work_out(Operation operation, SetId a, SetId b) {
    const std::tuple key{operation, a, b};
    if (const auto at = known_.find(key); at != known_.end()) return at->second;
    AddressSet set;
    switch (operation) {
    case Operation::either:
        set = audit::either(*sets_[a], *sets_[b]);
        break;
    case Operation::both:
        set = audit::both(*sets_[a], *sets_[b]);
        break;
    case Operation::without:
        set = audit::without(*sets_[a], *sets_[b]);
        break;
    }
    return known_[key] = id_of(std::move(set));
}

SetId Sets::either(SetId a, SetId b) {
    if (a == b || b == kEmpty) return a;
    if (a == kEmpty) return b;
    return work_out(Operation::either, std::min(a, b), std::max(a, b));
}

SetId Sets::both(SetId a, SetId b) {
    if (a == b || b == kAll) return a;
    if (a == kAll) return b;
    if (a == kEmpty || b == kEmpty) return kEmpty;
    return work_out(Operation::both, std::min(a, b), std::max(a, b));
}

SetId Sets::without(SetId a, SetId b) {
    if (a == b || a == kEmpty) return kEmpty;
    if (b == kEmpty) return a;
    return work_out(Operation::without, a, b);
}

} // namespace sallyport::diff
