// SPDX-License-Identifier: Apache-2.0
#pragma once
// For how long a source is banned, and how often it was: bantime.increment.
#include "base/ip.h"
#include "jail/settings.h"

#include <chrono>
#include <list>
#include <map>
#include <optional>

namespace sallyport::jail {

// The span of the ban that follows `earlier` ones; none has no end. `dice` is drawn
// evenly from [0, 1) and decides how much of the random part is added.
[[nodiscard]] std::optional<std::chrono::seconds>
ban_time(std::optional<std::chrono::seconds> first, const BanGrowth& growth, unsigned earlier,
         double dice);

// How often each source was banned. Bounded: 65536 sources; when full, the one banned
// least lately is forgotten.
class BanHistory {
  public:
    static constexpr std::size_t kSourcesMax = 65536;
    [[nodiscard]] unsigned times(const Prefix& source) const;
    void set(const Prefix& source, unsigned times);

  private:
    struct Source {
        Prefix prefix;
        unsigned times = 0;
    };
    std::list<Source> by_age_;
    std::map<Prefix, std::list<Source>::iterator> by_source_;
};

} // namespace sallyport::jail
