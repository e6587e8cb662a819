// SPDX-License-Identifier: Apache-2.0
// The automaton is made by walking: a state is where the path stands in the
// tree of named paths, whether a unit would still be believed there, and which
// selectors hold already (a selector that holds, holds for all below). Every
// name that the policy knows is tried in every state; those that lead
// elsewhere than a stranger's name would are steps.
#include "compile/identity.h"

#include "compile/cgroup_paths.h"

#include <algorithm>
#include <set>

namespace sallyport {

namespace {

constexpr std::uint32_t kStatesMax = 1u << 16;
constexpr std::size_t kStepsMax = 1u << 18;

enum class Trust : std::uint32_t {
    before, // still on the way to [host] cgroup
    slices, // at or below it, and only slices since
    none,   // elsewhere, or below something that is no slice: a user may have named it
};

struct State {
    std::uint32_t node = 0;
    Trust trust = Trust::none;
    std::vector<std::uint32_t> held; // selectors, ascending
};

bool is_slice(const std::string& name) {
    return name.ends_with(".slice");
}

void hold(std::vector<std::uint32_t>& held, std::uint32_t selector) {
    const auto at = std::ranges::lower_bound(held, selector);
    if (at == held.end() || *at != selector) held.insert(at, selector);
}

class Automaton {
  public:
    Automaton(const IdentityClasses& names, const PathTree& tree) : names_(names), tree_(tree) {}

    Status build(IdentityClasses& into) {
        State root{
            .node = 0, .trust = tree_.host() == 0 ? Trust::slices : Trust::before, .held = {}};
        for (const std::uint32_t selector : tree_.at(0).selectors) hold(root.held, selector);
        number(std::move(root));
        for (std::uint32_t at = 0; at < states_.size(); ++at) {
            const std::uint32_t other = number(after_stranger(states_[at], Trust::none));
            const std::uint32_t other_slice = number(after_stranger(
                states_[at], states_[at].trust == Trust::slices ? Trust::slices : Trust::none));
            into.states.push_back(
                {.other = other,
                 .other_slice = other_slice,
                 .cgroup_class = into.selectors.id_of(rule_selectors(states_[at])),
                 .flags = is_packet_user(states_[at]) ? SP_CG_PACKET_USER : 0});
            for (const std::string& name : names_at(states_[at])) {
                const std::uint32_t next = number(after(states_[at], name));
                if (next != (is_slice(name) ? other_slice : other))
                    into.steps.emplace_back(step_key(at, name), next);
            }
            if (states_.size() > kStatesMax || into.steps.size() > kStepsMax)
                return fail(ErrorKind::invalid_input,
                            "the units and cgroups that egress rules name combine in more than " +
                                std::to_string(kStatesMax) + " ways",
                            "name fewer slices as units, or use cgroup for them");
        }
        return {};
    }

  private:
    std::uint32_t number(State&& state) {
        // A place that leads to nothing named is as good as nowhere.
        if (state.node != PathTree::kNowhere && tree_.at(state.node).children.empty())
            state.node = PathTree::kNowhere;
        std::vector<std::uint32_t> words{state.node, static_cast<std::uint32_t>(state.trust)};
        words.insert(words.end(), state.held.begin(), state.held.end());
        const std::uint32_t id = known_.id_of(words) - 1; // the empty signature is no state
        if (id == states_.size()) states_.push_back(std::move(state));
        return id;
    }

    [[nodiscard]] bool is_packet_user(const State& state) const {
        return names_.packet_users && std::ranges::binary_search(state.held, *names_.packet_users);
    }

    // Without the one that no rule asks for, or classes would differ for nothing.
    [[nodiscard]] std::vector<std::uint32_t> rule_selectors(const State& state) const {
        std::vector<std::uint32_t> held = state.held;
        if (names_.packet_users) std::erase(held, *names_.packet_users);
        return held;
    }

    static State after_stranger(const State& state, Trust trust) {
        return {.node = PathTree::kNowhere, .trust = trust, .held = state.held};
    }

