// SPDX-License-Identifier: Apache-2.0
#pragma once
// The last of what was told, for who comes later (`tail --since`). Arrivals have their own
// room: a flood of them throws nothing else out. Bounded by bytes; the oldest goes first.
#include "event/capture.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace sallyport {

using SharedLine = std::shared_ptr<const std::string>; // with its newline

class Recent {
  public:
    struct Kept {
        std::uint64_t number = 0;
        std::chrono::steady_clock::time_point at{};
        std::size_t bytes = 0;
        Event event{};
        std::optional<Capture> capture{};
        SharedLine line{};  // null: made when somebody wants it
        SharedLine whole{}; // with what is for root alone; null: as `line`
    };
    // Where a reader is. Of another Recent it means nothing.
    struct Place {
        std::array<std::uint64_t, 2> at{}; // by lane: how many were kept before
    };
    // What comes next, valid until the next keep(); nullptr: nothing yet. `missed`: how many
    // went before this reader came to them.
    struct Step {
        const Kept* kept = nullptr;
        std::uint64_t missed = 0;
    };

    // Of each of the two rooms.
    explicit Recent(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    void keep(Kept kept, std::chrono::steady_clock::time_point now);
    // Of the first that was kept at `from` or after.
    [[nodiscard]] Place since(std::chrono::steady_clock::time_point from) const;
    [[nodiscard]] Step next(Place& place) const;
    [[nodiscard]] std::size_t size() const { return lanes_[0].kept.size() + lanes_[1].kept.size(); }

  private:
    struct Lane {
        std::deque<Kept> kept;
        std::uint64_t gone = 0; // kept before the first
        std::size_t bytes = 0;
    };
    std::size_t most_bytes_;
    std::uint64_t last_ = 0;
    std::array<Lane, 2> lanes_; // arrivals, and all else
};

} // namespace sallyport
