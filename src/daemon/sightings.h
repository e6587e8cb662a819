// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which packet belongs to which event: they come through different rings, in either order.
#include "event/capture.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

namespace sallyport {

struct Sighting {
    Event event;
    Capture capture;
};

class Sightings {
  public:
    // Remembers so many halves; when full, the oldest is given up.
    explicit Sightings(std::size_t most = 2048) : most_(most) {}

    // Both, when the other half is here already.
    [[nodiscard]] std::optional<Sighting> add(const Event& event);
    [[nodiscard]] std::optional<Sighting> add(Capture capture);
    [[nodiscard]] std::size_t waiting() const { return halves_.size(); }

  private:
    struct Hash {
        std::size_t operator()(const Stamp& stamp) const;
    };
    struct Half {
        std::optional<Event> event;
        std::optional<Capture> capture;
    };
    void remember(const Stamp& stamp, Half half);

    std::size_t most_;
    std::unordered_map<Stamp, Half, Hash> halves_;
    std::deque<Stamp> order_; // of some that have been found since as well
};

} // namespace sallyport
