// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who comes most often, in bounded room (Misra and Gries, 1982, with the median of Anderson and
// others, 2017, by which an addition costs the same on average whatever is added): with room for N
// names, each count is short by at most 2 * total / N, and whoever has more than that is among
// them. Counts stay at the highest that there is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport {

struct Ranked {
    std::string name;
    std::uint64_t count = 0;
    bool is_new = false;
    bool operator==(const Ranked&) const = default;
};

class Ranking {
  public:
    explicit Ranking(std::size_t room) : room_(room) {}
    void add(const std::string& name, std::uint64_t count);
    [[nodiscard]] bool knows(const std::string& name) const { return counts_.contains(name); }
    // The most frequent first, of equals by name; is_new: not in `before`, which has had room for
    // all.
    [[nodiscard]] std::vector<Ranked> top(std::size_t most, const Ranking& before) const;
    [[nodiscard]] std::uint64_t total() const { return total_; }
    // By how much a count may be short; 0: they are exact.
    [[nodiscard]] std::uint64_t short_by() const { return short_by_; }
    [[nodiscard]] std::size_t names() const { return counts_.size(); }

  private:
    void forget_half();
    std::size_t room_;
    std::unordered_map<std::string, std::uint64_t> counts_;
    std::uint64_t total_ = 0;
    std::uint64_t short_by_ = 0;
};

} // namespace sallyport
