// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counters, read now and then, as rates.
#include "top/talkers.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace sallyport::top {

struct Passed {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool operator==(const Passed&) const = default;
};

class Meter {
  public:
    // Totals as of `now`. A counter that fell began anew: nothing is known of that time.
    void take(Passed totals, SteadyTime now);
    [[nodiscard]] double packets_per_second() const { return packets_; }
    [[nodiscard]] double bits_per_second() const { return 8 * bytes_; }
    [[nodiscard]] const Passed& totals() const { return totals_; }
    // Packets a second, one for each time but the first, the latest last; kHistory at most.
    [[nodiscard]] const std::deque<double>& history() const { return history_; }
    static constexpr std::size_t kHistory = 512;

  private:
    Passed totals_;
    std::optional<SteadyTime> at_;
    double packets_ = 0;
    double bytes_ = 0;
    std::deque<double> history_;
};

} // namespace sallyport::top
