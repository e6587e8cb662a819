// SPDX-License-Identifier: Apache-2.0
#pragma once
// How often a source has failed within a span of time, by the lines' own times.
//
// Bounded: 65536 sources and a million failures. When full, the source that was heard
// of least lately is forgotten, and counted: a flood from many addresses can make the
// jail forget, never grow.
#include "base/ip.h"
#include "jail/date_fields.h"

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

namespace sallyport::jail {

class FailureCounter {
  public:
    static constexpr std::size_t kSourcesMax = 65536;
    static constexpr std::size_t kFailuresMax = 1'000'000;

    FailureCounter(unsigned max_retry, std::chrono::seconds find_time);

    // Counts one failure and returns how many there are within the span that ends with
    // the latest. When that is max_retry the source is forgotten: it begins anew.
    unsigned add(const Prefix& source, LogTime time);
    void forget(const Prefix& source);

    [[nodiscard]] std::size_t sources() const { return by_source_.size(); }
    // Sources that were forgotten because there was no room.
    [[nodiscard]] std::uint64_t displaced() const { return displaced_; }

  private:
    struct Source {
        Prefix prefix;
        std::vector<LogTime> times;
    };
    using Place = std::list<Source>::iterator;
    void make_room();

    unsigned max_retry_;
    std::chrono::seconds find_time_;
    std::list<Source> by_age_; // the one heard of last is at the end
    std::map<Prefix, Place> by_source_;
    std::size_t failures_ = 0;
    std::uint64_t displaced_ = 0;
};

} // namespace sallyport::jail
