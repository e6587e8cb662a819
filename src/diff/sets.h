// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sets of addresses by number: equal sets have one, and what was worked out of them once is
// known. A list of a policy may hold a million prefixes, and hundreds of rules name it.
#include "audit/address_set.h"
#include "diff/interfaces.h"
#include "policy/peers.h"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace sallyport::diff {

using audit::AddressSet;
using SetId = std::size_t;

class Sets {
  public:
    static constexpr SetId kEmpty = 0;
    static constexpr SetId kAll = 1;

    // Must outlive this, as must all peers that are given.
    explicit Sets(const InterfaceClasses& interfaces);

    [[nodiscard]] const AddressSet& operator[](SetId id) const { return *sets_[id]; }
    [[nodiscard]] SetId id_of(AddressSet set);
    // Of the peers on interfaces of that class; none: on an interface that is not known.
    [[nodiscard]] SetId id_of(const PeerSet& peers, std::optional<std::size_t> interfaces);
    [[nodiscard]] SetId either(SetId a, SetId b);
    [[nodiscard]] SetId both(SetId a, SetId b);
    [[nodiscard]] SetId without(SetId a, SetId b);
    [[nodiscard]] bool meet(SetId a, SetId b) { return both(a, b) != kEmpty; }

  private:
    enum class Operation : unsigned char { either, both, without };
    [[nodiscard]] const AddressSet& set_of(const PrefixList& list);
    [[nodiscard]] SetId work_out(Operation operation, SetId a, SetId b);

    const InterfaceClasses& interfaces_;
    std::vector<std::unique_ptr<const AddressSet>> sets_;
    std::map<PrefixList, AddressSet> lists_;
    std::map<std::pair<const PeerSet*, std::size_t>, SetId> peers_;
    std::map<std::tuple<Operation, SetId, SetId>, SetId> known_;
};

} // namespace sallyport::diff
