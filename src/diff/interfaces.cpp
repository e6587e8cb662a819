// SPDX-License-Identifier: Apache-2.0
// The globs' automata, of which the kernel runs the like, walked side by side: what they say
// together at the end of every name is a class.
#include "diff/interfaces.h"

#include "compile/globs.h"
#include "diff/words.h"
#include "policy/policy.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace sallyport::diff {
namespace {

constexpr std::size_t kNameMax = 15;
using State = std::vector<std::uint64_t>; // of each automaton

bool can_be_in_a_name(unsigned byte) {
    return byte > ' ' && byte < 0x7f && byte != '/' && byte != ':';
}

class Walk {
  public:
    explicit Walk(const std::vector<std::string>& globs) {
        for (const std::string& glob : globs) {
            auto groups = compile_globs({glob});
            automata_.push_back(groups && !groups->empty() ? groups->front() : sp_globs{});
        }
    }
    // What the globs say of names, with the shortest name of which they say it.
    [[nodiscard]] std::map<std::vector<bool>, std::string> answers() const {
        std::map<std::vector<bool>, std::string> found;
        std::set<State> seen;
        State start;
        for (const sp_globs& automaton : automata_) start.push_back(automaton.starts);
        std::vector<std::pair<State, std::string>> here{{start, ""}};
        for (std::size_t length = 0; length < kNameMax; ++length) {
            std::vector<std::pair<State, std::string>> next;
            for (const auto& [state, name] : here)
                for (const auto& [after, byte] : steps(state)) {
                    if (!seen.insert(after).second) continue;
                    next.emplace_back(after, name + byte);
                    found.try_emplace(answer(after), name + byte);
                }
            here = std::move(next);
        }
        return found;
    }

  private:
    [[nodiscard]] std::map<State, char> steps(const State& state) const {
        std::map<State, char> after;
        for (unsigned byte = 0; byte < 256; ++byte) {
            if (!can_be_in_a_name(byte)) continue;
            State next(state.size());
            for (std::size_t i = 0; i < state.size(); ++i)
                next[i] =
                    (state[i] & automata_[i].takes[byte]) << 1 | (state[i] & automata_[i].loops);
            after.try_emplace(std::move(next), static_cast<char>(byte));
        }
        return after;
    }
    [[nodiscard]] std::vector<bool> answer(const State& state) const {
        std::vector<bool> matched;
        for (std::size_t i = 0; i < state.size(); ++i)
            matched.push_back((state[i] & automata_[i].accepts) != 0);
        return matched;
    }
    std::vector<sp_globs> automata_;
};

} // namespace

InterfaceClasses::InterfaceClasses(std::vector<std::string> globs) : globs_(std::move(globs)) {
    std::ranges::sort(globs_);
    globs_.erase(std::ranges::unique(globs_).begin(), globs_.end());
    for (auto& [matched, example] : Walk(globs_).answers())
        classes_.push_back({.matched = matched, .example = example});
}

std::optional<std::size_t> InterfaceClasses::class_of(const std::string& name) const {
    std::vector<bool> matched;
    for (const std::string& glob : globs_)
        matched.push_back(!name.empty() && glob_matches(glob, name));
    const auto at = std::ranges::find(classes_, matched, &Class::matched);
    if (at == classes_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - classes_.begin());
}

bool InterfaceClasses::is_matched(std::size_t one, const std::vector<std::string>& globs) const {
    return std::ranges::any_of(globs, [&](const std::string& glob) {
        const auto at = std::ranges::lower_bound(globs_, glob);
        return at != globs_.end() && *at == glob &&
               classes_[one].matched[static_cast<std::size_t>(at - globs_.begin())];
    });
}

std::string InterfaceClasses::describe(const std::vector<std::size_t>& classes) const {
    std::vector<std::pair<std::string, std::vector<std::size_t>>> named;
    for (std::size_t i = 0; i < globs_.size(); ++i) {
        std::vector<std::size_t> its;
        for (std::size_t one = 0; one < classes_.size(); ++one)
            if (classes_[one].matched[i]) its.push_back(one);
        named.emplace_back(globs_[i], std::move(its));
    }
    return in_words(classes, classes_.size(), named,
                    [&](std::size_t one) { return "others (as " + classes_[one].example + ")"; });
}

} // namespace sallyport::diff
