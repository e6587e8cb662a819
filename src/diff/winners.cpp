// SPDX-License-Identifier: Apache-2.0
// The order is the evaluator's: the longer prefix of the near end, then of the far one, a named
// protocol, the narrower range, an identity, the place in the file.
#include "diff/winners.h"

#include "diff/content.h"
#include "diff/standing.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace sallyport::diff {
namespace {

struct Place {
    SetId near = Sets::kEmpty;
    SetId far = Sets::kAll;
};

bool is_same(const PeerSet& a, const PeerSet& b) {
    const auto same_list = [](const PrefixList& x, const PrefixList& y) {
        return x == y || *x == *y;
    };
    return std::ranges::equal(a.parts, b.parts, [&](const PeerPart& x, const PeerPart& y) {
        return same_list(x.networks, y.networks) && x.interfaces == y.interfaces &&
               std::ranges::equal(x.except, y.except, same_list);
    });
}

bool is_written_alike(const Rule& a, const Rule& b) {
    return is_same(a.from, b.from) && is_same(a.to, b.to) && a.services == b.services &&
           a.interfaces == b.interfaces && a.identity == b.identity;
}

// What decides where prefixes do not, in a cell that the rule holds; the place is not in it.
std::tuple<bool, unsigned, bool> rest_of(const Rule& rule, const ServiceCell& cell) {
    unsigned width = rule.services.any_protocol ? 0 : 65535;
    for (const ServiceRange& range : rule.services.ranges)
        if (cell.proto == range.proto && range.low <= cell.low && cell.high <= range.high)
            width = std::min(width, static_cast<unsigned>(range.high - range.low));
    return {!rule.services.any_protocol, 65535 - width, !rule.identity.is_none()};
}

class Finder {
  public:
    Finder(const std::vector<RulePair>& rules, const Space& space, Sets& sets, Contents& contents)
        : space_(space), sets_(sets), standings_(space, sets), contents_(contents) {
        for (const RulePair& one : rules) {
            const Rule& was = rule(Side::before, one);
            const Rule& is = rule(Side::after, one);
            if (was.deny || is.deny || was.direction != is.direction) continue;
            rules_.push_back({.pair = one, .is_kept = is_written_alike(was, is)});
        }
        std::ranges::sort(rules_, {}, [](const Known& one) { return one.pair.first; });
    }

    std::vector<Overtaken> find() {
        if (is_all_as_it_was()) return {};
        for (const ServiceCell& cell : space_.services()) {
            std::vector<const Known*> here;
            for (const Known& one : rules_)
                if (holds(rule(Side::before, one.pair).services, cell, false) &&
                    holds(rule(Side::after, one.pair).services, cell, false))
                    here.push_back(&one);
            for (const Known* a : here)
                for (const Known* b : here)
                    if (may_overtake(*a, *b)) look(*a, *b, cell);
        }
        return std::move(found_);
    }

  private:
    struct Known {
        RulePair pair;
        bool is_kept = false; // written as before
    };

    [[nodiscard]] const Rule& rule(Side side, const RulePair& pair) const {
        return space_.policy(side).rules[side == Side::before ? pair.first : pair.second];
    }

    [[nodiscard]] bool is_all_as_it_was() const {
        return std::ranges::all_of(rules_, &Known::is_kept) &&
               std::ranges::is_sorted(rules_, {}, [](const Known& one) { return one.pair.second; });
    }

    bool may_overtake(const Known& a, const Known& b) {
        const bool is_turned = a.pair.first < b.pair.first && a.pair.second > b.pair.second;
        if (&a == &b || (a.is_kept && b.is_kept && !is_turned)) return false;
        return rule(Side::before, a.pair).direction == rule(Side::before, b.pair).direction &&
               (is_felt(Side::before, a, b) || is_felt(Side::after, a, b));
    }

    // Two limits are two, however alike: what else each of them counts may differ.
    bool is_felt(Side side, const Known& a, const Known& b) {
        const Rule& one = rule(side, a.pair);
        const Rule& other = rule(side, b.pair);
        if (one.limit != other.limit || one.log_new != other.log_new) return true;
        return one.limit && contents_.of(one) != contents_.of(other);
    }

    void look(const Known& a, const Known& b, const ServiceCell& cell) {
        const bool was = is_first(Side::before, a, b, cell);
        const bool is = is_first(Side::after, b, a, cell);
        if (!looked_.emplace(a.pair.first, b.pair.first, was, is).second) return;
        const Overtaken one{.loser = a.pair, .winner = b.pair};
        if (std::ranges::find(found_, one) != found_.end() || !is_somebody(a, b)) return;
        const bool is_out = rule(Side::before, a.pair).direction == Direction::egress;
        for (std::size_t i = 0; i < space_.interfaces().count() + (is_out ? 1 : 0); ++i) {
            const Interface interface =
                i < space_.interfaces().count() ? Interface(i) : std::nullopt;
            if (!do_meet(won(Side::before, a, b, interface, was),
                         won(Side::after, b, a, interface, is)))
                continue;
            found_.push_back(one);
            return;
        }
    }

