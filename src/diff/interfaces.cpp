// SPDX-License-Identifier: Apache-2.0
// The globs' automata, of which the kernel runs the like, walked side by side: what they say
// together at the end of every name is a class. Globs like "*a*", "*b*" double the states with
// each of them, so the walk ends after some; what is left then is what was met, the shortest
// names first, and for each glob a name that it matches.
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
        // Of the bytes that every automaton takes alike one is enough.
        std::set<State> kinds;
        for (unsigned byte = 0; byte < 256; ++byte) {
            if (!can_be_in_a_name(byte)) continue;
            State kind;
            for (const sp_globs& automaton : automata_) kind.push_back(automaton.takes[byte]);
            if (kinds.insert(std::move(kind)).second) bytes_.push_back(static_cast<char>(byte));
        }
    }

    // What the globs say of names, with the shortest name of which they say it.
    std::map<std::vector<bool>, std::string> answers() {
        std::map<std::vector<bool>, std::string> found;
        std::set<State> seen;
        State start;
        for (const sp_globs& automaton : automata_) start.push_back(automaton.starts);
        std::vector<std::pair<State, std::string>> here{{start, ""}};
        for (std::size_t length = 0; length < kNameMax && !here.empty(); ++length) {
            std::vector<std::pair<State, std::string>> next;
            for (const auto& [state, name] : here)
                for (const char byte : bytes_) {
                    ++steps;
                    State after = step(state, byte);
                    if (seen.contains(after)) continue;
                    if (seen.size() == InterfaceClasses::kMost) {
                        is_cut_short = true;
                        return found;
                    }
                    seen.insert(after);
                    found.try_emplace(answer(after), name + byte);
                    next.emplace_back(std::move(after), name + byte);
                }
            here = std::move(next);
        }
        return found;
    }

    // A name that this glob matches, as short as any; empty when there is none.
    [[nodiscard]] std::string name_for(std::size_t glob) const {
        std::set<std::uint64_t> seen;
        std::vector<std::pair<std::uint64_t, std::string>> here{{automata_[glob].starts, ""}};
        for (std::size_t length = 0; length < kNameMax; ++length) {
            std::vector<std::pair<std::uint64_t, std::string>> next;
            for (const auto& [state, name] : here)
                for (const char byte : bytes_) {
                    const std::uint64_t after = step(automata_[glob], state, byte);
                    if (after == 0 || !seen.insert(after).second) continue;
                    if ((after & automata_[glob].accepts) != 0) return name + byte;
                    next.emplace_back(after, name + byte);
                }
            here = std::move(next);
        }
        return {};
    }

    bool is_cut_short = false;
    std::size_t steps = 0;

  private:
    static std::uint64_t step(const sp_globs& automaton, std::uint64_t state, char byte) {
        return (state & automaton.takes[static_cast<unsigned char>(byte)]) << 1 |
               (state & automaton.loops);
    }
    [[nodiscard]] State step(const State& state, char byte) const {
        State next(state.size());
        for (std::size_t i = 0; i < state.size(); ++i) next[i] = step(automata_[i], state[i], byte);
        return next;
    }
    [[nodiscard]] std::vector<bool> answer(const State& state) const {
        std::vector<bool> matched;
        for (std::size_t i = 0; i < state.size(); ++i)
            matched.push_back((state[i] & automata_[i].accepts) != 0);
        return matched;
    }
    std::vector<sp_globs> automata_;
    std::vector<char> bytes_;
};

} // namespace

InterfaceClasses::InterfaceClasses(std::vector<std::string> globs) : globs_(std::move(globs)) {
    std::ranges::sort(globs_);
    globs_.erase(std::ranges::unique(globs_).begin(), globs_.end());
    Walk walk(globs_);
    std::map<std::vector<bool>, std::string> found = walk.answers();
    steps_ = walk.steps;
    is_too_many_ = walk.is_cut_short;
    for (std::size_t i = 0; is_too_many_ && i < globs_.size(); ++i)
        if (const std::string name = walk.name_for(i); !name.empty())
            found.try_emplace(matched_by(name), name);
    for (auto& [matched, example] : found)
        classes_.push_back({.matched = matched, .example = example});
}

std::vector<bool> InterfaceClasses::matched_by(const std::string& name) const {
    std::vector<bool> matched;
    for (const std::string& glob : globs_)
        matched.push_back(!name.empty() && glob_matches(glob, name));
    return matched;
}

std::optional<std::size_t> InterfaceClasses::class_of(const std::string& name) const {
    const auto at = std::ranges::find(classes_, matched_by(name), &Class::matched);
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
