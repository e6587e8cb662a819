// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who was banned before: for longer this time, and not again for what was read already.
// What it knows is on the disk; without one nobody was.
#include "daemon/ban_types.h"

namespace sallyport {

using EachCount = std::function<void(const Prefix& network, unsigned times)>;

class BanRepeats {
  public:
    void set_growth(const BanGrowth& growth) { growth_ = growth; }
    // How long a ban that grows lasts this time.
    [[nodiscard]] Milliseconds grown(const BanStore& store, const BanRequest& request,
                                     std::int64_t now_ms) const;
    // Has its origin banned the network since the line that it has read again?
    [[nodiscard]] static bool was_answered(const BanStore& store, const BanRequest& request);
    void note(BanStore& store, const BanRequest& request, std::int64_t now_ms);
    // Its origin asks while its own ban stands: that is no ban more, and is answered.
    static void note_answered(BanStore& store, const BanRequest& request, std::int64_t now_ms);
    // How often each network was banned by this origin, lately; of is_counted requests.
    void each_count(const BanStore& store, const std::string& origin, std::int64_t now_ms,
                    const EachCount& call) const;

  private:
    [[nodiscard]] std::int64_t remembered_since(std::int64_t now_ms) const;

    BanGrowth growth_;
    std::int64_t forget_at_ms_ = 0; // what is older
};

} // namespace sallyport
