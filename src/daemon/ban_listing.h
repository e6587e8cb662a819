// SPDX-License-Identifier: Apache-2.0
#pragma once
// A list's change under way, in steps: a million networks take longer than the daemon may be
// busy with one thing. What the list newly names is added first, then what it names no more is
// lifted, then what had no place before that. Until it is done, and whenever it is given up,
// `standing` is what is barred by the list's word.
#include "bans/ban_table.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sallyport {

struct ListFollowed {
    std::size_t added = 0;
    std::size_t lifted = 0;
    std::size_t left_out = 0; // addresses of this host, loopback, groups
    std::size_t beyond = 0;   // there was no place for them
    // What an operator is to know of these; "" of none.
    [[nodiscard]] std::string left_out_of(const std::string& file) const;
};

class BanListing {
  public:
    enum class Phase : std::uint8_t { adds, lifts, adds_beyond, done };
    // `wanted` in order, each once. `followed`: what is to be told with it.
    BanListing(std::string zone, std::vector<Prefix> wanted, ListFollowed followed = {});

    using HasPlace = std::function<bool(const Prefix& network)>;
    // Looks at so many networks, or ends a phase. `before`: what the list named when it began.
    void step(const std::vector<Prefix>& before, BanTable& table, const HasPlace& has_place,
              std::size_t most);
    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] const std::string& zone() const { return zone_; }
    [[nodiscard]] const ListFollowed& followed() const { return followed_; }
    [[nodiscard]] std::vector<Prefix> standing(const std::vector<Prefix>& before) const;
    // How many these are more than before, or fewer: what is added less what is lifted.
    [[nodiscard]] std::size_t added() const { return added_.size(); }
    [[nodiscard]] std::size_t lifted() const { return lifted_.size(); }

  private:
    void add(const std::vector<Prefix>& before, BanTable& table, const HasPlace& has_place);
    void lift(const std::vector<Prefix>& before, BanTable& table);
    void add_beyond(BanTable& table, const HasPlace& has_place);
    void begin(Phase phase);

    std::string zone_;
    std::vector<Prefix> wanted_;
    ListFollowed followed_;
    Phase phase_ = Phase::adds;
    std::size_t at_ = 0;    // in what the phase goes through
    std::size_t other_ = 0; // in what that is compared with
    std::vector<Prefix> added_;
    std::vector<Prefix> lifted_;
    std::vector<Prefix> waiting_; // for a place
};

} // namespace sallyport
