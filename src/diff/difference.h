// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a change of policy means: which flows may open that might not before, and which may no
// more; which rules and settings changed. A value, for telling.
#include "audit/address_set.h"
#include "policy/policy.h"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::diff {

// A zone by its name, for telling; no answer needs it.
struct Zone {
    std::string name;
    PeerSet peers;
};

// Openings that one policy allows and the other does not: all with a source in `from`, a
// destination in `to`, and one each of the classes (of a Space).
struct Region {
    Direction direction = Direction::ingress;
    audit::AddressSet from; // everything for egress
    audit::AddressSet to;   // everything for ingress
    std::vector<std::size_t> services;
    std::vector<std::size_t> interfaces;
    std::vector<std::size_t> identities; // of egress
    // Rules' names (or "ping", or "not guarded"): by what the later policy decides so, and what
    // of the earlier one decided otherwise. Empty where no rule did.
    std::vector<std::string> by;
    std::vector<std::string> instead_of;
};

struct RuleChange {
    enum class Kind : unsigned char { added, removed, changed, renamed, moved };
    Kind kind = Kind::changed;
    std::string name;
    std::string was; // when renamed: its name before
    Direction direction = Direction::ingress;
    bool deny = false;
    std::vector<std::string> fields; // of one that changed, "limit: none, now 20/1m burst 20"
    // It allows or forbids something that the other policy does not; none: not compared.
    std::optional<bool> is_felt = false;
    bool touches_limit = false; // connections may count, or count no more, against some limit
};
[[nodiscard]] const char* to_string(RuleChange::Kind kind);

struct SettingChange {
    std::string key; // "host.mode"
    std::string before;
    std::string after;
    bool operator==(const SettingChange&) const = default;
};

struct Difference {
    std::vector<Region> allowed;   // newly
    std::vector<Region> forbidden; // newly
    std::vector<RuleChange> rules;
    std::vector<SettingChange> settings;
    bool egress_is_compared = true;          // false: rules tell processes apart in too many ways
    bool every_interface_is_compared = true; // false: globs tell names apart in too many ways
    Mode mode_before = Mode::enforce;        // openings are those of enforcing, whichever it is
    Mode mode_after = Mode::enforce;
    // Renamed rules alone are none.
    [[nodiscard]] bool is_any() const;
    // May anything pass, or be stopped, that was not? Not known is yes.
    [[nodiscard]] bool may_change_what_passes() const;
};

} // namespace sallyport::diff
