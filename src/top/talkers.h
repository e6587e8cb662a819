// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is at it now, in bounded room: a rate that forgets (an exponential mean over kMemory), a
// total and the latest word of each. When there is no room left, the half whose rate is the
// lower is forgotten, totals with it.
#include "event/event.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::top {

using SteadyTime = std::chrono::steady_clock::time_point;
constexpr std::chrono::duration<double> kMemory{10};

// A row of a panel. A rule's and a reason's rate is counted, not remembered.
struct Talker {
    std::string name;
    double per_second = 0;
    std::uint64_t total = 0;
    WallTime last{}; // the epoch: never
    std::string detail;
    bool operator==(const Talker&) const = default;
};

class Talkers {
  public:
    // Room for fewer than two is room for two.
    explicit Talkers(std::size_t room = 2048) : room_(room < 2 ? 2 : room) {}
    void add(Talker talker, SteadyTime now); // total: how many more; per_second is not read
    // In no order.
    [[nodiscard]] std::vector<Talker> all(SteadyTime now) const;
    [[nodiscard]] bool has_forgotten() const { return has_forgotten_; }

  private:
    struct Held {
        Talker talker; // per_second: as of `at`
        SteadyTime at;
        [[nodiscard]] double rate(SteadyTime now) const;
    };
    void forget_half(SteadyTime now);

    std::size_t room_;
    bool has_forgotten_ = false;
    std::unordered_map<std::string, Held> held_;
};

} // namespace sallyport::top
