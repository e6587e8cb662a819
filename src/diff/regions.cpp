// SPDX-License-Identifier: Apache-2.0
// Allowed is what an allow rule holds and no deny rule does, a ping that [essentials] admits
// before any rule, and all that comes in where nothing is guarded. Of two ends (forward) the
// sources are cut into pieces that no rule cuts further; the rest is about one end.
#include "diff/regions.h"

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

namespace sallyport::diff {
namespace {

constexpr std::size_t kPing = SIZE_MAX; // in place of a rule
constexpr std::size_t kUnguarded = SIZE_MAX - 1;

// What a rule says in a class: with a peer of `outer` about peers of `inner`.
struct Term {
    SetId outer = Sets::kAll;
    SetId inner = Sets::kAll;
    std::size_t rule = 0;
};

// A policy in a class.
struct Sided {
    std::vector<Term> allow;
    std::vector<Term> deny;
    SetId ping = Sets::kEmpty;
    bool is_unguarded = false;

    // The same of two policies: the same is allowed.
    using Meaning = std::tuple<std::set<std::pair<SetId, SetId>>, std::set<std::pair<SetId, SetId>>,
                               SetId, bool>;
    [[nodiscard]] Meaning meaning() const {
        Meaning its{{}, {}, ping, is_unguarded};
        for (const Term& term : allow) std::get<0>(its).emplace(term.outer, term.inner);
        for (const Term& term : deny) std::get<1>(its).emplace(term.outer, term.inner);
        return its;
    }
};

using Classes = std::vector<std::size_t>;
// Why: rules of the later policy, rules of the earlier one.
using Causes = std::pair<std::set<std::size_t>, std::set<std::size_t>>;

struct Found {
    SetId outer = 0;
    SetId inner = 0;
    Causes causes;
    auto operator<=>(const Found&) const = default;
};
using Cells = std::map<std::pair<std::size_t, std::size_t>, Classes>; // interface, identity

class Finder {
  public:
    Finder(const Space& space, Sets& sets) : space_(space), sets_(sets) {}

    void look(Direction direction) {
        direction_ = direction;
        identities_ = direction == Direction::egress ? space_.identities().count() : 1;
        for (cell_ = 0; cell_ < space_.services().size(); ++cell_) {
            for (const Side side : {Side::before, Side::after}) take_rules(side);
            for (interface_ = 0; interface_ < space_.interfaces().count(); ++interface_)
                for (identity_ = 0; identity_ < identities_; ++identity_) look_at_class();
        }
        tell(allowed_, regions.allowed);
        tell(forbidden_, regions.forbidden);
    }

    Regions regions;

  private:
    void take_rules(Side side) {
        std::vector<std::size_t>& taken = taken_[static_cast<std::size_t>(side)];
        taken.clear();
        const std::vector<Rule>& rules = space_.policy(side).rules;
        for (std::size_t i = 0; i < rules.size(); ++i)
            if (rules[i].direction == direction_ &&
                holds(rules[i].services, space_.services()[cell_], rules[i].deny))
                taken.push_back(i);
    }

    [[nodiscard]] Term term_of(const Rule& rule, std::size_t number) const {
        switch (direction_) {
        case Direction::ingress:
            return {.inner = sets_.id_of(rule.from, interface_), .rule = number};
        case Direction::egress:
            return {.inner = sets_.id_of(rule.to, interface_), .rule = number};
        case Direction::forward: // the interface that it leaves by is not known
            return {.outer = sets_.id_of(rule.from, interface_),
                    .inner = sets_.id_of(rule.to, std::nullopt),
                    .rule = number};
        }
        return {};
    }

    [[nodiscard]] Sided sided(Side side) const {
        Sided its;
        const Policy& policy = space_.policy(side);
        if (direction_ == Direction::ingress) {
            its.is_unguarded = !space_.interfaces().is_matched(interface_, policy.host.interfaces);
            if (is_echo_request(space_.services()[cell_]))
                its.ping = sets_.id_of(policy.essentials.ping, interface_);
        }
        for (const std::size_t i : taken_[static_cast<std::size_t>(side)]) {
            const Rule& rule = policy.rules[i];
            if (!rule.interfaces.empty() &&
                !space_.interfaces().is_matched(interface_, rule.interfaces))
                continue;
            if (direction_ == Direction::egress && !rule.identity.is_none() &&
                !space_.identities().is_for(identity_, side, rule.identity))
                continue;
            const Term term = term_of(rule, i);
            if (term.outer == Sets::kEmpty || term.inner == Sets::kEmpty) continue;
            (rule.deny ? its.deny : its.allow).push_back(term);
        }
        return its;
    }

    // The pieces of the other end that no term cuts.
    const std::vector<SetId>& pieces(const Sided& a, const Sided& b) {
        std::set<SetId> cuts;
        for (const Sided* sided : {&a, &b})
            for (const std::vector<Term>* terms : {&sided->allow, &sided->deny})
                for (const Term& term : *terms) cuts.insert(term.outer);
        const auto known = pieces_.find(cuts);
        if (known != pieces_.end()) return known->second;
        std::vector<SetId> found{Sets::kAll};
        for (const SetId cut : cuts) {
            std::vector<SetId> finer;
            for (const SetId piece : found)
                for (const SetId part : {sets_.both(piece, cut), sets_.without(piece, cut)})
                    if (part != Sets::kEmpty) finer.push_back(part);
            found = std::move(finer);
        }
        return pieces_[cuts] = std::move(found);
    }