    // Where prefixes are as long.
    [[nodiscard]] bool is_first(Side side, const Known& a, const Known& b,
                                const ServiceCell& cell) const {
        const auto mine = rest_of(rule(side, a.pair), cell);
        const auto other = rest_of(rule(side, b.pair), cell);
        const bool is_before =
            side == Side::before ? a.pair.first < b.pair.first : a.pair.second < b.pair.second;
        return mine > other || (mine == other && is_before);
    }

    [[nodiscard]] bool is_somebody(const Known& a, const Known& b) const {
        const IdentityClasses& all = space_.identities();
        if (rule(Side::before, a.pair).direction != Direction::egress || all.is_too_many())
            return true;
        for (std::size_t i = 0; i < all.count(); ++i) {
            bool is_for_all = true;
            for (const Side side : {Side::before, Side::after})
                for (const Known* one : {&a, &b})
                    is_for_all =
                        is_for_all && (rule(side, one->pair).identity.is_none() ||
                                       all.is_for(i, side, rule(side, one->pair).identity));
            if (is_for_all) return true;
        }
        return false;
    }

    // Where both match and `a` decides.
    std::vector<Place> won(Side side, const Known& a, const Known& b, Interface interface,
                           bool is_first_of_equals) {
        const Rule& mine = rule(side, a.pair);
        const Rule& other = rule(side, b.pair);
        for (const Rule* one : {&mine, &other})
            if (!one->interfaces.empty() &&
                !(interface && space_.interfaces().is_matched(*interface, one->interfaces)))
                return {};
        const bool is_out = mine.direction == Direction::egress;
        const Standing near = is_out ? standings_.of(mine.to, other.to, interface)
                                     : standings_.of(mine.from, other.from, interface);
        if (mine.direction != Direction::forward)
            return {{.near = is_first_of_equals ? sets_.either(near.more, near.equal) : near.more}};
        const Standing far = standings_.of(mine.to, other.to, std::nullopt);
        const SetId anywhere = sets_.either(sets_.either(far.more, far.equal), far.less);
        return {{.near = near.more, .far = anywhere},
                {.near = near.equal,
                 .far = is_first_of_equals ? sets_.either(far.more, far.equal) : far.more}};
    }

    bool do_meet(const std::vector<Place>& before, const std::vector<Place>& after) {
        for (const Place& was : before)
            for (const Place& is : after)
                if (sets_.meet(was.near, is.near) && sets_.meet(was.far, is.far)) return true;
        return false;
    }

    const Space& space_;
    Sets& sets_;
    Standings standings_;
    Contents& contents_;
    std::vector<Known> rules_; // allow rules, in the earlier order
    std::set<std::tuple<std::size_t, std::size_t, bool, bool>> looked_;
    std::vector<Overtaken> found_;
};

bool may_meet(const Content& a, const Content& b, Sets& sets) {
    bool is_one_service = false;
    for (std::size_t i = 0; i < a.services.size(); ++i)
        is_one_service = is_one_service || (a.services[i] && b.services[i]);
    const auto do_meet = [&](const std::vector<SetId>& x, const std::vector<SetId>& y) {
        return std::ranges::any_of(x, [&](SetId one) {
            return std::ranges::any_of(y, [&](SetId other) { return sets.meet(one, other); });
        });
    };
    return is_one_service && do_meet(a.from, b.from);
}

} // namespace

std::vector<Overtaken> find_overtaken(const std::vector<RulePair>& rules, const Space& space,
                                      Sets& sets, Contents& contents) {
    return Finder(rules, space, sets, contents).find();
}

// Limits are of rules for the way in.
bool touches_limit(Side side, std::size_t rule, const Space& space, Sets& sets,
                   Contents& contents) {
    const std::vector<Rule>& rules = space.policy(side).rules;
    if (rules[rule].deny || rules[rule].direction != Direction::ingress) return false;
    if (rules[rule].limit) return true;
    const Content& its = contents.of(rules[rule]);
    return std::ranges::any_of(rules, [&](const Rule& other) {
        return other.limit && !other.deny && other.direction == Direction::ingress &&
               may_meet(its, contents.of(other), sets);
    });
}

} // namespace sallyport::diff
