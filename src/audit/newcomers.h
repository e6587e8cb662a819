// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which listeners are new since the machine was last looked at.
#include "audit/machine.h"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace sallyport::audit {

// A socket outlives the process whose it was for a moment, and may be there a moment before
// its process can be read. So one without a process is the one that was at its place before,
// and a new one without is told of one look later, by then with whose it is if that was found.
class Newcomers {
  public:
    // All that listens now. Returns those to be told of, in their order, late ones first;
    // none the first time. One that another program takes over is new; one that has gone is
    // forgotten, and new when it comes back.
    std::vector<Listener> next(const std::vector<Listener>& current);

  private:
    using Where =
        std::tuple<std::uint64_t, std::uint8_t, Address, std::uint16_t, std::string, std::uint32_t>;
    using Programs = std::set<std::string>;

    static Where where(const Listener& one);

    std::map<Where, Programs> known_;
    std::vector<Listener> nameless_; // not told of yet
    bool is_first_ = true;
};

} // namespace sallyport::audit