    SetId sum(const std::vector<Term>& terms, SetId piece) {
        SetId all = Sets::kEmpty;
        for (const Term& term : terms)
            if (sets_.meet(term.outer, piece)) all = sets_.either(all, term.inner);
        return all;
    }

    SetId allowed_by(const Sided& sided, SetId piece) {
        if (sided.is_unguarded) return Sets::kAll;
        const SetId by_rules = sets_.without(sum(sided.allow, piece), sum(sided.deny, piece));
        return sets_.either(by_rules, sided.ping);
    }

    void add_causes(const std::vector<Term>& terms, SetId piece, SetId set,
                    std::set<std::size_t>& causes) {
        for (const Term& term : terms)
            if (sets_.meet(term.outer, piece) && sets_.meet(term.inner, set))
                causes.insert(term.rule);
    }

    // What lets it open.
    std::set<std::size_t> openers(const Sided& sided, SetId piece, SetId set) {
        if (sided.is_unguarded) return {kUnguarded};
        std::set<std::size_t> causes;
        add_causes(sided.allow, piece, set, causes);
        if (sets_.meet(sided.ping, set)) causes.insert(kPing);
        return causes;
    }
    std::set<std::size_t> deniers(const Sided& sided, SetId piece, SetId set) {
        std::set<std::size_t> causes;
        if (!sided.is_unguarded) add_causes(sided.deny, piece, set, causes);
        return causes;
    }

    void look_at_class() {
        const Sided before = sided(Side::before);
        const Sided after = sided(Side::after);
        if (before.meaning() == after.meaning()) return;
        for (const SetId piece : pieces(before, after)) {
            const SetId was = allowed_by(before, piece);
            const SetId is = allowed_by(after, piece);
            if (const SetId more = sets_.without(is, was); more != Sets::kEmpty)
                note(allowed_,
                     {.outer = piece,
                      .inner = more,
                      .causes = {openers(after, piece, more), deniers(before, piece, more)}});
            if (const SetId less = sets_.without(was, is); less != Sets::kEmpty)
                note(forbidden_,
                     {.outer = piece,
                      .inner = less,
                      .causes = {deniers(after, piece, less), openers(before, piece, less)}});
        }
    }

    void note(std::map<Found, Cells>& found, Found one) {
        found[std::move(one)][{interface_, identity_}].push_back(cell_);
    }

    [[nodiscard]] std::vector<std::string> names(Side side,
                                                 const std::set<std::size_t>& causes) const {
        std::vector<std::string> texts;
        for (const std::size_t cause : causes)
            if (cause == kPing)
                texts.emplace_back("[essentials] ping");
            else if (cause == kUnguarded)
                texts.emplace_back("[host] interfaces");
            else
                texts.push_back(space_.policy(side).rules[cause].name);
        return texts;
    }

    // Cells that differ in one thing alone become one: by service, process, interface, source.
    void tell(std::map<Found, Cells>& found, std::vector<Region>& regions_told) {
        std::map<std::tuple<Causes, SetId, Classes, Classes, Classes>, SetId> whole;
        for (const auto& [one, cells] : found) {
            std::map<std::pair<std::size_t, Classes>, Classes> by_interface;
            for (const auto& [where, services] : cells)
                by_interface[{where.first, services}].push_back(where.second);
            std::map<std::pair<Classes, Classes>, Classes> by_all;
            for (const auto& [where, identities] : by_interface)
                by_all[{where.second, identities}].push_back(where.first);
            for (const auto& [what, interfaces] : by_all) {
                SetId& outer = whole[{one.causes, one.inner, what.first, what.second, interfaces}];
                outer = sets_.either(outer, one.outer);
            }
        }
        for (const auto& [key, outer] : whole) {
            const auto& [causes, inner, services, identities, interfaces] = key;
            const bool is_in = direction_ == Direction::ingress;
            regions_told.push_back({.direction = direction_,
                                    .from = sets_[is_in ? inner : outer],
                                    .to = sets_[is_in ? outer : inner],
                                    .services = services,
                                    .interfaces = interfaces,
                                    .identities = identities,
                                    .by = names(Side::after, causes.first),
                                    .instead_of = names(Side::before, causes.second)});
            regions.felt_after.insert(causes.first.begin(), causes.first.end());
            regions.felt_before.insert(causes.second.begin(), causes.second.end());
        }
        found.clear();
    }

    const Space& space_;
    Sets& sets_;
    Direction direction_ = Direction::ingress;
    std::size_t identities_ = 1;
    std::size_t cell_ = 0;
    std::size_t interface_ = 0;
    std::size_t identity_ = 0;
    std::array<std::vector<std::size_t>, 2> taken_;
    std::map<std::set<SetId>, std::vector<SetId>> pieces_;
    std::map<Found, Cells> allowed_;
    std::map<Found, Cells> forbidden_;
};

} // namespace

Regions find_regions(const Space& space, Sets& sets) {
    Finder finder(space, sets);
    for (const Direction direction : {Direction::ingress, Direction::egress, Direction::forward})
        finder.look(direction);
    return std::move(finder.regions);
}

} // namespace sallyport::diff
