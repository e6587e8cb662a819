// SPDX-License-Identifier: Apache-2.0
#pragma once
// How often each source did what it should not, in a span of time. Bounded: when too much is
// to be remembered, who did nothing for the longest is forgotten, which spares him.
#include "base/ip.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

namespace sallyport {

class Strikes {
  public:
    // `count` within `span_ns`. At least 1. At most so many are remembered, of all sources.
    Strikes(std::size_t count, std::uint64_t span_ns, std::size_t remembered = 262144);

    // One more, in the order of their times. True: with it there are as many as it takes, and
    // they begin anew.
    [[nodiscard]] bool strike(const Prefix& source, std::uint64_t at_ns);

    [[nodiscard]] std::size_t remembered() const { return held_; }

  private:
    struct Source {
        std::vector<std::uint64_t> times; // the oldest first; fewer than count_
        std::list<Prefix>::iterator place;
    };
    using Sources = std::map<Prefix, Source>;
    void forget(Sources::iterator source);

    std::size_t count_;
    std::uint64_t span_ns_;
    std::size_t most_;
    std::size_t held_ = 0;
    Sources sources_;
    std::list<Prefix> by_last_; // the one that is quiet for the longest first
};

} // namespace sallyport
