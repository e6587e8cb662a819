// SPDX-License-Identifier: Apache-2.0
#pragma once
// Processes in classes: two are of one class when no rule of either policy tells them apart. A
// class is one of cgroups together with one of users.
#include "policy/rule.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::diff {

// Which of two policies: a unit is sought below the [host] cgroup of its own.
enum class Side : unsigned char { before, after };

class IdentityClasses {
  public:
    static constexpr std::size_t kMost = 20000; // states; beyond that there are no classes

    // `asked`: what rules ask for, by side; `hosts`: the two [host] cgroups.
    IdentityClasses(std::vector<std::pair<Side, Identity>> asked, const std::string& host_before,
                    const std::string& host_after);

    // Rules combine in too many ways: count() is 0.
    [[nodiscard]] bool is_too_many() const { return cgroups_.empty(); }
    [[nodiscard]] std::size_t count() const { return cgroups_.size() * (users_.size() + 1); }
    [[nodiscard]] bool is_for(std::size_t one, Side side, const Identity& identity) const;
    // An empty path: not known.
    [[nodiscard]] std::optional<std::size_t> class_of(const std::string& cgroup,
                                                      std::optional<std::uint32_t> user) const;
    // "unit rag.service, uid 1000"; empty when they are all.
    [[nodiscard]] std::string describe(const std::vector<std::size_t>& classes) const;

  private:
    // "a unit, below that host" or "within that path".
    struct Condition {
        std::string unit; // empty: a path
        std::vector<std::string> path;
        auto operator<=>(const Condition&) const = default;
    };
    using State = std::vector<std::uint32_t>; // how far each condition has come
    struct Class {
        std::vector<bool> holds; // by condition
        std::string example;
    };

    [[nodiscard]] Condition condition_of(Side side, const Identity& identity) const;
    [[nodiscard]] bool holds(std::size_t cgroups, const Condition& condition) const;
    [[nodiscard]] State start() const;
    [[nodiscard]] State step(const State& state, const std::string& name) const;
    [[nodiscard]] std::vector<bool> answer(const State& state) const;
    void walk();

    std::vector<std::string> hosts_;
    std::vector<std::pair<Side, Identity>> asked_;
    std::vector<Condition> conditions_; // sorted, each once
    std::vector<std::uint32_t> users_;  // sorted, each once; the class after them is all others
    std::vector<Class> cgroups_;
};

} // namespace sallyport::diff
