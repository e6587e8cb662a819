// SPDX-License-Identifier: Apache-2.0
// One truth value a set of globs; interfaces with the same truths are one class.
#include "compile/interfaces.h"

#include "compile/classes.h"
#include "policy/policy.h"

#include <algorithm>

namespace sallyport {

std::uint32_t GlobSets::add(const std::vector<std::string>& globs) {
    const auto found = std::ranges::find(sets_, globs);
    const auto set = static_cast<std::uint32_t>(found - sets_.begin());
    if (found == sets_.end()) sets_.push_back(globs);
    return set;
}

InterfaceClasses classify_interfaces(const GlobSets& globs,
                                     const std::vector<std::string>& interfaces) {
    const auto& sets = globs.sets();
    InterfaceClasses classes;
    Interner truths;
    for (const std::string& name : interfaces) {
        std::vector<std::uint32_t> matched;
        for (std::uint32_t set = 1; set < sets.size(); ++set)
            if (std::ranges::any_of(sets[set], [&](const std::string& glob) {
                    return !name.empty() && glob_matches(glob, name);
                }))
                matched.push_back(set);
        const auto number = static_cast<std::uint16_t>(truths.id_of(matched));
        classes.names.push_back({.name = name, .number = number});
    }
    // No name of today is matched; one that comes may be. A second class, which nobody has
    // yet, is how the daemon knows: it shuts who comes and has the policy compiled anew.
    if (sets.size() > 1 && truths.size() == 1) truths.id_of(std::vector<std::uint32_t>{1});
    classes.count = truths.size();
    for (std::uint32_t number = 0; number < truths.size(); ++number) {
        std::vector<bool> matches(sets.size(), false);
        matches[0] = true;
        for (const std::uint32_t set : truths.at(number)) matches[set] = true;
        classes.matches.push_back(std::move(matches));
    }
    return classes;
}

} // namespace sallyport