    [[nodiscard]] State after(const State& state, const std::string& name) const {
        State next{.node = tree_.child(state.node, name), .trust = Trust::none, .held = state.held};
        if (state.trust == Trust::before && next.node != PathTree::kNowhere) {
            if (next.node == tree_.host())
                next.trust = Trust::slices;
            else if (tree_.at(next.node).leads_to_host)
                next.trust = Trust::before;
        }
        if (state.trust == Trust::slices) {
            if (is_slice(name)) next.trust = Trust::slices;
            if (const auto unit = names_.units.find(name); unit != names_.units.end())
                hold(next.held, unit->second);
        }
        if (next.node != PathTree::kNowhere)
            for (const std::uint32_t selector : tree_.at(next.node).selectors)
                hold(next.held, selector);
        return next;
    }

    [[nodiscard]] std::set<std::string> names_at(const State& state) const {
        std::set<std::string> names;
        if (state.node != PathTree::kNowhere)
            for (const auto& [name, child] : tree_.at(state.node).children) names.insert(name);
        if (state.trust == Trust::slices)
            for (const auto& [name, selector] : names_.units) names.insert(name);
        return names;
    }

    static sp_cg_step step_key(std::uint32_t state, const std::string& name) {
        sp_cg_step step{};
        step.state = state;
        std::ranges::copy(name, step.name);
        return step;
    }

    const IdentityClasses& names_;
    const PathTree& tree_;
    Interner known_;
    std::vector<State> states_;
};

Status check_name(const std::string& name, const std::string& where) {
    if (name.size() < SP_CG_NAME) return {};
    return fail(ErrorKind::invalid_input, where + ": the cgroup name \"" + name + "\" has " +
                                              std::to_string(name.size()) + " bytes, and at most " +
                                              std::to_string(SP_CG_NAME - 1) + " can be compared");
}

Status check_path(const std::string& path, const std::string& where) {
    for (const std::string& name : path_names(path)) SP_TRY(check_name(name, where));
    return {};
}

} // namespace

std::vector<std::uint32_t> IdentityClasses::members(const Identity& identity) const {
    const auto holds = [&](std::uint32_t cgroup, const auto& numbers, const std::string& name) {
        return name.empty() || std::ranges::binary_search(selectors.at(cgroup), numbers.at(name));
    };
    std::vector<std::uint32_t> found;
    for (std::uint32_t cgroup = 0; cgroup < cgroups; ++cgroup) {
        if (!holds(cgroup, units, identity.unit) || !holds(cgroup, paths, identity.cgroup))
            continue;
        for (std::uint32_t user = 0; user < users; ++user)
            if (!identity.user || user_classes.at(*identity.user) == user)
                found.push_back(cgroup * users + user);
    }
    return found;
}

Result<IdentityClasses> classify_identities(const Policy& policy) {
    IdentityClasses classes;
    SP_TRY(check_path(policy.host.cgroup, "[host] cgroup"));
    PathTree tree(policy.host.cgroup);
    std::uint32_t next = 0;
    for (const Rule& rule : policy.rules) {
        const Identity& who = rule.identity;
        const std::string where = "rule \"" + rule.name + "\"";
        classes.asked = classes.asked || !who.is_none();
        SP_TRY(check_name(who.unit, where));
        SP_TRY(check_path(who.cgroup, where));
        if (!who.unit.empty() && classes.units.try_emplace(who.unit, next).second) ++next;
        if (!who.cgroup.empty() && classes.paths.try_emplace(who.cgroup, next).second)
            tree.add_selector(who.cgroup, next++);
        if (who.user) classes.user_classes.try_emplace(*who.user, 0);
    }
    for (auto& [uid, number] : classes.user_classes) number = classes.users++;
    for (const std::string& path : policy.host.packet_socket_users) {
        SP_TRY(check_path(path, "packet-socket-users"));
        if (!classes.packet_users) classes.packet_users = next++;
        tree.add_selector(path, *classes.packet_users);
    }
    if (classes.units.empty() && classes.paths.empty() && !classes.packet_users) {
        classes.states.push_back({}); // the root, and all below it, of class 0
        return classes;
    }
    SP_TRY(Automaton(classes, tree).build(classes));
    classes.cgroups = classes.selectors.size();
    return classes;
}

} // namespace sallyport
